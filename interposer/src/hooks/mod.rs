//! The hooks. Plain ones are made here from the list; the others are written by hand beside this.

use calltap_channel::function::Provider;

use crate::real::AnyReal;

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

macro_rules! define_hook {
    (custom $name:ident $($rest:tt)*) => {};
    (plain $name:ident ( $($argument:ident : $kind:ident),* ) -> $returns:ident) => {
        #[allow(unused_unsafe, unreachable_pub, reason = "redhook's macro writes the exported function")]
        #[allow(missing_docs)]
        pub(crate) mod $name {
            use calltap_channel::Function;
            #[allow(unused_imports)]
            use $crate::types::*;
            use $crate::{call::Call, real::Real};

            pub(crate) static REAL: Real<unsafe extern "C" fn($($kind),*) -> $returns> =
                Real::new($crate::hooks::symbol(concat!(stringify!($name), "\0")));

            redhook::hook! {
                unsafe fn $name($($argument: $kind),*) -> $returns => tapped {
                    let real = REAL.get();
                    let Some(call) = Call::begin(Function::$name, first_argument!($($argument)*)) else {
                        // SAFETY: the program's own arguments, for the function it meant to call.
                        return unsafe { real($($argument),*) };
                    };
                    let returned = $crate::tag::tagged!(Function::$name, REAL, real($($argument),*));
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
            $(if matches!(Provider::$provider, Provider::C) { let _ = $name::REAL.get(); })*
        }

        /// Asks `each` for every hook.
        pub(crate) fn all(mut each: impl FnMut(&'static dyn AnyReal)) {
            $(each(&$name::REAL);)*
        }

        /// The real function behind the hook of this name.
        pub(crate) fn real(name: &[u8]) -> Option<&'static dyn AnyReal> {
            $(if name == stringify!($name).as_bytes() { return Some(&$name::REAL); })*
            None
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
            use super::*;
            #[allow(unused_imports)]
            use $crate::types::*;

            pub(crate) static REAL: $crate::real::Real<unsafe extern "C" fn($($kind),*) -> $returns> =
                $crate::real::Real::new($crate::hooks::symbol(concat!(stringify!($name), "\0")));

            redhook::hook! {
                unsafe fn $name($($argument: $kind),*) -> $returns => tapped {
                    let $real = REAL.get();
                    let Some($call) = $crate::call::Call::begin(calltap_channel::Function::$name, $first) else {
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
