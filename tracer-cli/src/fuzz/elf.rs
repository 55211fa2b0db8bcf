//! Object files, read by everything that reads any.

use super::bytes::{Bytes, file};
use super::objects::{self, OBJECTS};
use crate::{allocators, origin, preflight, prototype, symbols, trace, tracer};

/// Where functions may be, in a small object.
const ADDRESSES: [u64; 9] = [0, 1, 0x40, 0x1000, 0x1010, 0x1100, 0x2000, 0x3f00, u64::MAX - 1];

/// A file as it is.
pub fn whole(data: &[u8]) {
    let (file, path) = file(data);
    preflight::fuzz(&file);
    allocators::fuzz(&file);
    trace::fuzz(&path);
    prototype::fuzz(&file, &path);
    tracer::unwind::fuzz(data, &ADDRESSES);
    symbols::fuzz::object(&file, &path, &ADDRESSES);
    origin::fuzz(file, &ADDRESSES);
}

/// One of [`OBJECTS`] with changes to its tables.
pub fn edited(data: &[u8]) {
    let mut data = Bytes(data);
    let object = OBJECTS[data.number(1) as usize % OBJECTS.len()];
    whole(&objects::edited(object, data));
}
