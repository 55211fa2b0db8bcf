//! `docs/functions.md` is what the list of functions makes of it.
//!
//! With `CALLTAP_BLESS=1` in the environment the file is written instead of compared.

use std::fmt::Write;
use std::{env, fs};

use calltap_channel::function::{At, Bytes, ROWS, Row};
use calltap_channel::{Effect, Family, Giver, Kind};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/functions.md");

const HEAD: &str = "\
# Tapped functions

Made from the list in `channel/src/function/list.rs`; do not edit. `CALLTAP_BLESS=1 cargo test -p calltap-channel
--test functions_document` writes it anew.

*Records* names what a record of the function carries beside its times, returned value, error number and call site.
Where that differs from the C function's own parameters, the hook has looked behind them: a descriptor may come out
of an array, a stream or a message. Types are those of the list: `Path` and `Text` are copied (at most 512 bytes),
`Code` is an error number returned directly, `Mapping` an address that is -1 on failure, `Nothing` is void.

An effect takes place only if the call succeeded. Two exceptions: `free` and its like cannot fail, and a `close` that
fails with anything but EBADF has closed the descriptor all the same (close(2)).
";

#[test]
fn the_document_is_made_from_the_list() {
    let made = document();
    if env::var_os("CALLTAP_BLESS").is_some_and(|value| value == "1") {
        fs::write(FILE, made).expect("docs/functions.md can be written");
        return;
    }
    let found = fs::read_to_string(FILE).expect("docs/functions.md can be read");
    let differs = made.lines().zip(found.lines()).find(|(made, found)| made != found);
    assert!(
        made == found,
        "docs/functions.md is not what the list makes; first difference: {differs:?}\n\
         hint: CALLTAP_BLESS=1 cargo test -p calltap-channel --test functions_document"
    );
}

fn document() -> String {
    let mut text = HEAD.to_owned();
    for family in Family::ALL {
        let rows: Vec<_> = ROWS.iter().filter(|row| row.family == family).collect();
        let _ = write!(text, "\n## Family `{}`: {} functions\n\n", family.name(), rows.len());
        text += "| function | what it does | records | returns | effect |\n|---|---|---|---|---|\n";
        for row in rows {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} | {} |",
                row.name,
                row.doc,
                records(row),
                row.returns,
                effect(row)
            );
        }
    }
    text
}

fn records(row: &Row) -> String {
    let arguments: Vec<_> =
        row.arguments.iter().map(|argument| format!("`{}`: {}", argument.name, argument.kind)).collect();
    arguments.join(", ")
}

/// The name of the `index`th argument that is a word of the record.
fn word(row: &Row, index: u8) -> String {
    let mut words = row.arguments.iter().filter(|argument| !argument.is_text());
    let argument = words.nth(usize::from(index)).expect("an effect names arguments that exist");
    format!("`{}`", argument.name)
}

fn bytes(row: &Row, bytes: Bytes) -> String {
    match bytes {
        Bytes::In(at) => format!("{} bytes", word(row, at)),
        Bytes::Product(at) => format!("{} x {} bytes", word(row, at), word(row, at + 1)),
    }
}

fn taken_back_by(giver: Giver) -> &'static str {
    match giver {
        Giver::C => "`free`",
        Giver::New => "`operator delete`",
        Giver::NewArray => "`operator delete[]`",
    }
}

fn given_by(giver: Giver) -> &'static str {
    match giver {
        Giver::C => "the `malloc` family",
        Giver::New => "`operator new`",
        Giver::NewArray => "`operator new[]`",
    }
}

fn opened(row: &Row, kind: Kind, at: At) -> String {
    let place = match at {
        At::Returned => "the returned value".to_owned(),
        At::Argument(at) => word(row, at),
        At::Pair(at) => format!("{} and {}", word(row, at), word(row, at + 1)),
    };
    format!("opens {place} ({})", kind.name())
}

fn effect(row: &Row) -> String {
    match row.effect {
        Effect::None => "none".to_owned(),
        Effect::Allocate(giver, size) => {
            format!("acquires a block of {}, to be released by {}", bytes(row, size), taken_back_by(giver))
        }
        Effect::AllocateAt(giver, size) => {
            let place = word(row, 0);
            format!(
                "acquires the block {place} of {}, to be released by {}",
                bytes(row, size),
                taken_back_by(giver)
            )
        }
        Effect::Reallocate(size) => {
            format!("releases {}, acquires a block of {}", word(row, 0), bytes(row, size))
        }
        Effect::Free(giver) => format!("releases {}, acquired from {}", word(row, 0), given_by(giver)),
        Effect::Map => "acquires a mapping".to_owned(),
        Effect::Unmap => "releases a mapping".to_owned(),
        Effect::Remap => "releases a mapping, acquires another".to_owned(),
        Effect::Open(kind, at) => opened(row, kind, at),
        Effect::Duplicate => format!("opens the returned value as a copy of {}", word(row, 0)),
        Effect::DuplicateOnto => {
            format!("closes {1}, opens it as a copy of {0}", word(row, 0), word(row, 1))
        }
        Effect::Close(at) => format!("closes {}", word(row, at)),
        Effect::CloseRange => format!("closes {} to {}", word(row, 0), word(row, 1)),
        Effect::CloseFrom => format!("closes {} and all above", word(row, 0)),
        Effect::Control => {
            format!("with F_DUPFD or F_DUPFD_CLOEXEC: opens the returned value as a copy of {}", word(row, 0))
        }
        Effect::Receive => "opens every descriptor that came with it (received)".to_owned(),
        Effect::Reopen(kind) => format!("closes {}, opens {} ({})", word(row, 0), word(row, 1), kind.name()),
        Effect::Fork => "makes a process".to_owned(),
        Effect::Execute => "replaces the program; recorded at its entry".to_owned(),
        Effect::Exit => "ends the process; recorded at its entry".to_owned(),
        Effect::NameThread => "renames the thread in the report".to_owned(),
    }
}
