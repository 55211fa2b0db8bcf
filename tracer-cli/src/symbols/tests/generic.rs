//! `enter` calls back out of a generic function.

mod places {
    #[inline(never)]
    pub fn generic<T: Default>(site: extern "C" fn()) -> T {
        site(); // GENERIC
        std::hint::black_box(T::default())
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn enter(site: extern "C" fn()) -> u32 {
    places::generic(site)
}
