//! Packs the relocations of the program where the C library of this machine reads them packed, which it does from 2.36
//! on: three hundred thousand of them would be seven megabytes of every start, and of the memory of a program at rest.
//!
//! <https://maskray.me/blog/2021-10-31-relative-relocations-and-relr>

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let native = std::env::var_os("HOST") == std::env::var_os("TARGET");
    if native && c_library().is_some_and(|version| version >= (2, 36)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Version of the GNU C library, where the machine has that one.
fn c_library() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
