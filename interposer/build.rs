//! Link options of the preloaded library.

fn main() {
    // DF_1_INITFIRST: our constructor runs before libc's and the program's own, so that they are
    // tapped, and so that the environment is clean before anyone reads it.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,initfirst");
    // All symbols bound at load: a hook must not enter the lazy resolver.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,now");
    println!("cargo:rerun-if-changed=build.rs");
}
