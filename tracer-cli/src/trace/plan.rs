//! Writing the plan: which calls are traced, and what is copied of each.

use std::collections::HashMap;

use calltap_channel::trace::directory::hash_of;
use calltap_channel::trace::plan::names::{NAME_WORDS, Name};
use calltap_channel::trace::plan::{
    HEAD, MOST_GROUPS, NO_ARGUMENTS, NO_MEMORY, Pattern, ROW_WORDS, RULE_WORDS, RuleKind, VERSION, head,
};

use crate::prototype::compile::{Compiler, Recorded};
use crate::prototype::types::Prototype;

/// Writes a plan: rules and rows in any order, then all of it at once.
#[derive(Debug)]
pub struct PlanWriter {
    flags: u64,
    compiler: Compiler,
    rules: Vec<[u64; RULE_WORDS]>,
    rows: Vec<[u64; ROW_WORDS]>,
    /// The rows' names, for the table at the end.
    hashes: Vec<u64>,
    /// Rows by name's and provider's text.
    known: HashMap<[u64; 2], u32>,
    names: Vec<[u64; NAME_WORDS]>,
}

impl PlanWriter {
    /// A plan with these flags (see [`calltap_channel::trace::plan`]), which has strings of at most `string_limit` characters and
    /// arrays of at most `array_limit` elements copied.
    #[must_use]
    pub fn new(flags: u64, string_limit: u64, array_limit: u64) -> Self {
        let mut compiler = Compiler::new(HEAD);
        let words = compiler.words();
        words[head::VERSION] = VERSION;
        words[head::FLAGS] = flags;
        words[head::STRING_LIMIT] = string_limit;
        words[head::ARRAY_LIMIT] = array_limit;
        Self {
            flags,
            compiler,
            rules: Vec::new(),
            rows: Vec::new(),
            hashes: Vec::new(),
            known: HashMap::new(),
            names: Vec::new(),
        }
    }

    /// Adds a rule: which symbols, of or in which objects.
    pub fn rule(&mut self, kind: RuleKind, symbol: Pattern<'_>, object: Pattern<'_>) {
        let (symbol_text, object_text) = (self.text(symbol.text), self.text(object.text));
        self.rules.push([kind as u64, symbol.kind as u64, symbol_text, object.kind as u64, object_text]);
    }

    /// Whether the target has room for the rules.
    ///
    /// # Errors
    /// If they are of more than [`MOST_GROUPS`] groups.
    pub fn check_rules(&self) -> anyhow::Result<()> {
        let mut groups: Vec<_> = self.rules.iter().map(|[kind, _, _, object @ ..]| (kind, object)).collect();
        groups.dedup();
        anyhow::ensure!(
            groups.len() <= MOST_GROUPS,
            "the filters are about {} different sets of objects, and {MOST_GROUPS} is the most\n\
             hint: patterns such as lib*.so* choose many objects at once",
            groups.len()
        );
        Ok(())
    }

    /// Adds a row for the function `name` of `provider` (empty: of any); gives its number. Without a prototype its calls
    /// are recorded as guesses. A system call's row is called `NAME@SYS`. A second row of the same name and
    /// provider is the first one.
    pub fn row(&mut self, name: &str, provider: &str, prototype: Option<&Prototype>) -> u32 {
        let key = [self.text(name.as_bytes()), self.text(provider.as_bytes())];
        if let Some(number) = self.known.get(&key) {
            return *number;
        }
        let recorded = self.recorded(prototype);
        let number = self.rows.len() as u32;
        self.rows.push([key[0], key[1], recorded.shape, recorded.entry, recorded.exit]);
        self.hashes.push(hash_of(&[name.as_bytes()]));
        self.known.insert(key, number);
        number
    }

    /// Adds a name that stands only in an object's file.
    pub fn name(&mut self, name: Name<'_>) {
        let text = self.text(name.text);
        self.names.push([name.file.device, name.file.inode, name.kind as u64, name.address, text]);
    }

    fn recorded(&mut self, prototype: Option<&Prototype>) -> Recorded {
        if self.flags & NO_ARGUMENTS != 0 {
            return Recorded::NOTHING;
        }
        let recorded = prototype.map_or(Recorded::GUESSED, |prototype| self.compiler.compile(prototype));
        if self.flags & NO_MEMORY != 0 { recorded.registers_only() } else { recorded }
    }

    /// The offset of a text; 0 of none.
    fn text(&mut self, text: &[u8]) -> u64 {
        if text.is_empty() {
            return 0;
        }
        let mut words = vec![text.len() as u64];
        words.extend(text.chunks(8).map(|chunk| {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(bytes)
        }));
        self.compiler.put(&words)
    }

    /// The plan's words.
    #[must_use]
    pub fn finish(mut self) -> Vec<u64> {
        let slots = self.slots();
        let mut words = std::mem::take(self.compiler.words());
        let mut append = |at: usize, part: &[u64]| {
            words[at] = words.len() as u64;
            words.extend_from_slice(part);
        };
        append(head::RULES, self.rules.as_flattened());
        append(head::ROWS, self.rows.as_flattened());
        append(head::SLOTS, &slots);
        append(head::NAMES, self.names.as_flattened());
        words[head::RULE_COUNT] = self.rules.len() as u64;
        words[head::ROW_COUNT] = self.rows.len() as u64;
        words[head::SLOT_COUNT] = slots.len() as u64;
        words[head::NAME_COUNT] = self.names.len() as u64;
        words[head::WORDS] = words.len() as u64;
        words
    }

    /// The hash table of the rows: at most half full.
    fn slots(&self) -> Vec<u64> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let mut slots = vec![0; (2 * self.rows.len()).next_power_of_two()];
        let mask = slots.len() - 1;
        for (number, hash) in self.hashes.iter().enumerate() {
            let mut at = *hash as usize & mask;
            while slots[at] != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = number as u64 + 1;
        }
        slots
    }
}

#[cfg(test)]
mod tests {
    use calltap_channel::trace::plan::names::{FileId, NameKind};
    use calltap_channel::trace::plan::{COUNT_ONLY, PatternKind, Plan, Rule};

    use super::*;

    fn pattern(kind: PatternKind, text: &str) -> Pattern<'_> {
        Pattern { kind, text: text.as_bytes() }
    }

    #[test]
    fn rules_are_read_in_the_order_in_which_they_were_written() {
        let mut writer = PlanWriter::new(COUNT_ONLY, 32, 4);
        let glob = pattern(PatternKind::Glob, "mall*");
        let main = pattern(PatternKind::Main, "");
        let libc = pattern(PatternKind::Exact, "libc.so.6");
        writer.rule(RuleKind::Calls, glob, main);
        writer.rule(RuleKind::EntriesNot, glob, libc);
        let words = writer.finish();
        let plan = Plan::new(&words).unwrap();
        let expected = [
            Rule { kind: RuleKind::Calls, symbol: glob, object: main },
            Rule { kind: RuleKind::EntriesNot, symbol: glob, object: libc },
        ];
        assert_eq!(plan.rules().collect::<Vec<_>>(), expected);
        assert_eq!(plan.flags(), COUNT_ONLY);
        assert_eq!((plan.word(head::STRING_LIMIT), plan.word(head::ARRAY_LIMIT)), (32, 4));
    }

    #[test]
    fn a_row_is_found_by_name_and_its_own_provider_first() {
        let mut writer = PlanWriter::new(0, 32, 4);
        let names: Vec<String> = (0..300).map(|number| format!("function_{number}")).collect();
        let of_any: Vec<u32> = names.iter().map(|name| writer.row(name, "", None)).collect();
        let of_one = writer.row("function_7", "libone.so", None);
        assert_eq!(writer.row("function_7", "libone.so", None), of_one);
        let words = writer.finish();
        let plan = Plan::new(&words).unwrap();
        for (name, number) in names.iter().zip(of_any) {
            assert_eq!(plan.row(name.as_bytes(), |_| false).unwrap().number, number);
        }
        let found = plan.row(b"function_7", |provider| provider == b"libone.so");
        assert_eq!(found.unwrap().number, of_one);
        assert_eq!(plan.row(b"function_300", |_| true), None);
    }

    #[test]
    fn names_are_read_in_the_order_in_which_they_were_written() {
        let mut writer = PlanWriter::new(0, 32, 4);
        let file = FileId { device: 7, inode: u64::MAX };
        let name = |kind, address, text| Name { file, kind, address, text };
        let long = [b'x'; 300];
        let names = [
            name(NameKind::Resolver, 0x1148, &b"xyz"[..]),
            name(NameKind::Function, 0x1139, &long),
            name(NameKind::Resolver, u64::MAX, b"eightful"),
        ];
        names.iter().for_each(|name| writer.name(*name));
        writer.row("xyz", "", None);
        let words = writer.finish();
        let plan = Plan::new(&words).unwrap();
        assert_eq!(plan.names().collect::<Vec<_>>(), names);
        assert!(plan.row(b"xyz", |_| true).is_some());
    }

    #[test]
    fn without_rows_none_is_found() {
        let words = PlanWriter::new(0, 32, 4).finish();
        let plan = Plan::new(&words).unwrap();
        assert_eq!((plan.row(b"malloc", |_| true), plan.rules().count()), (None, 0));
        assert_eq!(plan.names().count(), 0);
    }
}
