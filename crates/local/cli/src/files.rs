//! Which files a person means, and the key under which each goes into the raw bucket.
//!
//! A folder's files are named by their path within the folder. A file that was named itself keeps the relative path
//! that was typed; one given by an absolute path, or through `..`, keeps its name. Where two files would share a key,
//! both get their whole path. Hidden files are files like any other; symbolic links are followed, each folder is
//! walked once. Nothing is read here.

mod key;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::problem::{Exit, Problem};

/// A file that can go into the raw bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// As the user named it, or as it was found under the folder that was named.
    pub(crate) path: PathBuf,
    /// Where it goes in the raw bucket.
    pub(crate) key: String,
    pub(crate) size_bytes: u64,
}

/// A file that was found and cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedFile {
    pub(crate) path: PathBuf,
    pub(crate) reason: String,
}

/// What was found, each in the order of the command line and then of names.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<SourceFile>,
    /// What the user would miss: it counts as failed.
    pub(crate) refused: Vec<RefusedFile>,
    /// What is no file at all, such as a socket, and what was walked already.
    pub(crate) skipped: Vec<RefusedFile>,
}

/// The path as a person reads it; bytes that are no UTF-8 become `%XX`.
pub(crate) fn display(path: &Path) -> String {
    key::text(path.as_os_str())
}

/// Finds the files behind `paths`, but nothing within `excluded` (the data directory itself).
///
/// # Errors
/// When a path that was named does not exist or cannot be looked at, before anything is sent.
pub(crate) fn find(paths: &[PathBuf], excluded: Option<&Path>) -> anyhow::Result<Found> {
    let mut walk = Walk { found: Found::default(), walked: HashSet::new(), excluded: excluded.and_then(identity) };
    for path in paths {
        let metadata = fs::metadata(path).map_err(|error| unreachable(path, error))?;
        if metadata.is_dir() {
            walk.folder(path, &metadata);
        } else {
            walk.file(path, key::of_named(path), &metadata);
        }
    }
    Ok(key::without_collisions(walk.found))
}

fn unreachable(path: &Path, error: io::Error) -> anyhow::Error {
    let message = format!("failed to find `{}`", display(path));
    let next = "check the path; nothing was sent";
    anyhow::Error::new(error).context(Problem::new(Exit::NotFound, message, next))
}

/// What tells a folder apart from every other, under whatever name.
type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[derive(Debug)]
struct Walk {
    found: Found,
    walked: HashSet<Identity>,
    excluded: Option<Identity>,
}

impl Walk {
    /// Walks without recursion: the depth of a stranger's folders is theirs to choose.
    fn folder(&mut self, root: &Path, metadata: &Metadata) {
        let mut waiting = vec![(root.to_owned(), (metadata.dev(), metadata.ino()))];
        while let Some((folder, identity)) = waiting.pop() {
            if Some(identity) == self.excluded {
                self.skip(&folder, "it is the data directory");
            } else if self.walked.insert(identity) {
                let folders = self.entries(root, &folder);
                waiting.extend(folders.into_iter().rev());
            } else {
                self.skip(&folder, "this folder was walked already");
            }
        }
    }

    /// Takes the files of one folder and gives back the folders in it.
    fn entries(&mut self, root: &Path, folder: &Path) -> Vec<(PathBuf, Identity)> {
        let (paths, mut folders) = match sorted_entries(folder) {
            Ok(paths) => (paths, Vec::new()),
            Err(error) => {
                self.refuse(folder, format!("failed to read the folder: {error}"));
                return Vec::new();
            }
        };
        for path in paths {
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => folders.push((path, (metadata.dev(), metadata.ino()))),
                Ok(metadata) => self.file(&path, key::within(root, &path), &metadata),
                Err(error) => self.refuse(&path, unusable(&path, &error)),
            }
        }
        folders
    }

    fn file(&mut self, path: &Path, key: String, metadata: &Metadata) {
        if !metadata.is_file() {
            self.skip(path, "it is no regular file");
        } else if key.len() > key::MOST_BYTES {
            self.refuse(path, format!("its key has {} bytes, and S3 takes {} at most", key.len(), key::MOST_BYTES));
        } else {
            self.found.files.push(SourceFile { path: path.to_owned(), key, size_bytes: metadata.len() });
        }
    }

    fn skip(&mut self, path: &Path, reason: &str) {
        self.found.skipped.push(RefusedFile { path: path.to_owned(), reason: reason.to_owned() });
    }

    fn refuse(&mut self, path: &Path, reason: String) {
        self.found.refused.push(RefusedFile { path: path.to_owned(), reason });
    }
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn unusable(path: &Path, error: &io::Error) -> String {
    if path.is_symlink() && error.kind() == io::ErrorKind::NotFound {
        "a symbolic link to nothing".to_owned()
    } else {
        format!("failed to look at it: {error}")
    }
}
