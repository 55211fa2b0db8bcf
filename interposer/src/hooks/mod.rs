//! The hooks. Plain ones are made here from the list; the others are written by hand beside this.

use calltap_channel::function::Provider;

use crate::definer::{Hooks, Next};

mod confining;
mod descriptors;
mod entries;
mod limits;
mod streams;
mod strings;
mod threads;

pub(crate) use descriptors::*;
pub(crate) use entries::*;
pub(crate) use limits::*;
pub(crate) use streams::*;
pub(crate) use strings::*;
pub(crate) use threads::*;

/// `[a, b]` of the arguments that are words; texts are left out.
macro_rules! argument_words {
    (@ [$($word:expr,)*]) => { [$($word),*] };
    (@ [$($word:expr,)*] $argument:ident Path $($rest:tt)*) => { argument_words!(@ [$($word,)*] $($rest)*) };
    (@ [$($word:expr,)*] $argument:ident Text $($rest:tt)*) => { argument_words!(@ [$($word,)*] $($rest)*) };
    (@ [$($word:expr,)*] $argument:ident $kind:ident $($rest:tt)*) => {
        argument_words!(@ [$($word,)* $crate::types::Word::word($argument),] $($rest)*)
    };
}

/// The text among the arguments, if there is one.
macro_rules! argument_text {
    (@) => { None };
    (@ $argument:ident Path $($rest:tt)*) => { Some($argument.0) };
    (@ $argument:ident Text $($rest:tt)*) => { Some($argument.0) };
    (@ $argument:ident $kind:ident $($rest:tt)*) => { argument_text!(@ $($rest)*) };
}

/// The first argument as a word, for the record of unfinished calls.
macro_rules! first_argument {
    () => {
        0
    };
    ($argument:ident $($rest:ident)*) => {
        $crate::types::Word::word($argument)
    };
}

/// The hooks of one name, made of one body: the exported one, and those that only slots lead to.
///
/// The body is inlined into each, because a call's return address is taken from its frame.
macro_rules! hooks_of {
    ($name:ident ( $($argument:ident : $kind:ty),* ) -> $returns:ty, |$definer:ident| $body:block) => {
        pub(crate) static REAL: $crate::definer::Reals<unsafe extern "C" fn($($kind),*) -> $returns> =
            $crate::definer::Reals::new($crate::hooks::symbol(concat!(stringify!($name), "\0")));

        #[inline(always)]
        unsafe fn made<$definer: $crate::definer::Definer>($($argument: $kind),*) -> $returns $body

        redhook::hook! {
            unsafe fn $name($($argument: $kind),*) -> $returns => tapped {
                // SAFETY: the program's own arguments.
                unsafe { made::<$crate::definer::Next>($($argument),*) }
            }
        }

        unsafe extern "C" fn elsewhere<D: $crate::definer::Definer>($($argument: $kind),*) -> $returns {
            // SAFETY: as above.
            unsafe { made::<D>($($argument),*) }
        }

        /// All of them.
        pub(crate) fn hooks() -> $crate::definer::Hooks {
            $crate::definer::Hooks::new(
                &REAL,
                elsewhere::<$crate::definer::Program> as *const () as u64,
                elsewhere::<$crate::definer::Namespace> as *const () as u64,
            )
        }
    };
}
pub(crate) use hooks_of;

macro_rules! define_hook {
    (custom $name:ident $($rest:tt)*) => {};
    (plain $name:ident ( $($argument:ident : $kind:ident),* ) -> $returns:ident) => {
        #[allow(unused_unsafe, unreachable_pub, reason = "redhook's macro writes the exported function")]
        #[allow(missing_docs)]
        pub(crate) mod $name {
            use calltap_channel::Function;
            use $crate::call::Call;
            #[allow(unused_imports)]
            use $crate::types::*;

            $crate::hooks::hooks_of! {
                $name($($argument: $kind),*) -> $returns, |D| {
                    let real = REAL.of::<D>().get();
                    let Some(call) = Call::<D>::begin(Function::$name, first_argument!($($argument)*)) else {
                        // SAFETY: the program's own arguments, for the function it meant to call.
                        return unsafe { real($($argument),*) };
                    };
                    let returned = $crate::tag::tagged!(Function::$name, REAL.of::<D>(), real($($argument),*));
                    match argument_text!(@ $($argument $kind)*) {
                        None => call.finish(returned, argument_words!(@ [] $($argument $kind)*)),
                        Some(text) => call.finish_long(
                            returned,
                            &argument_words!(@ [] $($argument $kind)*) as &[u64],
                            text,
                        ),
                    }
                    returned
                }
            }
        }
    };
}

macro_rules! define_hooks {
    ($(
        $family:ident $provider:ident $style:ident
        $name:ident ( $($argument:ident : $kind:ident),* ) -> $returns:ident = $effect:expr, $doc:literal;
    )*) => {
        $(define_hook!($style $name ( $($argument : $kind),* ) -> $returns);)*

        /// Finds the real functions that every C library has, before the program starts: not in a
        /// signal handler, not while another thread holds the loader's lock.
        pub(crate) fn resolve_all() {
            $(if matches!(Provider::$provider, Provider::C) { let _ = $name::REAL.of::<Next>().get(); })*
            let _ = (confining::prctl::REAL.of::<Next>().get(), confining::syscall::REAL.of::<Next>().get());
        }

        /// Shows `each` the hooks of every name in the list, in its order.
        pub(crate) fn all(mut each: impl FnMut(Hooks)) {
            $(each($name::hooks());)*
        }

        /// The hooks of this name.
        pub(crate) fn named(name: &[u8]) -> Option<Hooks> {
            $(if name == stringify!($name).as_bytes() { return Some($name::hooks()); })*
            match name {
                b"prctl" => Some(confining::prctl::hooks()),
                b"syscall" => Some(confining::syscall::hooks()),
                _ => None,
            }
        }
    };
}
calltap_channel::for_each_function!(define_hooks);

/// The C string of a symbol's name.
pub(crate) const fn symbol(name: &'static str) -> &'static core::ffi::CStr {
    match core::ffi::CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a symbol's name ends with its only zero"),
    }
}

/// A hook written by hand: what is exported and passed on is a row's C function, what is recorded
/// are the row's arguments.
macro_rules! custom_hook {
    (
        $(#[doc = $doc:literal])*
        $name:ident ( $($argument:ident : $kind:ty),* ) -> $returns:ty, first $first:expr,
        |$real:ident, $call:ident| $body:block
    ) => {
        $(#[doc = $doc])*
        #[allow(unused_unsafe, unreachable_pub, reason = "redhook's macro writes the exported function")]
        #[allow(missing_docs)]
        pub(crate) mod $name {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use $crate::types::*;

            $crate::hooks::hooks_of! {
                $name($($argument: $kind),*) -> $returns, |D| {
                    let $real = REAL.of::<D>().get();
                    let Some($call) = $crate::call::Call::<D>::begin(calltap_channel::Function::$name, $first) else {
                        // SAFETY: the program's own arguments, for the function it meant to call.
                        return unsafe { $real($($argument),*) };
                    };
                    $body
                }
            }
        }
    };
}
pub(crate) use custom_hook;
