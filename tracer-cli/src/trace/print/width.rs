//! Where results stand in a line.

use std::mem::MaybeUninit;

use nix::libc;

/// The column of results if nothing is known of the screen.
const DEFAULT: usize = 50;

/// The column of results, as ltrace chooses it: five eighths of the width of the screen, as `COLUMNS` says it or the
/// terminal at stdout or stderr.
#[must_use]
pub fn alignment() -> usize {
    chosen(std::env::var("COLUMNS").ok().as_deref(), || [1, 2].into_iter().find_map(columns))
}

fn chosen(variable: Option<&str>, terminal: impl FnOnce() -> Option<usize>) -> usize {
    let width = match variable {
        Some(variable) if !variable.is_empty() => variable.parse().ok().filter(|columns| *columns > 0),
        _ => terminal(),
    };
    width.map_or(DEFAULT, |width: usize| width.saturating_mul(5) / 8)
}

/// The width of the terminal at a file descriptor.
fn columns(descriptor: i32) -> Option<usize> {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: the request writes a `winsize`; all bytes zero is a valid one, if it fails.
    let size = unsafe {
        libc::ioctl(descriptor, libc::TIOCGWINSZ, size.as_mut_ptr());
        size.assume_init()
    };
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_at_five_eighths_of_the_screen() {
        assert_eq!(chosen(Some("80"), || None), 50);
        assert_eq!(chosen(Some("40"), || Some(200)), 25);
        assert_eq!(chosen(Some("wide"), || Some(200)), DEFAULT);
        assert_eq!(chosen(Some(""), || Some(200)), 125);
        assert_eq!(chosen(None, || None), DEFAULT);
    }
}
