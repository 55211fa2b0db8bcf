//! How to get from a frame to its caller's: what a row of an unwind table says.
//!
//! The same rows are understood as in the target itself, where the interposer takes stacks, so that both
//! find the same frames.

use gimli::{
    CfaRule, EhFrame, Encoding, EndianSlice, Format, LittleEndian, Operation, RegisterRule, UnwindExpression,
    UnwindTableRow, X86_64,
};

const ENCODING: Encoding = Encoding { address_size: 8, format: Format::Dwarf32, version: 4 };

/// Where the caller's frame is. Distances are in bytes.
///
/// The return address is always the word below the canonical frame address (CFA).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The CFA is `above` the stack pointer; the caller's `rbp` is saved `rbp_below` the CFA (0: it is
    /// still in `rbp`).
    Stack { above: u32, rbp_below: u32 },
    /// The CFA is `above` what `rbp` points to.
    Frame { above: u32, rbp_below: u32 },
    /// The CFA is in the word `below` what `rbp` points to; the caller's `rbp` is saved there. (A frame with
    /// a realigned stack.)
    Realigned { below: u32 },
    /// An entry of the PLT: whether it has pushed a word depends on where in it execution is.
    Plt,
    /// The frame is the kernel's, below a signal handler.
    Signal,
    /// There is no caller.
    Outermost,
    /// No table covers the code, or its row says what compilers do not write.
    Unknown,
}

impl Rule {
    /// What a row says.
    pub(super) fn of(row: &UnwindTableRow<usize>, section: &EhFrame<EndianSlice<'_, LittleEndian>>) -> Self {
        match row.register(X86_64::RA) {
            // The toolchain's mark of the outermost frame.
            None | Some(RegisterRule::Undefined) => return Self::Outermost,
            Some(RegisterRule::Offset(-8)) => {}
            Some(_) => return Self::Unknown,
        }
        let rbp = row.register(X86_64::RBP);
        Self::with_caller(row, rbp, section).unwrap_or(Self::Unknown)
    }

    fn with_caller(
        row: &UnwindTableRow<usize>,
        rbp: Option<RegisterRule<usize>>,
        section: &EhFrame<EndianSlice<'_, LittleEndian>>,
    ) -> Option<Self> {
        let (register, offset) = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => (*register, *offset),
            CfaRule::Expression(expression) => return computed(expression, rbp.as_ref(), section),
        };
        let rbp_below = match rbp {
            None | Some(RegisterRule::SameValue | RegisterRule::Undefined) => 0,
            Some(RegisterRule::Offset(offset)) => distance(-offset)?,
            Some(_) => return None,
        };
        let above = distance(offset)?;
        match register {
            X86_64::RSP => Some(Self::Stack { above, rbp_below }),
            X86_64::RBP => Some(Self::Frame { above, rbp_below }),
            _ => None,
        }
    }
}

/// Whole words, none of them negative.
fn distance(bytes: i64) -> Option<u32> {
    u32::try_from(bytes).ok().filter(|bytes| bytes % 8 == 0)
}

/// The two expressions in use: of the PLT, and of functions that realign their stack.
fn computed(
    expression: &UnwindExpression<usize>,
    rbp: Option<&RegisterRule<usize>>,
    section: &EhFrame<EndianSlice<'_, LittleEndian>>,
) -> Option<Rule> {
    let mut operations = expression.get(section).ok()?.operations(ENCODING);
    let first = operations.next().ok()??;
    let second = operations.next().ok()??;
    match (first, second) {
        (Operation::RegisterOffset { register: X86_64::RSP, offset: 8, .. }, _) => Some(Rule::Plt),
        (Operation::RegisterOffset { register: X86_64::RBP, offset, .. }, Operation::Deref { .. })
            if operations.next().ok()?.is_none() && is_saved_where_it_points(rbp, section) =>
        {
            Some(Rule::Realigned { below: distance(-offset)? })
        }
        _ => None,
    }
}

/// Whether the caller's `rbp` is in the word that `rbp` points to.
fn is_saved_where_it_points(
    rbp: Option<&RegisterRule<usize>>,
    section: &EhFrame<EndianSlice<'_, LittleEndian>>,
) -> bool {
    let Some(RegisterRule::Expression(expression)) = rbp else { return false };
    let Ok(expression) = expression.get(section) else { return false };
    let mut operations = expression.operations(ENCODING);
    matches!(
        (operations.next(), operations.next()),
        (Ok(Some(Operation::RegisterOffset { register: X86_64::RBP, offset: 0, .. })), Ok(None))
    )
}
