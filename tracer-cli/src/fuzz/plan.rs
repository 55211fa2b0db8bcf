//! The plan of a session, as a target may have rewritten it, and what it has copied.

use calltap_channel::trace::plan::{Place, Plan};
use calltap_channel::trace::walk::{self, Memory, Sink, Values};

use super::bytes::Bytes;
use super::words;

/// Bytes at address 0x1000, over and over again.
struct Repeating<'a>(&'a [u8]);

impl Memory for Repeating<'_> {
    fn read(&mut self, address: u64, into: &mut [u8]) -> usize {
        if self.0.is_empty() || address < 0x1000 {
            return 0;
        }
        let first = (address % self.0.len() as u64) as usize;
        for (index, byte) in into.iter_mut().enumerate() {
            *byte = self.0[(first + index) % self.0.len()];
        }
        into.len()
    }
}

struct Counted(usize);

impl Sink for Counted {
    fn region(&mut self, _address: u64, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

/// A name to look for, the arguments of a call, then the plan's words.
pub fn words(data: &[u8]) {
    let mut data = Bytes(data);
    let name = data.take(8);
    let values = Values { gprs: std::array::from_fn(|_| data.number(8)), sp: 0x2000, ..Values::default() };
    let words = words::of(data.0);
    let Some(plan) = Plan::new(&words) else { return };
    for rule in plan.rules().take(1000) {
        let _ = (calltap_channel::trace::glob::fits(rule.symbol.text, name), rule.object.text.len());
    }
    let row =
        plan.row(name, |_| true).or_else(|| plan.numbered(u32::from(name.first().copied().unwrap_or(0))));
    let mut sink = Counted(0);
    for captures in row.iter().flat_map(|row| [row.entry, row.exit]).chain([16, 24]) {
        walk::walk(&plan, captures, &values, &mut Repeating(data.0), &mut sink, &mut walk::Scratch::new());
        assert!(sink.0 <= 4 * walk::BUDGET, "a walk has a limit");
    }
    let _ = words.iter().filter_map(|word| Place::of(*word)).count();
}
