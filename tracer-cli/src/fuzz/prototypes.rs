//! Files of prototypes.

use std::cell::Cell;
use std::path::Path;

use calltap_channel::trace::plan::{HEAD, Plan};

use super::bytes::text;
use crate::prototype::abi;
use crate::prototype::compile::Compiler;
use crate::prototype::parse::Reader;

/// A file, read and compiled into a plan.
pub fn file(data: &[u8]) {
    let complaints = Cell::new(0);
    let reader = Reader {
        path: Path::new("file.conf"),
        shipped: false,
        around: &|_| None,
        import: &|name| Err(format!("there is no {name}.conf")),
        complain: &|complaint| {
            complaints.set(complaints.get() + complaint.to_string().len());
        },
    };
    let file = reader.read(&text(data));
    let mut compiler = Compiler::new(HEAD);
    for prototype in file.all() {
        let _ = abi::places(&prototype);
        let _ = compiler.compile(&prototype);
    }
    let _ = Plan::new(compiler.words());
}
