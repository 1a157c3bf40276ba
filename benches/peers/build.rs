//! Compiles the hand-written loops for the processor of this machine, into a
//! library of its own; everything else is built for the default target, as
//! users build it.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=by_hand/lib.rs");
    println!("cargo:rerun-if-changed=../workloads/by_hand.rs");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let status = Command::new(env::var("RUSTC").expect("cargo sets it"))
        .args([
            "--edition=2024",
            "--crate-type=cdylib",
            "--crate-name=by_hand",
        ])
        .args(["-Copt-level=3", "-Ctarget-cpu=native"])
        .args(["by_hand/lib.rs", "--out-dir", &out])
        .status()
        .expect("the compiler that builds this");
    assert!(status.success(), "by_hand/lib.rs");
    println!("cargo:rustc-link-search=native={out}");
    println!("cargo:rustc-link-lib=dylib=by_hand");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{out}");
}
