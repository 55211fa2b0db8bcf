//! Builds the interposer, so that the finished library can be embedded in the binary.
//!
//! It has a profile of its own (see the workspace's Cargo.toml) and a target directory below
//! `OUT_DIR`: it must be optimised and free of landing pads also in a debug build, and nothing may
//! depend on it as a crate.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let root = manifest.parent().expect("the workspace is one level up");
    for watched in ["interposer", "channel/src", "channel/Cargo.toml", "Cargo.lock", "Cargo.toml"] {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
    let target = out.join("interposer");
    let status = Command::new(env::var_os("CARGO").expect("cargo sets it"))
        .args(["build", "--profile", "interposer", "--target-dir"])
        .arg(&target)
        .arg("--manifest-path")
        .arg(root.join("interposer/Cargo.toml"))
        // A hook reads its return address from its own frame.
        .env("CARGO_ENCODED_RUSTFLAGS", "-Cforce-frame-pointers=yes")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_TARGET_DIR")
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "the interposer does not build");
    let library = target.join("interposer/libcalltap_interposer.so");
    let hash = fnv1a(&fs::read(&library).expect("cargo has built it"));
    println!("cargo:rustc-env=CALLTAP_LIBRARY={}", Path::new(&library).display());
    println!("cargo:rustc-env=CALLTAP_LIBRARY_HASH={hash:016x}");
}

/// FNV-1a, 64 bits: names a build of the library, guards against nothing.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
