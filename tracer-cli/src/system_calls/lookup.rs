//! From number to call and from name to number.

use calltap_analyzers::kernel::CallId;

use super::call::{Call, NO_NUMBER};
use super::table::CALLS;

/// No number of any interface is as high.
const NUMBERS: usize = 600;

/// Place in [`CALLS`] of each number of each interface; [`NO_NUMBER`] if nobody has it.
static PLACES: [[u16; NUMBERS]; 3] = places();

const fn places() -> [[u16; NUMBERS]; 3] {
    let mut places = [[NO_NUMBER; NUMBERS]; 3];
    let mut place = 0;
    while place < CALLS.len() {
        let mut interface = 0;
        while interface < 3 {
            let number = CALLS[place].numbers[interface];
            if number != NO_NUMBER {
                places[interface][number as usize] = place as u16;
            }
            interface += 1;
        }
        place += 1;
    }
    places
}

/// Place of a call in [`CALLS`].
pub(super) fn place(id: CallId) -> Option<usize> {
    let place = *PLACES.get(usize::from(id.interface))?.get(id.number as usize)?;
    (place != NO_NUMBER).then_some(usize::from(place))
}

/// The call with an id.
pub(super) fn call(id: CallId) -> Option<&'static Call> {
    place(id).map(|place| &CALLS[place])
}

/// Its name, as the kernel has it. `None` if the kernel that the table is from has no such call.
#[must_use]
pub fn name(id: CallId) -> Option<&'static str> {
    call(id).map(|call| call.name)
}

/// The names of all calls.
pub fn names() -> impl Iterator<Item = &'static str> {
    CALLS.iter().map(|call| call.name)
}

/// The call with this name in an interface, as in [`CallId`].
#[cfg(test)]
pub(super) fn id(interface: u8, name: &str) -> Option<CallId> {
    let call = CALLS.iter().find(|call| call.name == name)?;
    call.ids().find(|id| id.interface == interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(interface: u8, number: u32) -> Option<&'static str> {
        name(CallId { interface, number })
    }

    #[test]
    fn a_number_means_another_call_in_each_interface() {
        assert_eq!(
            [0, 1, 2].map(|interface| named(interface, 4)),
            [Some("stat"), Some("write"), Some("stat")]
        );
        assert_eq!([0, 1, 2].map(|interface| named(interface, 520)), [None, None, Some("execve")]);
        assert_eq!([0, 1, 2].map(|interface| named(interface, 435)), [Some("clone3"); 3]);
    }

    #[test]
    fn numbers_that_nobody_has_are_no_calls() {
        assert_eq!(named(0, 400), None);
        assert_eq!(named(0, u32::MAX), None);
        assert_eq!(named(3, 0), None);
    }

    #[test]
    fn every_name_leads_back_to_its_number() {
        for call in &CALLS {
            assert!(call.ids().count() > 0, "{}", call.name);
            for number in call.ids() {
                assert_eq!(name(number), Some(call.name));
                assert_eq!(id(number.interface, call.name), Some(number));
            }
        }
    }

    #[test]
    fn results_are_descriptors_where_they_always_are() {
        let given = |name| id(0, name).and_then(call).expect(name).gives_descriptor;
        for name in
            ["openat2", "dup2", "accept", "socket", "pidfd_getfd", "open_by_handle_at", "inotify_init"]
        {
            assert!(given(name), "{name}");
        }
        for name in ["pipe2", "socketpair", "read", "fcntl", "bpf", "getsockopt"] {
            assert!(!given(name), "{name}");
        }
    }

    #[test]
    fn the_numbers_are_those_of_the_c_library() {
        let known =
            [("openat", libc::SYS_openat), ("close_range", libc::SYS_close_range), ("brk", libc::SYS_brk)];
        for (name, number) in known {
            assert_eq!(id(0, name).map(|id| i64::from(id.number)), Some(number), "{name}");
        }
    }
}
