//! Link options of the preloaded library.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    // DF_1_INITFIRST: our constructor runs before libc's and the program's own, so that they are
    // tapped, and so that the environment is clean before anyone reads it.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,initfirst");
    // All symbols bound at load: a hook must not enter the lazy resolver.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,now");
    // std asks for libgcc_s.so, which would make every target load it. The unwinder is never used
    // here; this stands in front of it in the search path and names the static one.
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("libgcc_s.so"), "INPUT(-lgcc_eh)\n").expect("OUT_DIR can be written");
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rerun-if-changed=build.rs");
}
