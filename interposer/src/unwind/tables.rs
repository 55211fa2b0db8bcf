//! The unwind tables of loaded objects (`.eh_frame`), where the loader has mapped them.
//!
//! gimli reads them, without allocating. What it needs to run a table's program is taken from a few
//! static pieces of memory, because signal stacks are small.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameHdr, Encoding, EndianSlice, Format, LittleEndian, Operation,
    Pointer, Register, RegisterRule, UnwindContext, UnwindContextStorage, UnwindExpression, UnwindSection,
    UnwindTableRow, X86_64,
};

use super::objects::Object;
use super::rule::{Kind, Rule};

const ENCODING: Encoding = Encoding { address_size: 8, format: Format::Dwarf32, version: 4 };

type Slice = EndianSlice<'static, LittleEndian>;

/// Room for what compilers write: seven registers a row, and a few rows set aside.
struct Compact;

impl UnwindContextStorage<usize> for Compact {
    type Rules = [(Register, RegisterRule<usize>); 18];
    type Stack = [UnwindTableRow<usize, Self>; 3];
}

type Context = UnwindContext<usize, Compact>;

struct Piece {
    state: AtomicU32,
    context: UnsafeCell<MaybeUninit<Context>>,
}

/// `state`: never used.
const RAW: u32 = 0;
/// `state`: holds a context that nobody uses.
const READY: u32 = 1;
/// `state`: somebody's.
const TAKEN: u32 = 2;

// SAFETY: the context is touched only by whoever has set `state` to TAKEN.
unsafe impl Sync for Piece {}

/// As many threads can be looking at tables at one time; the next ones wait for a moment.
static PIECES: [Piece; 16] =
    [const { Piece { state: AtomicU32::new(RAW), context: UnsafeCell::new(MaybeUninit::uninit()) } }; 16];
/// How often all pieces are tried. Looking up a rule takes about a microsecond.
const PATIENCE: u32 = 2000;

/// The rule of the code at `address`, which is in `object`.
pub(super) fn rule(address: u64, object: &Object) -> Rule {
    for _ in 0..PATIENCE {
        for piece in &PIECES {
            let state = piece.state.load(Ordering::Relaxed);
            let taken = state != TAKEN
                && piece.state.compare_exchange(state, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok();
            if taken {
                // SAFETY: ours alone since the exchange.
                let context = unsafe { &mut *piece.context.get() };
                if state == RAW {
                    context.write(Context::new_in());
                }
                // SAFETY: written, by us or by whoever set READY.
                let rule = find(address, object, unsafe { context.assume_init_mut() });
                piece.state.store(READY, Ordering::Release);
                return rule.unwrap_or(Rule::UNKNOWN);
            }
        }
        core::hint::spin_loop();
    }
    Rule::UNKNOWN
}

/// The bytes from `start` to the end of what can be read.
fn slice(start: u64, object: &Object) -> Option<Slice> {
    let (low, high) = object.readable;
    if !(low..high).contains(&start) {
        return None;
    }
    let length = (high - start) as usize;
    // SAFETY: the loader keeps the object mapped while code of it is on the stack, and its tables lie
    // in one readable segment. The slice may run into a gap behind that, which a well-formed table
    // does not refer to.
    Some(EndianSlice::new(unsafe { core::slice::from_raw_parts(start as *const u8, length) }, LittleEndian))
}

fn find(address: u64, object: &Object, context: &mut Context) -> Option<Rule> {
    let bases = BaseAddresses::default().set_eh_frame_hdr(object.tables);
    let header = EhFrameHdr::from(slice(object.tables, object)?).parse(&bases, 8).ok()?;
    let Pointer::Direct(start) = header.eh_frame_ptr() else { return None };
    let bases = bases.set_eh_frame(start);
    let section = EhFrame::from(slice(start, object)?);
    let table = header.table()?;
    let entry_for = |address| table.fde_for_address(&section, &bases, address, EhFrame::cie_from_offset).ok();
    let Some(entry) = entry_for(address) else {
        // A return address that is a function's first was put there by hand: nothing called from there. So
        // coroutines end (`makecontext`).
        let begins_behind = entry_for(address + 1)?.initial_address() == address + 1;
        return begins_behind.then_some(Rule::OUTERMOST);
    };
    if entry.is_signal_trampoline() {
        return Some(Rule::SIGNAL);
    }
    let row = entry.unwind_info_for_address(&section, &bases, context, address).ok()?;
    express(row, &section)
}

/// A row of the table as a [`Rule`]; None if that cannot express it.
fn express(row: &UnwindTableRow<usize, Compact>, section: &EhFrame<Slice>) -> Option<Rule> {
    match row.register(X86_64::RA) {
        // The toolchain's mark of the outermost frame.
        None | Some(RegisterRule::Undefined) => return Some(Rule::OUTERMOST),
        Some(RegisterRule::Offset(-8)) => {}
        Some(_) => return None,
    }
    let bp = row.register(X86_64::RBP);
    let (register, offset) = match row.cfa() {
        CfaRule::RegisterAndOffset { register, offset } => (*register, *offset),
        CfaRule::Expression(expression) => return express_cfa(expression, section, bp.as_ref()),
    };
    let bp_below = match bp {
        None | Some(RegisterRule::SameValue | RegisterRule::Undefined) => 0,
        Some(RegisterRule::Offset(offset)) => -offset,
        Some(_) => return None,
    };
    match register {
        X86_64::RSP => Some(Rule::new(Kind::Stack, offset, bp_below)),
        X86_64::RBP => Some(Rule::new(Kind::Frame, offset, bp_below)),
        _ => None,
    }
}

/// The two expressions in use: of the PLT, and of functions that realign their stack.
fn express_cfa(
    expression: &UnwindExpression<usize>,
    section: &EhFrame<Slice>,
    bp: Option<&RegisterRule<usize>>,
) -> Option<Rule> {
    let mut operations = expression.get(section).ok()?.operations(ENCODING);
    let first = operations.next().ok()??;
    let second = operations.next().ok()?;
    match (first, second) {
        (Operation::RegisterOffset { register: X86_64::RSP, offset: 8, .. }, Some(_)) => Some(Rule::PLT),
        (Operation::RegisterOffset { register: X86_64::RBP, offset, .. }, Some(Operation::Deref { .. }))
            if operations.next().ok()?.is_none() && saved_where_it_points(bp, section) =>
        {
            Some(Rule::new(Kind::Realigned, -offset, 0))
        }
        _ => None,
    }
}

/// Whether the caller's `rbp` is in the word that `rbp` points to.
fn saved_where_it_points(bp: Option<&RegisterRule<usize>>, section: &EhFrame<Slice>) -> bool {
    let Some(RegisterRule::Expression(expression)) = bp else { return false };
    let Ok(expression) = expression.get(section) else { return false };
    let mut operations = expression.operations(ENCODING);
    matches!(
        (operations.next(), operations.next()),
        (Ok(Some(Operation::RegisterOffset { register: X86_64::RBP, offset: 0, .. })), Ok(None))
    )
}
