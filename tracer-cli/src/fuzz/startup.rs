//! The start-up stack of a program, which whoever executes it has written.

use super::bytes::Bytes;
use crate::tracer::startup::Startup;

/// An address and the bytes there.
pub fn stack(data: &[u8]) {
    let mut data = Bytes(data);
    // A stack has room below it.
    let rsp = (data.number(8) & 0x7fff_ffff_fff0) | 1 << 30;
    let Some(startup) = Startup::parse(rsp, data.0) else { return };
    let _ = (startup.auxiliary(libc::AT_SECURE), startup.has_variable(b"LD_TRACE_LOADED_OBJECTS="));
    let new = startup.with_interposer(b"/lib/libcalltap.so", b"/proc/1/fd/3", None);
    assert!(new.rsp + new.bytes.len() as u64 <= rsp, "what was there stays");
    // Strings stand above what has been written, so only the arrays are read.
    assert!(Startup::parse(new.rsp, &new.bytes).is_some());
}
