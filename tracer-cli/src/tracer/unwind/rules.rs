//! The rules that have been needed so far, of all objects: what the tables said once is not looked up again,
//! whichever process and address the object is at.

use super::rule::Rule;

const SET_BITS: u32 = 12;
/// Odd, so that multiplying by it loses nothing.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// No key: no object has this number.
const NONE: u64 = u64::MAX;

/// Two entries to a set; a set that is full forgets the older one.
#[derive(Debug)]
pub(super) struct Rules {
    entries: Box<[(u64, Rule)]>,
}

impl Rules {
    pub(super) fn new() -> Self {
        Self { entries: vec![(NONE, Rule::Unknown); 2 << SET_BITS].into() }
    }

    /// The rule of the code at `offset` in the object with this number; `look_up` finds it if it is not
    /// known.
    pub(super) fn get(&mut self, object: u32, offset: u32, look_up: impl FnOnce() -> Rule) -> Rule {
        let key = u64::from(object) << 32 | u64::from(offset);
        let at = (key.wrapping_mul(SPREAD) >> (u64::BITS - SET_BITS)) as usize * 2;
        for (known, rule) in &self.entries[at..at + 2] {
            if *known == key {
                return *rule;
            }
        }
        let rule = look_up();
        self.entries[at + 1] = self.entries[at];
        self.entries[at] = (key, rule);
        rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_looked_up_once() {
        let mut rules = Rules::new();
        let rule = Rule::Stack { above: 16, rbp_below: 0 };
        assert_eq!(rules.get(1, 7, || rule), rule);
        assert_eq!(rules.get(1, 7, || unreachable!()), rule);
        assert_eq!(rules.get(2, 7, || Rule::Plt), Rule::Plt, "another object's");
        for offset in 100..100_000 {
            assert_eq!(
                rules.get(1, offset, || Rule::Realigned { below: offset }),
                Rule::Realigned { below: offset }
            );
        }
    }
}
