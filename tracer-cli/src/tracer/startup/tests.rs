use proptest::prelude::*;

use super::*;

const TOP: u64 = 0x7fff_ffff_f000;
const AT_NULL: u64 = 0;
const AT_BASE: u64 = 7;
const AT_RANDOM: u64 = 25;

/// A stack as the kernel makes it: arrays, padding, strings, end.
fn stack(argv: &[&[u8]], envp: &[&[u8]], auxv: &[(u64, u64)]) -> (u64, Vec<u8>) {
    let strings: Vec<u8> = argv.iter().chain(envp).flat_map(|string| [string, &b"\0"[..]].concat()).collect();
    let mut next = TOP - strings.len() as u64;
    let words = 1 + argv.len() + 1 + envp.len() + 1 + 2 * (auxv.len() + 1);
    let rsp = (next - 8 * words as u64) & !15;
    let mut array = vec![argv.len() as u64];
    for group in [argv, envp] {
        for string in group {
            array.push(next);
            next += string.len() as u64 + 1;
        }
        array.push(0);
    }
    array.extend(auxv.iter().flat_map(|&(kind, value)| [kind, value]));
    array.extend([AT_NULL, 0]);
    let mut bytes: Vec<u8> = array.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.resize((TOP - rsp) as usize - strings.len(), 0);
    bytes.extend(strings);
    (rsp, bytes)
}

type Strings = Vec<Vec<u8>>;

/// What a program finds on the stack at `rsp`.
fn seen(rsp: u64, bytes: &[u8]) -> (Strings, Strings, Vec<u64>) {
    let parsed = Startup::parse(rsp, bytes).unwrap();
    let read = |range: Range<usize>| range.map(|at| parsed.string(at).unwrap().to_vec()).collect::<Strings>();
    let arguments = 1..parsed.environment.start - 1;
    let auxv = parsed.auxiliary.clone().map(|at| word_at(bytes, at).unwrap()).collect();
    (read(arguments), read(parsed.environment.clone()), auxv)
}

/// Rewrites a stack and looks at the result as the program will: new bytes, then the old stack.
fn rewritten(argv: &[&[u8]], envp: &[&[u8]], auxv: &[(u64, u64)]) -> (Strings, Strings, Vec<u64>) {
    let (rsp, bytes) = stack(argv, envp, auxv);
    let new = Startup::parse(rsp, &bytes).unwrap().with_interposer(b"/c/tap.so", b"/proc/1/fd/3", None);
    assert_eq!(new.rsp % 16, 0, "the ABI's alignment at the first instruction");
    assert_eq!(new.rsp + new.bytes.len() as u64, rsp, "the old stack is not touched");
    seen(new.rsp, &[new.bytes, bytes].concat())
}

fn owned(strings: &[&[u8]]) -> Strings {
    strings.iter().map(|string| string.to_vec()).collect()
}

#[test]
fn without_a_preload_two_variables_are_appended() {
    let (argv, envp, auxv) =
        rewritten(&[b"ls", b"-l"], &[b"HOME=/root", b"A=1"], &[(AT_BASE, 0x1000), (AT_RANDOM, TOP - 9)]);
    assert_eq!(argv, owned(&[b"ls", b"-l"]));
    assert_eq!(
        envp,
        owned(&[b"HOME=/root", b"A=1", b"LD_PRELOAD=/c/tap.so", b"CALLTAP_SEGMENT=/proc/1/fd/3"])
    );
    assert_eq!(auxv, [AT_BASE, 0x1000, AT_RANDOM, TOP - 9, 0, 0]);
}

#[test]
fn a_program_in_a_sandbox_is_told_its_id_behind_the_segment() {
    let (rsp, bytes) = stack(&[b"x"], &[b"A=1"], &[]);
    let new = Startup::parse(rsp, &bytes).unwrap().with_interposer(b"/c/tap.so", b"/proc/1/fd/3", Some(12));
    let (_, envp, _) = seen(new.rsp, &[new.bytes, bytes].concat());
    assert_eq!(envp[2..], owned(&[b"CALLTAP_SEGMENT=/proc/1/fd/3", b"CALLTAP_CONFINED=12"]));
}

#[test]
fn an_existing_preload_keeps_its_place_and_its_value() {
    let (_, envp, _) = rewritten(&[b"x"], &[b"LD_PRELOAD=/a.so:/b.so", b"A=1"], &[]);
    assert_eq!(
        envp,
        owned(&[
            b"LD_PRELOAD=/c/tap.so:/a.so:/b.so",
            b"A=1",
            b"CALLTAP_SEGMENT=/proc/1/fd/3",
            b"CALLTAP_PRELOAD=/a.so:/b.so",
        ])
    );
}

#[test]
fn an_empty_preload_is_remembered_as_empty() {
    let (_, envp, _) = rewritten(&[b"x"], &[b"LD_PRELOAD="], &[]);
    assert_eq!(envp, owned(&[b"LD_PRELOAD=/c/tap.so", b"CALLTAP_SEGMENT=/proc/1/fd/3", b"CALLTAP_PRELOAD="]));
}

#[test]
fn of_two_preloads_the_one_that_counts_is_changed() {
    let (_, envp, _) = rewritten(&[b"x"], &[b"LD_PRELOAD=/a.so", b"LD_PRELOAD=/b.so"], &[]);
    assert_eq!(envp[..2], owned(&[b"LD_PRELOAD=/a.so", b"LD_PRELOAD=/c/tap.so:/b.so"]));
}

#[test]
fn similar_names_are_other_variables() {
    let (_, envp, _) = rewritten(&[b"x"], &[b"LD_PRELOADED=1", b"MY_LD_PRELOAD=2", b"LD_PRELOAD"], &[]);
    assert_eq!(envp[3], b"LD_PRELOAD=/c/tap.so");
}

#[test]
fn nothing_at_all_is_enough() {
    let (argv, envp, auxv) = rewritten(&[], &[], &[]);
    assert_eq!((argv.len(), envp.len(), auxv), (0, 2, vec![0, 0]));
}

#[test]
fn auxiliary_values_are_found_by_kind() {
    let (rsp, bytes) = stack(&[b"x"], &[], &[(AT_RANDOM, 7), (AT_BASE, 9)]);
    let startup = Startup::parse(rsp, &bytes).unwrap();
    assert_eq!(startup.auxiliary(AT_BASE), Some(9), "a kind, not the value 7 before it");
    assert_eq!(startup.auxiliary(23), None);
}

#[test]
fn a_variable_is_known_by_its_whole_name() {
    let (rsp, bytes) = stack(&[b"AB=1"], &[b"ABC=", b"X=AB="], &[]);
    let startup = Startup::parse(rsp, &bytes).unwrap();
    assert!(startup.has_variable(b"ABC="));
    assert!(!startup.has_variable(b"AB="));
}

proptest! {
    #[test]
    fn everything_else_stays_as_it_was(
        argv in prop::collection::vec("[a-z =]{0,20}", 0..40),
        envp in prop::collection::vec("[A-Z]{1,4}=[a-z/:]{0,30}", 0..60),
        auxv in prop::collection::vec((1_u64..60, any::<u64>()), 0..30),
    ) {
        let argv: Vec<&[u8]> = argv.iter().map(String::as_bytes).collect();
        let envp: Vec<&[u8]> = envp.iter().map(String::as_bytes).collect();
        let (new_argv, new_envp, new_auxv) = rewritten(&argv, &envp, &auxv);
        prop_assert_eq!(new_argv, owned(&argv));
        prop_assert_eq!(&new_envp[..envp.len()], &owned(&envp)[..]);
        prop_assert_eq!(new_envp.len(), envp.len() + 2);
        let words: Vec<u64> = auxv.iter().flat_map(|&(kind, value)| [kind, value]).chain([0, 0]).collect();
        prop_assert_eq!(new_auxv, words);
    }

    #[test]
    fn garbage_is_refused_or_read_within_its_bounds(
        rsp in any::<u32>(),
        words in prop::collection::vec(prop_oneof![Just(0_u64), 0_u64..40, any::<u64>()], 0..60),
        extra in 0_usize..8,
    ) {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(bytes.len().saturating_sub(extra));
        let rsp = (u64::from(rsp) + (1 << 20)) & !15;
        if let Some(startup) = Startup::parse(rsp, &bytes) {
            let new = startup.with_interposer(b"/c/tap.so", b"/proc/1/fd/3", None);
            prop_assert_eq!(new.rsp + new.bytes.len() as u64, rsp);
            prop_assert!(Startup::parse(new.rsp, &new.bytes).is_some());
        }
    }
}
