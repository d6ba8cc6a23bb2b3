//! Zip containers (OOXML, ODF, EPUB) with bounds on members, expansion and ratio.

use std::io::{Cursor, Read};
use std::sync::Arc;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::DocumentError;
use crate::limits::Limits;
use crate::xml;

/// Honest markup compresses up to fifty times; beyond this only above [`RATIO_FREE_BYTES`].
const MAX_RATIO: u64 = 250;
/// Below this size any ratio is harmless.
const RATIO_FREE_BYTES: u64 = 8 << 20;

/// An open container.
pub(crate) struct Package<'a> {
    archive: ZipArchive<Cursor<Arc<[u8]>>>,
    names: Vec<String>,
    limits: &'a Limits,
    expanded: u64,
}

impl<'a> Package<'a> {
    pub(crate) fn open(bytes: &Arc<[u8]>, limits: &'a Limits) -> Result<Self, DocumentError> {
        let archive = ZipArchive::new(Cursor::new(Arc::clone(bytes))).map_err(|error| unreadable(&error))?;
        if archive.len() > limits.max_members {
            return Err(DocumentError::TooLarge(format!("`{}` members in a container", limits.max_members)));
        }
        let names = archive.file_names_raw().map(|name| String::from_utf8_lossy(name).replace('\\', "/")).collect();
        Ok(Self { archive, names, limits, expanded: 0 })
    }

    /// Names of the members, with forward slashes.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Names that begin with `prefix` and end with `suffix`, in the order of the numbers in them.
    pub(crate) fn numbered(&self, prefix: &str, suffix: &str) -> Vec<String> {
        let fits = |name: &&String| name.starts_with(prefix) && name.ends_with(suffix);
        let mut names: Vec<String> = self.names.iter().filter(fits).cloned().collect();
        names.sort_by_key(|name| {
            let digits: String = name[prefix.len()..].chars().take_while(char::is_ascii_digit).collect();
            (digits.parse::<u64>().unwrap_or(u64::MAX), name.clone())
        });
        names
    }

    /// The bytes of a member; `None` where there is none of that name (in any case of letters).
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, DocumentError> {
        let exact = self.names.iter().position(|it| it == name);
        let folded = || self.names.iter().position(|it| it.eq_ignore_ascii_case(name));
        match exact.or_else(folded) {
            Some(index) => self.read_index(index).map(Some),
            None => Ok(None),
        }
    }

    /// The text of an XML member.
    pub(crate) fn xml(&mut self, name: &str) -> Result<Option<String>, DocumentError> {
        Ok(self.read(name)?.map(|bytes| xml::decode(&bytes)))
    }

    /// The size that a member claims to have when expanded.
    pub(crate) fn claimed_size(&mut self, name: &str) -> u64 {
        let index = self.names.iter().position(|it| it == name);
        index.and_then(|index| self.archive.by_index_raw(index).ok()).map_or(0, |member| member.size())
    }

    /// Expands every member into nothing, to be sure that another reader may do so.
    pub(crate) fn prove_bounded(&mut self) -> Result<(), DocumentError> {
        for index in 0..self.names.len() {
            match self.read_index(index) {
                Ok(_) | Err(DocumentError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read_index(&mut self, index: usize) -> Result<Vec<u8>, DocumentError> {
        let mut member = self.archive.by_index(index).map_err(|error| unreadable(&error))?;
        let limit = self.limits.max_member_bytes.min(self.limits.max_expanded_bytes.saturating_sub(self.expanded));
        let packed = member.compressed_size().max(1);
        let limit = limit.min(packed.saturating_mul(MAX_RATIO).max(RATIO_FREE_BYTES));
        let mut bytes = Vec::new();
        // What was expanded before a fault (a wrong checksum, a cut end) is still of use.
        let result = member.by_ref().take(limit + 1).read_to_end(&mut bytes);
        self.expanded += bytes.len() as u64;
        if bytes.len() as u64 > limit {
            return Err(DocumentError::TooLarge(format!("`{limit}` bytes for a member of a container")));
        }
        match result {
            Err(_) if bytes.is_empty() => Err(DocumentError::damaged("a member of the container does not expand")),
            _ => Ok(bytes),
        }
    }
}

fn unreadable(error: &ZipError) -> DocumentError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            DocumentError::Encrypted("the container's members need a password")
        }
        _ => DocumentError::damaged("the zip container's directory is missing or broken"),
    }
}

/// A path in a container relative to the folder of `base`: `../media/a.png` → `ppt/media/a.png`.
pub(crate) fn resolve(base: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { base.split('/').collect() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    /// A container of the given members.
    pub(crate) fn pack(members: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn members_are_found_in_any_case() {
        let limits = Limits::default();
        let bytes: Arc<[u8]> = pack(&[("Word/Document.xml", "<a/>"), ("p10.xml", ""), ("p9.xml", "")]).into();
        let mut package = Package::open(&bytes, &limits).unwrap();
        assert_eq!(package.xml("word/document.xml").unwrap().as_deref(), Some("<a/>"));
        assert_eq!(package.xml("none").unwrap(), None);
        assert_eq!(package.numbered("p", ".xml"), ["p9.xml", "p10.xml"]);
    }

    #[test]
    fn a_bomb_is_too_large() {
        let limits = Limits::default();
        let bytes: Arc<[u8]> = pack(&[("bomb", &"0".repeat(20 << 20))]).into();
        let mut package = Package::open(&bytes, &limits).unwrap();
        assert!(matches!(package.read("bomb"), Err(DocumentError::TooLarge(_))));
        assert!(matches!(package.prove_bounded(), Err(DocumentError::TooLarge(_))));
        let few = Limits { max_members: 0, ..Limits::default() };
        assert!(matches!(Package::open(&bytes, &few).map(|_| ()), Err(DocumentError::TooLarge(_))));
    }

    #[test]
    fn paths_are_relative_to_the_member_that_names_them() {
        assert_eq!(resolve("ppt/slides/slide1.xml", "../notesSlides/n1.xml"), "ppt/notesSlides/n1.xml");
        assert_eq!(resolve("ppt/presentation.xml", "/ppt/slides/s.xml"), "ppt/slides/s.xml");
        assert_eq!(resolve("content.opf", "a/./b.xhtml"), "a/b.xhtml");
        assert_eq!(resolve("a", "../../../x"), "x");
    }
}
