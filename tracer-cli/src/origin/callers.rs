//! Who calls a function directly, read from an object's machine code.
//!
//! A C library's hidden functions have no names after stripping. Their exported callers have.

use super::object::{Code, Object};

/// An object's functions and the direct jumps, calls and address loads between them.
#[derive(Debug)]
pub(crate) struct Callers {
    starts: Vec<u64>,
    /// (callee, caller), sorted; both are starts.
    edges: Vec<(u64, u64)>,
}

impl Callers {
    /// Scans all code of an object once: a few milliseconds per megabyte.
    pub(crate) fn of(object: &Object) -> Self {
        Self::scan(object.function_starts(), &object.code())
    }

    fn scan(starts: Vec<u64>, code: &[Code]) -> Self {
        let mut edges = Vec::new();
        for section in code {
            for at in 0..section.bytes.len() {
                let Some((length, relative)) = reference(&section.bytes[at..]) else {
                    continue;
                };
                let here = section.start + at as u64;
                let target = here.wrapping_add(length).wrapping_add_signed(i64::from(relative));
                if starts.binary_search(&target).is_ok()
                    && let Some(caller) = holder(&starts, here)
                    && caller != target
                {
                    edges.push((target, caller));
                }
            }
        }
        edges.sort_unstable();
        edges.dedup();
        Self { starts, edges }
    }

    /// The start of the function that holds this address.
    pub(crate) fn function_of(&self, address: u64) -> Option<u64> {
        holder(&self.starts, address)
    }

    /// The starts of the functions that refer to the one that starts here.
    pub(crate) fn callers_of(&self, start: u64) -> impl Iterator<Item = u64> {
        let first = self.edges.partition_point(|&(callee, _)| callee < start);
        self.edges[first..].iter().take_while(move |&&(callee, _)| callee == start).map(|&(_, caller)| caller)
    }
}

fn holder(starts: &[u64], address: u64) -> Option<u64> {
    let next = starts.partition_point(|&start| start <= address);
    next.checked_sub(1).map(|index| starts[index])
}

/// If an instruction that refers to code by a 32-bit distance can begin here: its length and that
/// distance. Instructions are not decoded from the beginning; a wrong guess would have to hit the
/// very first byte of a function to do harm, which four random bytes do once in a million.
fn reference(code: &[u8]) -> Option<(u64, i32)> {
    let length = match *code {
        [0xe8 | 0xe9, ..] => 5,                              // call, jmp
        [0x0f, 0x80..=0x8f, ..] => 6,                        // jcc
        [0x48 | 0x4c, 0x8d, m, ..] if m & 0xc7 == 0x05 => 7, // lea reg, [rip + distance]
        _ => return None,
    };
    let distance = code.get(length - 4..length)?.first_chunk()?;
    Some((length as u64, i32::from_le_bytes(*distance)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_jumps_and_address_loads_lead_back_to_their_functions() {
        let mut bytes = vec![0x90; 0x40];
        let mut put = |at: usize, code: &[u8], target: i64| {
            let distance = (target - (at + code.len() + 4) as i64) as i32;
            bytes[at..at + code.len()].copy_from_slice(code);
            bytes[at + code.len()..at + code.len() + 4].copy_from_slice(&distance.to_le_bytes());
        };
        put(0x02, &[0xe8], 0x30); // call from the first function
        put(0x12, &[0x0f, 0x84], 0x30); // je from the second
        put(0x22, &[0x48, 0x8d, 0x3d], 0x30); // lea rdi from the third
        put(0x2a, &[0xe9], 0x31); // jmp into the middle: no call
        let callers = Callers::scan(vec![0x1000, 0x1010, 0x1020, 0x1030], &[Code { start: 0x1000, bytes }]);
        assert_eq!(callers.callers_of(0x1030).collect::<Vec<_>>(), [0x1000, 0x1010, 0x1020]);
        assert_eq!(callers.callers_of(0x1000).count(), 0);
        assert_eq!(callers.function_of(0x1015), Some(0x1010));
        assert_eq!(callers.function_of(0x0fff), None);
    }
}
