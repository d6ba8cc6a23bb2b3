//! Keys for paths: S3 wants UTF-8 and knows no folders, a file system wants neither.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

use super::{Found, SourceFile};

/// Most bytes of a key. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
pub(super) const MOST_BYTES: usize = 1024;

/// The key of a file that was found while walking `root`.
pub(super) fn within(root: &Path, path: &Path) -> String {
    join(path.strip_prefix(root).unwrap_or(path))
}

/// The key of a file that was named itself.
pub(super) fn of_named(path: &Path) -> String {
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if plain { join(path) } else { path.file_name().map_or_else(|| join(path), text) }
}

/// Keeps one of each file that was named twice, and gives whole paths to different files with the same key.
pub(super) fn without_collisions(mut found: Found) -> Found {
    let mut seen = HashSet::new();
    found.files.retain(|file| seen.insert((file.key.clone(), real_path(file))));
    let mut uses: HashMap<String, usize> = HashMap::new();
    for file in &found.files {
        *uses.entry(file.key.clone()).or_default() += 1;
    }
    for file in &mut found.files {
        if uses.get(&file.key).is_some_and(|count| *count > 1) {
            file.key = join(&real_path(file));
        }
    }
    found
}

fn real_path(file: &SourceFile) -> std::path::PathBuf {
    std::path::absolute(&file.path).unwrap_or_else(|_| file.path.clone())
}

/// The parts of `path` that have a name, with `/` between them.
fn join(path: &Path) -> String {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(text(name)),
        _ => None,
    });
    names.collect::<Vec<_>>().join("/")
}

/// A name as text; bytes that are no UTF-8 become `%XX`, so that no two of them look alike.
pub(super) fn text(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
