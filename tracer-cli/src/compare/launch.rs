//! One run of a variant, from its set-up to its end.

mod end;
mod output;
mod plan;
mod running;
mod service;
mod shell;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use nix::sys::memfd::{MFdFlags, memfd_create};
use serde_json::Value;

use self::end::End;
pub use self::plan::Plan;
use self::running::Running;
use crate::compare::measure::{Figures, Measured};
use crate::compare::run::{Ending, Outcome, Untapped};
use crate::compare::variants::Variant;
use crate::session;

/// Runs a variant once without calltap in it. None if `interrupted` was set meanwhile: the program has been stopped,
/// and the teardown made.
///
/// # Errors
/// If the setup fails, or the program cannot be started or measured. How it ends is no error.
pub fn untapped(
    plan: &Plan,
    variant: &Variant,
    interrupted: &AtomicBool,
) -> anyhow::Result<Option<Untapped>> {
    let (mut file, path) = scratch_file()?;
    let mut arguments: Vec<OsString> = vec!["__measure".into(), "--output".into(), path.into()];
    for (name, value) in &variant.environment {
        // In one word: a name may begin with a dash.
        arguments.push(match value {
            Some(value) => format!("--env={name}={value}").into(),
            None => format!("--env={name}").into(),
        });
    }
    if let Some(library) = &variant.library {
        ensure_preloadable(library)?;
        arguments.extend(["--preload".into(), library.into()]);
    }
    arguments.push("--".into());
    arguments.extend(plan.command.iter().cloned());
    let Some(end) = run(plan, variant, interrupted, &arguments, false)? else { return Ok(None) };

    let mut text = String::new();
    file.read_to_string(&mut text).context("cannot read what was measured")?;
    let measured = serde_json::from_str(&text).with_context(|| lost("the measuring process", &end))?;
    let Figures { ending, wall_ns, usage, memory, last_reading_ns, mapped, left_running } = match measured {
        Measured::NotExecuted { errno } => {
            return Err(session::NotExecuted::new(Path::new(&plan.command[0]), errno).into());
        }
        Measured::Ended(figures) => *figures,
    };
    if !left_running.is_empty() {
        let names: BTreeSet<String> = left_running.into_iter().collect();
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        plan.note(format!(
            "{}: the program left processes running when it ended ({names}); what these used is not in the figures",
            variant.label
        ));
    }
    Ok(Some(Untapped {
        outcome: end.outcome(ending),
        wall_ns,
        user_ns: usage.user_ns,
        system_ns: usage.system_ns,
        peak_rss_bytes: usage.peak_rss_bytes,
        minor_faults: usage.minor_faults,
        major_faults: usage.major_faults,
        voluntary_switches: usage.voluntary_switches,
        involuntary_switches: usage.involuntary_switches,
        memory,
        last_reading_ns,
        mapped_allocators: plan.allocators(&mapped),
    }))
}

/// Runs a variant once under `calltap run`, and gives its JSON report too. None as in [`untapped`].
///
/// `arguments` says with which arguments calltap is to be started, its verb first, for a report to be written to the
/// path it is given.
///
/// # Errors
/// As [`untapped`].
pub fn tapped(
    plan: &Plan,
    variant: &Variant,
    interrupted: &AtomicBool,
    arguments: impl FnOnce(&Path) -> Vec<OsString>,
) -> anyhow::Result<Option<(Outcome, Value)>> {
    let (mut file, path) = scratch_file()?;
    if let Some(library) = &variant.library {
        ensure_preloadable(library)?;
    }
    let Some(end) = run(plan, variant, interrupted, &arguments(&path), true)? else { return Ok(None) };
    let mut text = String::new();
    file.read_to_string(&mut text).context("cannot read the report of a tapped run")?;
    let report: Value = serde_json::from_str(&text).with_context(|| lost("calltap run", &end))?;
    let number = |name: &str| report["target"][name].as_i64().and_then(|number| i32::try_from(number).ok());
    let ending = match (number("signal"), number("exit_code")) {
        (Some(signal), _) => Ending::Killed(signal),
        (None, Some(code)) => Ending::Exited(code),
        (None, None) => bail!("the report of a tapped run does not say how the program ended"),
    };
    Ok(Some((end.outcome(ending), report)))
}

/// Setup, program, teardown.
fn run(
    plan: &Plan,
    variant: &Variant,
    interrupted: &AtomicBool,
    arguments: &[OsString],
    tapped: bool,
) -> anyhow::Result<Option<End>> {
    let label = &variant.label;
    let set_up = match &plan.setup {
        Some(setup) => shell::run("setup", setup, label, Some(interrupted))?,
        None => true,
    };
    let end = if set_up {
        Running::start(plan, label, arguments, tapped, interrupted).and_then(Running::finish)
    } else {
        Ok(None)
    };
    // Not to be interrupted: what the setup has made must go.
    if let Some(teardown) = &plan.teardown
        && let Err(error) = shell::run("teardown", teardown, label, None)
    {
        let error = error.to_string();
        let reason = error.split_once("\nhint: ").map_or(error.as_str(), |(reason, _)| reason);
        plan.note(format!("{label}: {reason}"));
    }
    // A terminal's signal may have ended the program before we were told of it.
    end.map(|end| end.filter(|_| !interrupted.load(Ordering::Relaxed)))
}

/// A file in memory, and its path for other processes, as long as it is open.
fn scratch_file() -> anyhow::Result<(File, PathBuf)> {
    let file = memfd_create(c"calltap-compare", MFdFlags::MFD_CLOEXEC)
        .context("cannot make a file in memory\nhint: a limit on open files (ulimit -n) counts")?;
    let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
    Ok((file.into(), path))
}

/// The loader takes blanks and colons for separators (ld.so(8)).
fn ensure_preloadable(library: &Path) -> anyhow::Result<()> {
    let separated = library.to_string_lossy().contains([' ', ':', '\t', '\n', '$']);
    anyhow::ensure!(
        !separated,
        "{} cannot be preloaded: its path has a character in it that LD_PRELOAD takes for something else\n\
         hint: copy it, or make a link to it with another name",
        library.display()
    );
    Ok(())
}

/// Somebody in the middle has left no word.
fn lost(who: &str, end: &End) -> String {
    let said = end.stderr_tail.trim_end();
    let said = if said.is_empty() { String::new() } else { format!(", and this on stderr: {said}") };
    format!("{who} ended with {}{said}", end.status)
}

/// How calltap is started.
fn calltap() -> PathBuf {
    #[cfg(not(test))]
    return "/proc/self/exe".into();
    // The tests' own executable lies below the program's.
    #[cfg(test)]
    return std::env::current_exe().expect("there is one").ancestors().nth(2).expect("deps").join("calltap");
}
