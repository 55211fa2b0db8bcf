//! The rules that have been needed so far, of all objects: what the tables said once is not looked up again,
//! whichever process and address the object is at.

use std::collections::HashMap;

use super::rule::Rule;

/// So many are kept; then all are forgotten.
const MOST: usize = 1 << 16;

/// By object and offset. Small at first: a short program needs a few dozens.
#[derive(Debug, Default)]
pub(super) struct Rules(HashMap<(u32, u32), Rule>);

impl Rules {
    /// The rule of the code at `offset` in the object with this number; `look_up` finds it if it is not
    /// known.
    pub(super) fn get(&mut self, object: u32, offset: u32, look_up: impl FnOnce() -> Rule) -> Rule {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        *self.0.entry((object, offset)).or_insert_with(look_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_looked_up_once() {
        let mut rules = Rules::default();
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
