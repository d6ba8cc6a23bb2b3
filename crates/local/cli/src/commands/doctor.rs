//! `sluice doctor`: what the engines need of the system, and how to install it.
//!
//! It asks each tool for its version and looks for each file; it installs nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;

use crate::arguments::DoctorArguments;
use crate::deployment::refuse_elsewhere;
use crate::environment::Environment;
use crate::output::{self, Output};
use crate::problem::Exit;

/// One thing that an engine needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) found: bool,
    /// What it says of itself.
    pub(crate) version: Option<String>,
    pub(crate) purpose: &'static str,
    /// Debian and Ubuntu package that has it.
    pub(crate) package: &'static str,
}

/// How a thing shows that it is there.
#[derive(Debug, Clone, Copy)]
enum Sign {
    /// The program runs with this argument and says its version.
    Says(&'static str),
    /// One of these files is there; `*` stands for the folder of the machine's architecture.
    File(&'static [&'static str]),
}

/// A thing to look for.
struct Need {
    name: &'static str,
    sign: Sign,
    purpose: &'static str,
    package: &'static str,
}

/// What the engines call, by the packages of Debian 12 and 13 and Ubuntu 22.04 and 24.04; `scripts/setup` installs it.
const NEEDS: &[Need] = &[
    Need {
        name: "tesseract",
        sign: Sign::Says("--version"),
        purpose: "text in scans and images",
        package: "tesseract-ocr",
    },
    Need { name: "pdftotext", sign: Sign::Says("-v"), purpose: "text of PDFs", package: "poppler-utils" },
    Need { name: "pdftoppm", sign: Sign::Says("-v"), purpose: "pictures of PDF pages", package: "poppler-utils" },
    Need { name: "ffmpeg", sign: Sign::Says("-version"), purpose: "sound in recordings and films", package: "ffmpeg" },
    Need {
        name: "ffprobe",
        sign: Sign::Says("-version"),
        purpose: "length of recordings and films",
        package: "ffmpeg",
    },
    Need {
        name: "heif-convert",
        sign: Sign::Says("--version"),
        purpose: "HEIC and AVIF photos",
        package: "libheif-examples",
    },
    Need { name: "prlimit", sign: Sign::Says("--version"), purpose: "bounds on all of these", package: "util-linux" },
    Need { name: "setpriv", sign: Sign::Says("--version"), purpose: "no worker outlives us", package: "util-linux" },
    Need { name: "libpocketsphinx", sign: Sign::File(LIBRARY), purpose: "speech", package: "libpocketsphinx3" },
    Need { name: "en-us model", sign: Sign::File(MODEL), purpose: "English speech", package: "pocketsphinx-en-us" },
];

/// Where Debian puts the library.
const LIBRARY: &[&str] =
    &["/usr/lib/*/libpocketsphinx.so.3", "/usr/lib/libpocketsphinx.so.3", "/usr/local/lib/libpocketsphinx.so.3"];

/// Where Debian puts the acoustic model.
const MODEL: &[&str] = &["/usr/share/pocketsphinx/model/en-us/en-us"];

/// The functions' programs; a tidy test compares them with `crates/lambdas`.
const FUNCTIONS: [&str; 8] =
    ["catalog", "classify", "commit-changes", "poll-status", "postprocess", "stage-changes", "start", "start-job"];

/// A version is one short line; some tools print a page.
const VERSION_CHARS: usize = 40;

/// Runs the command.
pub(super) fn doctor(arguments: &DoctorArguments, environment: &Environment) -> anyhow::Result<Exit> {
    refuse_elsewhere("doctor", &arguments.elsewhere)?;
    let tools = tools();
    let functions = missing_functions(arguments, environment);
    let mut output = Output::new();
    if arguments.form.json {
        tools.iter().try_for_each(|tool| output.json(tool))?;
    } else {
        output.line(&output::tools(&tools))?;
        output.line("")?;
        advice(&tools).iter().try_for_each(|line| output.line(line))?;
    }
    for path in &functions {
        output::note(&format!(
            "failed to find the function `{}`\n  next: build all programs with `make build`",
            path.display()
        ));
    }
    let healthy = functions.is_empty() && tools.iter().all(|tool| tool.found);
    Ok(if healthy { Exit::Fine } else { Exit::NotInstalled })
}

/// Tells before the work what will be missed in it.
pub(super) fn warn_of_missing() {
    for need in NEEDS {
        // Looking costs nothing, asking for versions costs a process each.
        if !is_there(need) {
            output::note(&format!(
                "`{}` is not installed: {} cannot be read; install the package `{}`",
                need.name, need.purpose, need.package
            ));
        }
    }
}

fn tools() -> Vec<Tool> {
    NEEDS.iter().map(look_for).collect()
}

fn look_for(need: &Need) -> Tool {
    let version = match need.sign {
        Sign::Says(argument) if is_there(need) => version(need.name, argument),
        _ => None,
    };
    Tool { name: need.name, found: is_there(need), version, purpose: need.purpose, package: need.package }
}

fn is_there(need: &Need) -> bool {
    match need.sign {
        Sign::Says(_) => on_path(need.name),
        Sign::File(patterns) => patterns.iter().any(|pattern| exists(pattern)),
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn exists(pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => Path::new(pattern).exists(),
        Some((folder, rest)) => std::fs::read_dir(folder).is_ok_and(|mut entries| {
            entries.any(|entry| entry.is_ok_and(|entry| entry.path().join(rest.trim_start_matches('/')).exists()))
        }),
    }
}

/// The first line with a digit in it: some tools begin with their name and a blank line.
fn version(program: &str, argument: &str) -> Option<String> {
    let answer = Command::new(program).arg(argument).stdin(Stdio::null()).output().ok()?;
    let text = [answer.stdout, answer.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| line.contains(|c: char| c.is_ascii_digit()))?;
    Some(output::cut(&output::plain(line.trim()), VERSION_CHARS))
}

fn advice(tools: &[Tool]) -> Vec<String> {
    let mut packages: Vec<_> = tools.iter().filter(|tool| !tool.found).map(|tool| tool.package).collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        vec!["all engines have what they need".to_owned()]
    } else {
        vec![format!("next: sudo apt-get install --yes --no-install-recommends {}", packages.join(" "))]
    }
}

fn missing_functions(arguments: &DoctorArguments, environment: &Environment) -> Vec<PathBuf> {
    let Ok(folder) = crate::host::functions(arguments.functions.as_deref(), environment) else { return Vec::new() };
    FUNCTIONS.iter().map(|function| folder.join(function)).filter(|path| !path.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_each_package_once() {
        let tool = |name, found, package| Tool { name, found, version: None, purpose: "", package };
        let tools = [tool("a", false, "poppler-utils"), tool("b", false, "poppler-utils"), tool("c", true, "ffmpeg")];
        assert_eq!(advice(&tools), ["next: sudo apt-get install --yes --no-install-recommends poppler-utils"]);
    }

    #[test]
    fn patterns_find_files_in_any_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("x86_64")).unwrap();
        std::fs::write(folder.path().join("x86_64/lib.so"), "").unwrap();
        let pattern = |name: &str| format!("{}/*/{name}", folder.path().display());
        assert!(exists(&pattern("lib.so")));
        assert!(!exists(&pattern("other.so")));
    }
}
