use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn tree(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

fn keys(found: &Found) -> Vec<&str> {
    found.files.iter().map(|file| file.key.as_str()).collect()
}

#[test]
fn a_folders_files_are_named_by_their_path_within() {
    let folder = tree(&["b.txt", "a/ü + %20.txt", "a/.hidden", "c/d/e"]);
    let found = find(&[folder.path().to_owned()], None).unwrap();
    assert_eq!(keys(&found), ["b.txt", "a/.hidden", "a/ü + %20.txt", "c/d/e"]);
}

#[test]
fn files_named_by_themselves_keep_what_was_typed() {
    let cases = [
        ("a.txt", "a.txt"),
        ("./docs/./a.txt", "docs/a.txt"),
        ("/tmp/docs/a.txt", "a.txt"),
        ("../docs/a.txt", "a.txt"),
    ];
    for (typed, key) in cases {
        assert_eq!(key::of_named(Path::new(typed)), key);
    }
}

#[test]
fn two_files_with_one_key_get_their_whole_paths() {
    let folder = tree(&["a/x.txt", "b/x.txt"]);
    let named = ["a/x.txt", "b/x.txt", "b/x.txt"].map(|name| folder.path().join(name));
    let found = find(&named, None).unwrap();
    let root = folder.path().strip_prefix("/").unwrap().display().to_string();
    assert_eq!(keys(&found), [format!("{root}/a/x.txt"), format!("{root}/b/x.txt")]);
}

#[test]
fn names_that_are_no_utf8_stay_apart() {
    let names: [&[u8]; 3] = [b"a\xff.txt", b"a\xfe.txt", "aü.txt".as_bytes()];
    let texts = names.map(|name| key::text(OsStr::from_bytes(name)));
    assert_eq!(texts, ["a%FF.txt", "a%FE.txt", "aü.txt"]);
}

#[test]
fn links_are_followed_and_loops_are_not() {
    let folder = tree(&["a/x.txt"]);
    symlink(folder.path(), folder.path().join("a/loop")).unwrap();
    symlink(folder.path().join("a/x.txt"), folder.path().join("link.txt")).unwrap();
    symlink("nowhere", folder.path().join("broken")).unwrap();
    let found = find(&[folder.path().to_owned()], None).unwrap();
    assert_eq!(keys(&found), ["link.txt", "a/x.txt"]);
    assert_eq!(found.refused[0].reason, "a symbolic link to nothing");
    assert_eq!(found.skipped[0].reason, "this folder was walked already");
}

#[test]
fn sockets_and_the_data_directory_are_skipped() {
    let folder = tree(&["data/sluice.db", "x.txt"]);
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let found = find(&[folder.path().to_owned()], Some(&folder.path().join("data"))).unwrap();
    assert_eq!(keys(&found), ["x.txt"]);
    let reasons: Vec<_> = found.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!(reasons, ["it is no regular file", "it is the data directory"]);
}

#[test]
fn a_missing_path_is_a_problem_before_anything_is_sent() {
    let error = find(&[PathBuf::from("/nowhere/at/all.txt")], None).unwrap_err();
    let (text, exit) = crate::problem::explain(&error);
    assert!(text.starts_with("error: failed to find `/nowhere/at/all.txt`: "), "{text}");
    assert_eq!(exit, Exit::NotFound);
}

#[test]
fn keys_that_s3_would_refuse_are_refused_here() {
    let long = format!("{}/{}", vec!["n".repeat(200); 5].join("/"), "x".repeat(100));
    let folder = tree(&[&long]);
    let found = find(&[folder.path().to_owned()], None).unwrap();
    assert!(found.refused[0].reason.contains("1024 at most"), "{:?}", found.refused);
}
