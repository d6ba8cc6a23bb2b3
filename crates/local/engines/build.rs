//! Finds the face model inside the `rustface` package and tells the compiler where it is.
//!
//! The package ships the model but offers no way to it. Cargo is asked, without the network first:
//! the package is a dependency, so it is on the disk already.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

const MODEL: &str = "model/seeta_fd_frontal_v1.0.bin";

fn main() -> Result<(), Box<dyn Error>> {
    let package = package_directory(&["--offline"]).or_else(|_| package_directory(&[]))?;
    let model = package.join(MODEL);
    if !model.is_file() {
        return Err(format!("failed to find the face model `{}`", model.display()).into());
    }
    write_line(&format!("cargo::rustc-env=SEETAFACE_MODEL={}", model.display()))?;
    write_line("cargo::rerun-if-changed=build.rs")?;
    Ok(())
}

fn package_directory(extra: &[&str]) -> Result<PathBuf, Box<dyn Error>> {
    let target = std::env::var_os("TARGET").ok_or("cargo sets no `TARGET`")?;
    let cargo = std::env::var_os("CARGO").ok_or("cargo sets no `CARGO`")?;
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--filter-platform"])
        .arg(target)
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .args(extra)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let package = packages.iter().find(|package| package["name"] == "rustface").ok_or("failed to find `rustface`")?;
    let manifest = package["manifest_path"].as_str().ok_or("`rustface` has no manifest path")?;
    Ok(Path::new(manifest).parent().ok_or("the manifest has no folder")?.to_owned())
}

/// Build scripts speak to cargo on standard output.
fn write_line(line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{line}")
}
