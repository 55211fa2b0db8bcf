//! Finding the main arena and `mp_` in the library's data, without symbols.

use super::layout::{Layout, STATE_WORDS};
use super::parameters::Tuning;
use super::state::{State, ring};
use crate::allocator::memory::Memory;
use crate::exit_snapshot::Mapped;

/// Where the allocator's two roots are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Roots {
    /// Address of the main arena's `malloc_state`.
    pub(super) main_arena: u64,
    /// Address of `mp_`.
    pub(super) parameters: u64,
}

/// Searches the library's writable mappings.
///
/// # Errors
///
/// If there is not exactly one place that can be each of them.
pub(super) fn roots(memory: Memory, library: &[&Mapped], layout: Layout) -> Result<Roots, String> {
    let mut arenas = Vec::new();
    let mut tunings = Vec::new();
    for mapped in library.iter().filter(|mapped| mapped.permissions.starts_with(b"rw")) {
        let words = memory.words_between(mapped.start, mapped.end);
        let address = |index: usize| mapped.start + index as u64 * 8;
        // The compiler aligns structures of this size to 32 bytes; 16 is what its chunks need.
        let states = words.windows(STATE_WORDS).enumerate().step_by(2);
        arenas.extend(
            states
                .filter(|(_, words)| words[270] != 0 && words[273] <= words[274])
                .filter_map(|(index, words)| Some(State::new(address(index), words.first_chunk()?)))
                .filter(|state| state.is_plausible() && ring(memory, state.address).is_ok()),
        );
        let windows = words.windows(layout.parameter_words()).enumerate();
        tunings.extend(windows.filter_map(|(at, words)| Some((address(at), Tuning::of(words, layout)?))));
    }
    let [main] = &arenas[..] else {
        return Err(format!("{} places in libc's data look like the main arena", arenas.len()));
    };
    tunings.retain(|(_, tuning)| (tuning.break_base == 0) == main.is_empty());
    match tunings[..] {
        [(parameters, _)] => Ok(Roots { main_arena: main.address, parameters }),
        _ => Err(format!("{} places in libc's data look like its parameters", tunings.len())),
    }
}
