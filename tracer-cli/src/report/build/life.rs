//! The life of processes.

use std::collections::HashMap;

use calltap_analyzers::life::{self, LifeReport, Object, Target};
use nix::errno::Errno;

use super::signal_name;
use crate::exit_snapshot::Mapped;
use crate::report::model::{Executed, Life, Lived, MappedObject, SignalGot, SignalSent, Stopped};

/// The objects in `/proc/PID/maps`: files of which something can be executed, each with its lowest
/// address and the sum of its mappings, by ascending address.
#[must_use]
pub fn objects(maps: &[Mapped]) -> Vec<Object> {
    let mut objects: Vec<(Object, bool)> = Vec::new();
    let mut places: HashMap<(u64, (u32, u32)), usize> = HashMap::new();
    for mapped in maps.iter().filter(|mapped| mapped.inode != 0) {
        let place = *places.entry((mapped.inode, mapped.device)).or_insert_with(|| {
            let path = mapped.path.to_string_lossy().into_owned();
            objects.push((Object { path, address: mapped.start, bytes: 0, first_seen_ns: None }, false));
            objects.len() - 1
        });
        let (object, executable) = &mut objects[place];
        object.bytes += mapped.end.saturating_sub(mapped.start);
        *executable |= mapped.permissions[2] == b'x';
    }
    objects.into_iter().filter(|(_, executable)| *executable).map(|(object, _)| object).collect()
}

pub(super) fn life(report: LifeReport) -> Life {
    Life {
        omitted: report.left_out,
        unclear_waits: report.unclear_waits,
        processes: report.processes.into_iter().map(lived).collect(),
    }
}

fn lived(lived: life::Lived) -> Lived {
    let zombie_ns = lived.zombie_ns();
    let end = lived.end;
    let signal = end.and_then(|end| end.signal);
    Lived {
        pid: lived.pid,
        made_by: match lived.made_by {
            life::Maker::Start => "start",
            life::Maker::Fork => "fork",
            life::Maker::Vfork => "vfork",
            life::Maker::Clone => "clone",
        },
        maker: lived.maker.map(|place| place as u64),
        maker_tid: lived.made_by_thread.map(|thread| thread.0),
        started_ns: lived.born_ns,
        programs: lived.programs.into_iter().map(executed).collect(),
        threads: lived.threads,
        threads_peak: lived.threads_peak,
        ended_ns: end.map(|end| end.at_ns),
        exit_code: end.and_then(|end| end.status),
        signal,
        signal_name: signal.map(signal_name),
        core_dumped: end.is_some_and(|end| end.core_dumped),
        reaped_by: lived.reaped.map(|reaped| reaped.by),
        reaped_ns: lived.reaped.map(|reaped| reaped.at_ns),
        zombie_ns,
        signals_got: lived.got.iter().map(got).collect(),
        signals_sent: lived.sent.iter().map(sent).collect(),
        stopped: lived.pauses.iter().map(stopped).collect(),
        objects: lived.objects.into_iter().map(mapped).collect(),
        entries_omitted: lived.left_out,
    }
}

fn executed(program: life::Program) -> Executed {
    Executed { path: program.path, command: program.command, at_ns: program.at_ns }
}

/// `None` for the number that is no signal.
fn name(signal: i32) -> Option<String> {
    (signal != 0).then(|| signal_name(signal))
}

fn got(got: &life::SignalGot) -> SignalGot {
    SignalGot {
        signal: got.signal,
        signal_name: name(got.signal),
        code: got.code,
        sender_pid: got.sender.map(|sender| sender.pid),
        sender_uid: got.sender.map(|sender| sender.uid),
        count: got.count,
        first_ns: got.first_ns,
        last_ns: got.last_ns,
    }
}

fn sent(sent: &life::SignalSent) -> SignalSent {
    let (target, target_id) = match sent.target {
        Target::Process(id) => ("process", id),
        Target::Thread(id) => ("thread", id),
        Target::Descriptor(fd) => ("descriptor", fd),
    };
    SignalSent {
        signal: sent.signal,
        signal_name: name(sent.signal),
        target,
        target_id,
        error_name: (sent.errno != 0).then(|| format!("{:?}", Errno::from_raw(i32::from(sent.errno)))),
        count: sent.count,
        first_ns: sent.first_ns,
        last_ns: sent.last_ns,
    }
}

fn stopped(pause: &life::Pause) -> Stopped {
    Stopped {
        signal: pause.signal,
        signal_name: name(pause.signal),
        from_ns: pause.from_ns,
        until_ns: pause.until_ns,
    }
}

fn mapped(object: Object) -> MappedObject {
    let Object { path, address, bytes, first_seen_ns } = object;
    MappedObject { path, address, bytes, first_seen_ns }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit_snapshot::maps;

    #[test]
    fn objects_are_files_with_code_and_all_their_mappings() {
        let maps = maps::parse(
            b"1000-2000 r--p 0 8:1 7    /lib/libc.so.6\n\
              2000-5000 r-xp 1000 8:1 7    /lib/libc.so.6\n\
              5000-6000 rw-p 0 0:0 0 \n\
              6000-7000 r--s 0 8:1 9    /var/cache/names\n\
              7000-8000 rw-p 4000 8:1 7    /lib/libc.so.6\n\
              8000-9000 r-xp 0 0:0 0    [vdso]\n\
              9000-a000 r-xp 0 8:1 8    /bin/true\n",
        );
        let objects: Vec<_> = objects(&maps).into_iter().map(|o| (o.path, o.address, o.bytes)).collect();
        let expected = [("/lib/libc.so.6", 0x1000, 0x5000), ("/bin/true", 0x9000, 0x1000)];
        assert_eq!(objects, expected.map(|(path, address, bytes)| (path.to_owned(), address, bytes)));
    }

    #[test]
    fn a_life_is_told_in_the_words_of_the_report() {
        let sent = |signal, target, errno| life::SignalSent {
            signal,
            target,
            errno,
            count: 1,
            first_ns: 4,
            last_ns: 4,
        };
        let process = life::Lived {
            pid: 7,
            maker: Some(0),
            made_by: life::Maker::Vfork,
            end: Some(life::End::from_wait_status(9 | 0x80, 10)),
            reaped: Some(life::Reaped { by: 6, at_ns: 15 }),
            sent: vec![sent(0, Target::Process(-1), 3), sent(15, Target::Thread(8), 0)],
            ..life::Lived::default()
        };
        let report = life(LifeReport { processes: vec![process], ..LifeReport::default() });
        let told = &report.processes[0];
        assert_eq!((told.made_by, told.maker, told.zombie_ns), ("vfork", Some(0), Some(5)));
        assert_eq!(
            (told.exit_code, told.signal_name.as_deref(), told.core_dumped),
            (None, Some("SIGKILL"), true)
        );
        let sent: Vec<_> = told
            .signals_sent
            .iter()
            .map(|sent| (sent.signal_name.as_deref(), sent.target, sent.error_name.as_deref()))
            .collect();
        assert_eq!(sent, [(None, "process", Some("ESRCH")), (Some("SIGTERM"), "thread", None)]);
    }
}
