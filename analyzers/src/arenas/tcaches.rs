//! The rows of the threads' caches.

use super::chunk_map::{ChunkMap, Tcache};
use super::report::TcacheRow;

/// One row for each cache, most bytes first.
pub(super) fn rows(map: &ChunkMap) -> Vec<TcacheRow> {
    let row =
        |tcache: &Tcache| TcacheRow { thread: tcache.thread, chunks: tcache.chunks, bytes: tcache.bytes };
    let mut rows: Vec<_> = map.tcaches.iter().map(row).collect();
    rows.sort_by(|one, other| other.bytes.cmp(&one.bytes).then(one.thread.cmp(&other.thread)));
    rows
}
