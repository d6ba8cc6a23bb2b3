//! Keys of a bucket as paths of the object store. A key may hold what a path may not: empty segments, `.` and `..`.
//! Such a segment stands in a path behind a mark, so that every key has one path and every path one key.

use object_store::path::Path;

/// Before a segment that no path may hold, or that begins with this itself.
const MARK: &str = "%%";

/// The path of a key. Control characters are in no path.
///
/// # Errors
/// For a key with control characters.
pub fn path_of_key(key: &str) -> Result<Path, object_store::path::Error> {
    let marked = |segment: &str| match segment {
        "" | "." | ".." => format!("{MARK}{segment}"),
        other if other.starts_with(MARK) => format!("{MARK}{other}"),
        other => other.to_owned(),
    };
    Path::parse(key.split('/').map(marked).collect::<Vec<_>>().join("/"))
}

/// The key of a path.
#[must_use]
pub fn key_of_path(path: &Path) -> String {
    let plain = |segment: &str| segment.strip_prefix(MARK).unwrap_or(segment).to_owned();
    path.as_ref().split('/').map(plain).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_comes_back() {
        for key in ["b/a/c", "b/a//c", "b/folder/", "b//", "b/../x/.", "b/%%/%%..", "b/ä ü#?%41", "b"] {
            assert_eq!(key_of_path(&path_of_key(key).unwrap()), key);
        }
        assert_ne!(path_of_key("b/folder").unwrap(), path_of_key("b/folder/").unwrap());
        assert!(path_of_key("b/a\nc").is_err());
    }
}
