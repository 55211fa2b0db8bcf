//! A look at a process's memory, while nothing of it can run.

use calltap_analyzers::arenas::Occasion;

use super::Reader;

impl Reader {
    /// Looks at the memory of process `pid`, whose thread `tid` is held in a stop, as are all others.
    pub(super) fn look(&mut self, pid: u32, tid: u32, occasion: Occasion, stop_began_ns: Option<u64>) {
        let _ = (pid, tid, occasion, stop_began_ns);
    }
}
