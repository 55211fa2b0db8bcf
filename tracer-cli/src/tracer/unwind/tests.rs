//! Stacks of children that stop themselves in a known place, beside what they find on their stacks
//! themselves.

mod child;

use std::hint::black_box;
use std::path::PathBuf;

use calltap_channel::segment::{Layout, MIN_RING_BYTES};
use calltap_channel::stack::{Stack, walk_bytes};
use nix::sys::ptrace;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};

use self::child::{Child, Own, own_stack, shared, stop_here};
use super::*;
use crate::segment_file::SegmentFile;

fn segment(depth: u64) -> Segment {
    let layout =
        Layout::new(2, MIN_RING_BYTES).unwrap().with_stacks(1 << 10, walk_bytes(depth.max(1))).unwrap();
    let segment = SegmentFile::create(layout).unwrap().segment();
    segment.inner().stack_depth.store(depth, Ordering::Relaxed);
    segment
}

fn nowhere() -> PathBuf {
    "/nonexistent/libcalltap.so".into()
}

/// The addresses that both have, from the outermost inwards; the child's own are longer by what it called
/// to find them, ours by what it called to stop.
fn common(stack: &Stack, own: &Own) -> usize {
    let own = own.iter().rev().skip_while(|address| **address == 0);
    stack.frames.iter().rev().zip(own).take_while(|(frame, address)| frame.address() == **address).count()
}

#[test]
fn a_stack_is_the_one_that_the_child_finds_itself() {
    let own = shared::<Own>();
    let child = Child::stopped_at_depth(40, own);
    let segment = segment(128);
    let mut unwinder = Unwinder::new(segment, &nowhere());
    let taken = child.take(&mut unwinder);
    assert_eq!((taken.in_hook, taken.own), (Some(false), false));
    let stack = segment.stacks().get(taken.stack).unwrap();
    assert_eq!(stack.end, End::Outermost, "{:x?} {own:x?}", stack.frames);
    assert!(stack.frames.iter().all(|frame| frame.marks() == 0 && frame.lap() == 0));
    let known = own.iter().filter(|address| **address != 0).count();
    // All but `own_stack`, and the frame that has called both.
    assert!(common(&stack, own) >= known - 2 && known > 45, "{:x?}\n{:x?}", stack.frames, &own[..known]);
    let registers = ptrace::getregs(child.0).unwrap();
    assert_eq!(stack.frames[0].address(), registers.rip, "the first is behind the system call");
    assert_eq!(child.take(&mut unwinder), taken, "the same stack has the same number");
}

#[test]
fn a_stack_is_cut_at_its_depth_and_still_known_to_have_no_hook() {
    let own = shared::<Own>();
    let child = Child::stopped_at_depth(40, own);
    let segment = segment(8);
    let mut unwinder = Unwinder::new(segment, &nowhere());
    let taken = child.take(&mut unwinder);
    let stack = segment.stacks().get(taken.stack).unwrap();
    assert_eq!((stack.frames.len(), stack.end, taken.in_hook), (8, End::Depth, Some(false)));
    let mut none = Unwinder::new(self::segment(0), &nowhere());
    assert_eq!(child.take(&mut none), Taken { stack: 0, in_hook: Some(false), own: false });
}

#[test]
fn a_frame_of_the_interposer_makes_it_a_call_in_a_hook() {
    // The interposer is played by this program.
    let library = PathBuf::from("/proc/self/exe");
    let mut unwinder = Unwinder::new(segment(64), &library);
    let own = shared::<Own>();
    let below = Child::stopped_at_depth(3, own);
    assert_eq!(below.take(&mut unwinder), Taken { stack: 0, in_hook: Some(true), own: false });
    let itself = Child::stopped_in(stop_here);
    assert_eq!(itself.take(&mut unwinder), Taken { stack: 0, in_hook: Some(true), own: true });
}

#[test]
fn a_stack_goes_on_below_a_signal_handler() {
    extern "C" fn handler(_signal: i32) {
        own_stack(&mut *shared_with_handler());
        let _ = raise(Signal::SIGSTOP);
    }
    fn shared_with_handler() -> &'static mut Own {
        // SAFETY: set before the handler is, in a child with one thread.
        unsafe { &mut *PLACE.load(Ordering::Relaxed) }
    }
    static PLACE: std::sync::atomic::AtomicPtr<Own> = std::sync::atomic::AtomicPtr::new(std::ptr::null_mut());
    let own = shared::<Own>();
    PLACE.store(own, Ordering::Relaxed);
    let child = Child::stopped_in(|| {
        let action = SigAction::new(SigHandler::Handler(handler), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler calls only what a handler may.
        if unsafe { sigaction(Signal::SIGSEGV, &action) }.is_ok() {
            // SAFETY: reads from an address where nothing is; the handler never returns here.
            black_box(unsafe { std::ptr::without_provenance::<u64>(black_box(8)).read_volatile() });
        }
    });
    let segment = segment(64);
    let taken = child.take(&mut Unwinder::new(segment, &nowhere()));
    let stack = segment.stacks().get(taken.stack).unwrap();
    let interrupted = stack.frames.iter().position(|frame| frame.is_interrupted()).unwrap();
    assert!(interrupted > 1 && stack.end == End::Outermost);
    assert_eq!(stack.frames.iter().filter(|frame| frame.is_interrupted()).count(), 1);
    assert!(common(&stack, own) >= stack.frames.len() - interrupted, "{:x?} {own:x?}", stack.frames);
}

#[test]
fn objects_are_told_of_once_and_not_again_in_what_was_forked() {
    let own = shared::<Own>();
    let child = Child::stopped_at_depth(3, own);
    let (group, registers) = (child.0.as_raw(), ptrace::getregs(child.0).unwrap());
    let mut unwinder = Unwinder::new(segment(64), &nowhere());
    child.take(&mut unwinder);
    let met: Vec<Met> = unwinder.newly_met().collect();
    let program = std::fs::read_link("/proc/self/exe").unwrap();
    let this = met.iter().find(|object| object.path == program).unwrap();
    assert!(met.iter().all(|object| object.group == group));
    let function = stop_here as *const () as u64;
    assert!((this.start..this.end).contains(&function));
    assert!(met.iter().any(|object| (object.start..object.end).contains(&registers.rip)));
    assert_eq!(met.len(), 2, "the program and the C library: {met:?}");

    child.take(&mut unwinder);
    // The child's memory serves for another process's, which is not asked for its mappings.
    unwinder.forked(group, 1);
    unwinder.take(1, group, &registers);
    assert_eq!(unwinder.newly_met().count(), 0);
    unwinder.executed(group);
    child.take(&mut unwinder);
    assert_eq!(unwinder.newly_met().count(), 2);
    unwinder.mapped(1, this.start..this.start + 1);
    unwinder.take(1, group, &registers);
    assert_eq!(unwinder.newly_met().count(), 0, "no code was there");
    unwinder.mapped(1, this.start..this.end);
    unwinder.take(1, group, &registers);
    let again: Vec<Met> = unwinder.newly_met().collect();
    assert_eq!(again, [Met { group: 1, ..this.clone() }]);
}

#[test]
fn code_without_tables_is_passed_by_its_frame_pointer() {
    let own = shared::<Own>();
    let child = Child::stopped_at_depth(3, own);
    let mut registers = ptrace::getregs(child.0).unwrap();
    // As if code that is in no object had called where the child is.
    let segment = segment(64);
    let mut unwinder = Unwinder::new(segment, &nowhere());
    let whole = unwinder.take(1, child.0.as_raw(), &registers);
    let whole = segment.stacks().get(whole.stack).unwrap();
    registers.rip = 0x1000;
    registers.rsp -= 64;
    registers.rbp = registers.rsp + 16;
    let caller = whole.frames[3];
    let mut words = Vec::new();
    words.extend([registers.rsp + 48, caller.address()].map(u64::to_le_bytes).as_flattened());
    for (index, word) in words.chunks_exact(8).enumerate() {
        let word = i64::from_le_bytes(*word.first_chunk().unwrap());
        let at = (registers.rbp + 8 * index as u64) as ptrace::AddressType;
        ptrace::write(child.0, at, word).unwrap();
    }
    let taken = unwinder.take(1, child.0.as_raw(), &registers);
    let stack = segment.stacks().get(taken.stack).unwrap();
    assert_eq!(stack.frames[0], Frame::returning_to(0x1000));
    assert_eq!((stack.frames[1].address(), stack.frames[1].is_guessed()), (caller.address(), true));
    // A frame pointer that leads to what is no code is none.
    ptrace::write(child.0, (registers.rbp + 8) as ptrace::AddressType, 0x5000_0000).unwrap();
    let taken = unwinder.take(1, child.0.as_raw(), &registers);
    let stack = segment.stacks().get(taken.stack).unwrap();
    assert_eq!((stack.frames.len(), stack.end), (1, End::Lost));
    assert_eq!(taken.in_hook, Some(false), "no interposer, no hook");
}

#[test]
fn programs_for_32_bits_have_no_stack_and_no_hook() {
    let own = shared::<Own>();
    let child = Child::stopped_at_depth(1, own);
    let mut registers = ptrace::getregs(child.0).unwrap();
    registers.cs = 0x23;
    let taken = Unwinder::new(segment(64), &nowhere()).take(1, child.0.as_raw(), &registers);
    assert_eq!(taken, Taken::NOTHING);
}
