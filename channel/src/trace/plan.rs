//! The plan: which calls are traced, and what is copied of each. The CLI writes it, the target reads it.
//!
//! A run of 8-byte words; offsets count words from its beginning. Texts are a word with their length in
//! bytes, then the bytes, zero-padded.
//!
//! ```text
//! 0..HEAD   VERSION, flags, -s, -A, rules, number of rules, rows, number of rows, slots, number of slots, words,
//!           names, number of names
//! rules     RULE_WORDS each: kind, symbol pattern's kind and text, object pattern's kind and text
//! rows      ROW_WORDS each: name's text, provider's text (0: any), shape, entry captures, exit captures
//! slots     hash table of rows by name: row number plus one, 0 if empty; open addressing
//! captures  a count, then CAPTURE_WORDS each: place, node
//! nodes     see [`super::walk`]
//! names     NAME_WORDS each: see [`names`]
//! ```

pub mod names;

/// First word: what this build writes.
pub const VERSION: u64 = 1;
/// Words of the head.
pub const HEAD: usize = 16;

/// Flag of the plan: calls are only counted; functions are entered by a jump and nothing is recorded.
pub const COUNT_ONLY: u64 = 1 << 0;
/// Flag of the plan: results of `dlsym` are traced, too.
pub const TAP_DLSYM: u64 = 1 << 1;
/// Flag of the plan: typed hooks are bound in GOT slots (`run --bind got`); there are no rows.
pub const TYPED: u64 = 1 << 2;
/// Flag of the plan: nothing is copied but registers.
pub const NO_MEMORY: u64 = 1 << 3;
/// Flag of the plan: not even argument registers are recorded (`-c`).
pub const NO_ARGUMENTS: u64 = 1 << 4;
/// Flag of the plan, with [`TAP_DLSYM`]: only of functions that rules about entries ask for.
pub const DLSYM_OF_ENTRIES: u64 = 1 << 5;
/// Flag of the plan, with [`TYPED`]: hooks come first by name (`run --bind symbols`); bound is what they miss so.
pub const MISSED: u64 = 1 << 6;

/// Kinds of rules, in the order in which they are looked at; of one kind the last that fits counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum RuleKind {
    /// `-e`: calls that the object makes are traced.
    Calls = 0,
    /// `-e` with a minus: they are not.
    CallsNot = 1,
    /// `-x`: calls of functions that the object provides are traced, whoever calls.
    Entries = 2,
    /// `-x` with a minus.
    EntriesNot = 3,
    /// `-l`: calls that the program itself makes of functions that the object provides.
    Library = 4,
    /// `-l` with a minus.
    LibraryNot = 5,
}

/// How a pattern is to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum PatternKind {
    /// Fits everything; no text.
    Any = 0,
    /// The whole text, literally.
    Exact = 1,
    /// A shell pattern (`*`, `?`, `[...]`) for the whole.
    Glob = 2,
    /// A regular expression in the syntax of the regex crates, unanchored.
    Regex = 3,
    /// The program itself (`@MAIN`); no text. Objects only.
    Main = 4,
}

/// Bits of a row's shape.
pub mod shape {
    /// Bits 0-2: how many integer registers are recorded at entry.
    pub const GPRS: u64 = 0x7;
    /// Bits 3-6: how many vector registers.
    pub const VECTORS_SHIFT: u32 = 3;
    /// Mask of the vector registers' number, after the shift.
    pub const VECTORS: u64 = 0xf;
    /// `rdx` is part of the result.
    pub const RDX: u64 = 1 << 8;
    /// `xmm0` and `xmm1` are (part of) the result.
    pub const RETURNS_VECTORS: u64 = 1 << 9;
    /// `st0` and `st1` are the result.
    pub const RETURNS_X87: u64 = 1 << 10;
    /// Bits 16-31: bytes of stack arguments that are copied at entry.
    pub const STACK_SHIFT: u32 = 16;
    /// Mask of the stack bytes, after the shift.
    pub const STACK: u64 = 0xffff;
}

/// Where a value is, as a capture's first word: kind in the low byte, number above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Integer register, 0 = `rdi`.
    Gpr(u8),
    /// Vector register's low half.
    Vector(u8),
    /// Memory: so many bytes above the first stack argument.
    Stack(u16),
    /// `rax` on return.
    Rax,
    /// `rdx` on return.
    Rdx,
}

impl Place {
    /// As a word.
    #[must_use]
    pub const fn word(self) -> u64 {
        match self {
            Self::Gpr(number) => (number as u64) << 8,
            Self::Vector(number) => 1 | (number as u64) << 8,
            Self::Stack(offset) => 2 | (offset as u64) << 8,
            Self::Rax => 3,
            Self::Rdx => 4,
        }
    }

    /// Of a word; None if there is no such place.
    #[must_use]
    pub const fn of(word: u64) -> Option<Self> {
        let number = word >> 8;
        match word & 0xff {
            0 if number < 6 => Some(Self::Gpr(number as u8)),
            1 if number < 8 => Some(Self::Vector(number as u8)),
            2 if number <= 0xffff => Some(Self::Stack(number as u16)),
            3 => Some(Self::Rax),
            4 => Some(Self::Rdx),
            _ => None,
        }
    }
}

/// Groups of rules there can be: those that stand side by side, of one kind, about the same objects.
pub const MOST_GROUPS: usize = 64;

/// Words of a rule.
pub const RULE_WORDS: usize = 5;
/// Words of a row.
pub const ROW_WORDS: usize = 5;
/// Words of a capture.
pub const CAPTURE_WORDS: usize = 2;

/// Words of the head, by position.
pub mod head {
    #![allow(missing_docs, reason = "the names say it")]
    pub const VERSION: usize = 0;
    pub const FLAGS: usize = 1;
    /// The most characters of a string.
    pub const STRING_LIMIT: usize = 2;
    /// The most elements of an array, and the most levels of a struct that holds itself.
    pub const ARRAY_LIMIT: usize = 3;
    pub const RULES: usize = 4;
    pub const RULE_COUNT: usize = 5;
    pub const ROWS: usize = 6;
    pub const ROW_COUNT: usize = 7;
    pub const SLOTS: usize = 8;
    /// A power of two, or 0.
    pub const SLOT_COUNT: usize = 9;
    pub const WORDS: usize = 10;
    pub const NAMES: usize = 11;
    pub const NAME_COUNT: usize = 12;
}

/// A plan, looked at. All reads are within its words; what lies outside reads as zero.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    words: &'a [u64],
}

/// A pattern of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern<'a> {
    /// How to understand it.
    pub kind: PatternKind,
    /// Its text.
    pub text: &'a [u8],
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    /// What it is about.
    pub kind: RuleKind,
    /// Which symbols.
    pub symbol: Pattern<'a>,
    /// Which objects: by soname, by path if the text begins with a slash.
    pub object: Pattern<'a>,
}

/// What is recorded of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub number: u32,
    /// See [`shape`].
    pub shape: u64,
    /// Where the captures at entry are, 0 for none.
    pub entry: usize,
    /// Where the captures on return are, 0 for none.
    pub exit: usize,
}

/// Where an entry of a table begins. Offsets may be anybody's; outside of the plan all words are 0.
fn entry(first: usize, index: usize, words: usize) -> usize {
    first.saturating_add(index.saturating_mul(words))
}

impl<'a> Plan<'a> {
    /// One in which there is nothing.
    pub const EMPTY: Self = Self { words: &[] };

    /// The plan in these words; None if they are none.
    #[must_use]
    pub fn new(words: &'a [u64]) -> Option<Self> {
        let plan = Self { words };
        (plan.word(head::VERSION) == VERSION && plan.word(head::WORDS) as usize <= words.len())
            .then_some(plan)
    }

    /// The word at an offset; 0 outside.
    #[inline]
    #[must_use]
    pub fn word(&self, at: usize) -> u64 {
        self.words.get(at).copied().unwrap_or(0)
    }

    /// Its flags.
    #[must_use]
    pub fn flags(&self) -> u64 {
        self.word(head::FLAGS)
    }

    /// The text at an offset; empty for offset 0.
    #[must_use]
    pub fn text(&self, at: usize) -> &'a [u8] {
        if at == 0 {
            return &[];
        }
        let length = self.word(at) as usize;
        let words = self.words.get(at.saturating_add(1)..).unwrap_or(&[]);
        let length = length.min(words.len() * 8);
        // SAFETY: `length` bytes lie within the words; any bytes are valid, and words are larger.
        unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), length) }
    }

    /// All rules in their order.
    pub fn rules(&self) -> impl Iterator<Item = Rule<'a>> + use<'a> {
        let plan = *self;
        let first = plan.word(head::RULES) as usize;
        let count = (plan.word(head::RULE_COUNT) as usize).min(plan.words.len());
        (0..count).filter_map(move |index| {
            let at = entry(first, index, RULE_WORDS);
            let kind = match plan.word(at) {
                0 => RuleKind::Calls,
                1 => RuleKind::CallsNot,
                2 => RuleKind::Entries,
                3 => RuleKind::EntriesNot,
                4 => RuleKind::Library,
                5 => RuleKind::LibraryNot,
                _ => return None,
            };
            Some(Rule { kind, symbol: plan.pattern(at, 1)?, object: plan.pattern(at, 3)? })
        })
    }

    /// The pattern behind so many words of a rule.
    fn pattern(&self, rule: usize, behind: usize) -> Option<Pattern<'a>> {
        let at = rule.saturating_add(behind);
        let kind = match self.word(at) {
            0 => PatternKind::Any,
            1 => PatternKind::Exact,
            2 => PatternKind::Glob,
            3 => PatternKind::Regex,
            4 => PatternKind::Main,
            _ => return None,
        };
        Some(Pattern { kind, text: self.text(self.word(at.saturating_add(1)) as usize) })
    }

    /// The row of a function: one for its provider before one for any. `fits` says whether a row's provider text
    /// (a soname without its version, or a path) means this provider.
    #[must_use]
    pub fn row(&self, name: &[u8], fits: impl Fn(&[u8]) -> bool) -> Option<Row> {
        let slots = self.word(head::SLOT_COUNT) as usize;
        if !slots.is_power_of_two() {
            return None;
        }
        let first = self.word(head::SLOTS) as usize;
        let hash = super::directory::hash_of(&[name]) as usize;
        let mut any = None;
        for probe in 0..slots {
            let slot = self.word(first.saturating_add(hash.wrapping_add(probe) & (slots - 1)));
            let Some(number) = slot.checked_sub(1) else { break };
            let at = entry(self.word(head::ROWS) as usize, number as usize, ROW_WORDS);
            if self.text(self.word(at) as usize) != name {
                continue;
            }
            let row = self.numbered(number as u32);
            match self.text(self.word(at.saturating_add(1)) as usize) {
                [] => any = row,
                provider if fits(provider) => return row,
                _ => {}
            }
        }
        any
    }

    /// The row with this number.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Option<Row> {
        if u64::from(number) >= self.word(head::ROW_COUNT) {
            return None;
        }
        let at = entry(self.word(head::ROWS) as usize, number as usize, ROW_WORDS);
        Some(Row {
            number,
            shape: self.word(at.saturating_add(2)),
            entry: self.word(at.saturating_add(3)) as usize,
            exit: self.word(at.saturating_add(4)) as usize,
        })
    }

    /// The captures at an offset: places and nodes.
    pub fn captures(&self, at: usize) -> impl Iterator<Item = (Place, usize)> + use<'a> {
        let plan = *self;
        let count = if at == 0 { 0 } else { (plan.word(at) as usize).min(plan.words.len()) };
        (0..count).filter_map(move |index| {
            let capture = entry(at.saturating_add(1), index, CAPTURE_WORDS);
            Some((Place::of(plan.word(capture))?, plan.word(capture.saturating_add(1)) as usize))
        })
    }
}
