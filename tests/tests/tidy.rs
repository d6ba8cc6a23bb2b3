//! House rules that a machine can check: shape, size, direction of dependencies, names that must agree.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::failure::{FailureName, PLATFORM_FAILURES};
use serde_json::Value;
use tests::checkout::{files_below, root};

/// A file longer than this, its tests not counted, holds more than one thing.
const MOST_LINES: usize = 400;

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The shipped Rust files: those below `src`, without test modules.
fn sources() -> Vec<PathBuf> {
    let is_test = |path: &PathBuf| {
        let below = path.strip_prefix(root()).unwrap_or(path);
        below.components().any(|part| {
            matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs" | "examples" | "benches" | "testing.rs"))
        })
    };
    files_below(&root().join("crates"), ".rs").into_iter().filter(|path| !is_test(path)).collect()
}

fn named(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<_> = sources().into_iter().filter(|path| !text(path).starts_with("//!")).collect();
    assert_eq!(silent.iter().map(|path| named(path)).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn no_file_is_longer_than_a_thing_needs() {
    let without_tests =
        |path: &PathBuf| text(path).split("#[cfg(test)]\nmod tests {").next().map_or(0, |code| code.lines().count());
    let long = sources().into_iter().filter(|path| without_tests(path) > MOST_LINES);
    let long: Vec<_> = long.map(|path| format!("{} ({} lines)", named(&path), without_tests(&path))).collect();
    assert_eq!(long, Vec::<String>::new());
}

/// What Cargo knows of the workspace: for each package by name all that it is built from, tests not counted.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = cargo_metadata();
    let mut direct: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().expect("nodes") {
        let normal = |dependency: &&Value| {
            dependency["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
        };
        let dependencies = node["deps"].as_array().expect("deps").iter().filter(normal);
        direct.insert(
            node["id"].as_str().expect("id"),
            dependencies.filter_map(|dependency| dependency["pkg"].as_str()).collect(),
        );
    }
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeMap<&str, &str> =
        packages.iter().filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?))).collect();
    let members = metadata["workspace_members"].as_array().expect("members").iter().filter_map(Value::as_str);
    members
        .map(|member| {
            (names[member].to_owned(), reachable(member, &direct).into_iter().map(|id| names[id].to_owned()).collect())
        })
        .collect()
}

fn reachable<'a>(from: &'a str, direct: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting = direct[from].clone();
    while let Some(package) = waiting.pop() {
        if reached.insert(package) {
            waiting.extend(&direct[package]);
        }
    }
    reached
}

#[expect(clippy::disallowed_methods, reason = "a test is a shell too")]
fn cargo_metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // What is for other platforms has not been downloaded where this alone was built.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", &platform])
        .current_dir(root())
        .output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// The names of the packages in a folder of crates.
fn packages_in(folder: &str) -> Vec<String> {
    let manifests = files_below(&root().join(folder), "Cargo.toml");
    let name = |manifest: &PathBuf| {
        text(manifest).lines().find_map(|line| Some(line.strip_prefix("name = \"")?.trim_end_matches('"').to_owned()))
    };
    manifests.iter().map(|manifest| name(manifest).expect("a manifest has a name")).collect()
}

#[test]
fn dependencies_point_one_way() {
    let dependencies = dependencies();
    let (lambdas, local) = (packages_in("crates/lambdas"), packages_in("crates/local"));
    let mut wrong = Vec::new();
    let mut refuse = |package: &str, what: &dyn Fn(&str) -> bool| {
        wrong.extend(
            dependencies[package].iter().filter(|one| what(one)).map(|one| format!("{package} is built from {one}")),
        );
    };
    for pure in ["domain", "asl"] {
        refuse(pure, &|one| {
            one == "tokio" || one == "aws" || one.starts_with("aws-") || one == "tracing" || one == "hyper"
        });
    }
    for shipped in ["domain", "services", "aws", "documents"] {
        refuse(shipped, &|one| lambdas.iter().chain(&local).any(|name| name == one));
    }
    for lambda in &lambdas {
        refuse(lambda, &|one| lambdas.iter().chain(&local).any(|name| name == one));
    }
    for own in &local {
        refuse(own, &|one| lambdas.iter().any(|name| name == one));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The names under a `[…dependencies]` heading of a manifest.
fn listed(manifest: &str, is_heading: impl Fn(&str) -> bool) -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = is_heading(line);
        } else if inside
            && let Some((name, _)) = line.split_once([' ', '.', '='])
            && !name.is_empty()
            && !name.starts_with('#')
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// The names under which code finds packages: `md5` for `md-5`.
fn imports() -> BTreeMap<String, String> {
    let metadata = cargo_metadata();
    let packages = metadata["packages"].as_array().expect("packages").iter();
    let import = |package: &Value| {
        let targets = package["targets"].as_array()?;
        let library = targets.iter().find(|target| target["kind"].to_string().contains("lib"))?;
        Some((package["name"].as_str()?.to_owned(), library["name"].as_str()?.replace('-', "_")))
    };
    packages.filter_map(import).collect()
}

#[test]
fn every_dependency_is_used() {
    let members: Vec<_> = files_below(&root().join("crates"), "Cargo.toml")
        .into_iter()
        .chain([root().join("tests/Cargo.toml")])
        .collect();
    let imports = imports();
    let mut used = BTreeSet::new();
    let mut idle = Vec::new();
    for manifest in &members {
        let code: String =
            files_below(manifest.parent().expect("a folder"), ".rs").iter().map(|path| text(path)).collect();
        for name in listed(&text(manifest), |heading| heading.ends_with("dependencies]")) {
            let import = imports.get(&name).cloned().unwrap_or_else(|| name.replace('-', "_"));
            if !code.contains(&import) {
                idle.push(format!("{} lists {name}", named(manifest)));
            }
            used.insert(name);
        }
    }
    let all = listed(&text(&root().join("Cargo.toml")), |heading| heading == "[workspace.dependencies]");
    idle.extend(all.into_iter().filter(|name| !used.contains(name)).map(|name| format!("the workspace lists {name}")));
    assert_eq!(idle, Vec::<String>::new());
}

/// All values of the member `name`, at any depth.
fn members<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(object) => {
            let own = object.get(name).into_iter();
            own.chain(object.values().flat_map(|value| members(value, name))).collect()
        }
        Value::Array(values) => values.iter().flat_map(|value| members(value, name)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_state_machines_match_only_errors_that_exist() {
    let mut known: BTreeSet<&str> = FailureName::ALL.iter().map(|name| name.as_str()).collect();
    known.extend(PLATFORM_FAILURES);
    // What Step Functions and Athena say of a query.
    known.extend(["States.ALL", "States.TaskFailed", "Athena.TooManyRequestsException"]);
    for machine in ["extract", "upsert"] {
        let path = root().join(format!("statemachine/{machine}.asl.json"));
        let definition: Value = serde_json::from_str(&text(&path)).expect("the definition is JSON");
        let matched: BTreeSet<_> = members(&definition, "ErrorEquals")
            .into_iter()
            .flat_map(|names| names.as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .collect();
        assert!(!matched.is_empty());
        assert_eq!(matched.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
    }
}

#[test]
fn the_program_knows_the_functions_there_are() {
    let source = text(&root().join("crates/local/cli/src/commands/doctor.rs"));
    let functions: Vec<String> = packages_in("crates/lambdas");
    let list = format!("{functions:?}");
    assert!(source.contains(&list), "doctor.rs does not list {list}");
}

#[test]
fn nothing_names_this_machine() {
    let files = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let Some(files) = files.ok().filter(|output| output.status.success()) else {
        println!("skipped: this is no checkout of git");
        return;
    };
    let files = String::from_utf8_lossy(&files.stdout).into_owned();
    let home = std::env::home_dir().filter(|home| home.components().count() > 1);
    let places: Vec<String> = home.into_iter().chain([root()]).map(|place| format!("{}/", place.display())).collect();
    let named: Vec<_> = files
        .split('\0')
        .filter(|file| !file.is_empty())
        .filter(|file| {
            let bytes = fs::read(root().join(file)).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            places.iter().any(|place| text.contains(place.as_str()))
        })
        .collect();
    assert_eq!(named, Vec::<&str>::new());
}

#[test]
fn the_readme_has_the_exit_codes() {
    let readme = text(&root().join("README.md"));
    let source = text(&root().join("crates/local/cli/src/problem.rs"));
    let table = source.split("Exit codes:\n").nth(1).and_then(|rest| rest.split("\";").next()).expect("the table");
    let missing: Vec<_> = table.lines().filter(|line| !readme.contains(line.trim())).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
