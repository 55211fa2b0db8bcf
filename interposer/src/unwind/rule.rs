//! How to get from a frame to its caller's: a row of an unwind table, in 30 bits.
//!
//! | bits | content |
//! |---|---|
//! | 0-2 | kind |
//! | 3-17 | `a`: distance to the canonical frame address (CFA), in words |
//! | 18-29 | `b`: where the caller's `rbp` is saved, in words below the CFA; 0 if it is still in `rbp` |
//!
//! The return address is always the word below the CFA. That, `rsp` and `rbp` are all that compilers
//! refer to; a row that needs more is [`Rule::UNKNOWN`].

/// See the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule(u32);

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// CFA = rsp + a.
    Stack = 1,
    /// CFA = rbp + a.
    Frame = 2,
    /// There is no caller: the outermost frame.
    Outermost = 3,
    /// The frame is the kernel's, below a signal handler: registers are in the `ucontext` at rsp.
    Signal = 4,
    /// No table covers the code, or its row cannot be expressed.
    Unknown = 5,
    /// CFA = the word at rbp - a; rbp is saved where it points. (A frame with a realigned stack.)
    Realigned = 6,
    /// CFA = rsp + 8, or + 16 in the second part of an entry of the PLT.
    Plt = 7,
}

const A_BITS: u32 = 15;
const B_BITS: u32 = 12;

impl Rule {
    /// How many bits a rule has.
    pub(super) const BITS: u32 = 3 + A_BITS + B_BITS;
    /// The rule of code without a table.
    pub(super) const UNKNOWN: Self = Self(Kind::Unknown as u32);
    /// The rule of the outermost frame.
    pub(super) const OUTERMOST: Self = Self(Kind::Outermost as u32);
    /// The rule of the kernel's frame below a signal handler.
    pub(super) const SIGNAL: Self = Self(Kind::Signal as u32);
    /// The rule of an entry of the PLT.
    pub(super) const PLT: Self = Self(Kind::Plt as u32);

    /// A rule with distances in bytes; [`Rule::UNKNOWN`] if they do not fit.
    pub(super) const fn new(kind: Kind, a: i64, b: i64) -> Self {
        let fits = a % 8 == 0 && b % 8 == 0 && a >= 0 && b >= 0;
        if !fits || a / 8 >= 1 << A_BITS || b / 8 >= 1 << B_BITS {
            return Self::UNKNOWN;
        }
        Self(kind as u32 | (a as u32 / 8) << 3 | (b as u32 / 8) << (3 + A_BITS))
    }

    #[inline(always)]
    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    #[inline(always)]
    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    #[inline(always)]
    pub(super) const fn kind(self) -> Kind {
        match self.0 & 7 {
            1 => Kind::Stack,
            2 => Kind::Frame,
            3 => Kind::Outermost,
            4 => Kind::Signal,
            6 => Kind::Realigned,
            7 => Kind::Plt,
            _ => Kind::Unknown,
        }
    }

    /// `a`, in bytes.
    #[inline(always)]
    pub(super) const fn a(self) -> u64 {
        (self.0 >> 3 & ((1 << A_BITS) - 1)) as u64 * 8
    }

    /// `b`, in bytes.
    #[inline(always)]
    pub(super) const fn b(self) -> u64 {
        (self.0 >> (3 + A_BITS)) as u64 * 8
    }
}
