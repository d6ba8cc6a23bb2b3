//! The bookmark of a table: pure decisions over what is listed and what was merged.
//!
//! A file is known by key, entity tag and time, so a file that is written anew is a new file. S3 gives the times, and
//! lists by name: files are taken by time, then by name. What is older than the newest merged file by more than
//! `late_days` is taken for merged; of the rest each file is remembered, by a hash.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// 72 bits: among a billion files two are alike with a chance of one in ten thousand, and then in the same hour only.
const HASH_CHARS: usize = 18;

/// A file with changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceFile {
    /// When S3 says that it was written; first, for files are taken in this order.
    pub modified: Timestamp,
    /// Its key.
    pub key: String,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Its size.
    pub size_bytes: u64,
}

/// A file that is merged in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    /// The file.
    pub file: SourceFile,
    /// Where the next row begins.
    pub offset_bytes: u64,
    /// The lines before it.
    pub lines: u64,
    /// The names of its fields, where a header gave them.
    pub header: Vec<String>,
}

/// Rows that are staged and not yet known to be merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// From 1, without gaps.
    pub number: u64,
    /// Key prefix of the staged rows.
    pub staged: String,
    /// Files that were read to their end.
    pub files: Vec<SourceFile>,
    /// The file that goes on in the next batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Partial>,
    /// Rows to merge.
    pub rows: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Where the refused rows lie, with reason and line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejects_uri: Option<String>,
    /// Whether more waited when it was staged.
    pub more: bool,
}

/// What a batch was that is merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Files that were read to their end.
    pub files: u64,
    /// Rows that were merged.
    pub rows: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Where the refused rows lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejects_uri: Option<String>,
    /// Whether more waited when it was staged.
    pub more: bool,
}

/// What is known of a table's source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Bookmark {
    /// The number of the last batch that was merged.
    pub batches: u64,
    /// That batch without its files, for whoever asks again because the answer was lost.
    pub last: Option<Merged>,
    /// The time of the newest file that was merged.
    pub newest: Option<Timestamp>,
    /// Hashes of merged files by the hour of their time.
    pub known: BTreeMap<i64, BTreeSet<String>>,
    /// The file that is merged in part.
    pub partial: Option<Partial>,
    /// The batch that is to be merged next.
    pub pending: Option<Batch>,
    /// ARN of the execution that works on it.
    pub holder: Option<String>,
    /// Whether another execution came meanwhile, so that there may be more.
    pub asked_again: bool,
    /// A hash of the statements that made table and views.
    pub prepared: Option<String>,
}

const HOUR_SECONDS: i64 = 3600;

impl SourceFile {
    fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for part in [self.key.as_bytes(), self.etag.as_bytes(), &self.modified.as_millisecond().to_be_bytes()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let mut hash = format!("{:x}", hasher.finalize());
        hash.truncate(HASH_CHARS);
        hash
    }

    fn hour(&self) -> i64 {
        self.modified.as_second().div_euclid(HOUR_SECONDS)
    }
}

impl Bookmark {
    /// The number of the next batch.
    #[must_use]
    pub fn next_batch(&self) -> u64 {
        self.batches + 1
    }

    /// Whether `file` was merged.
    #[must_use]
    pub fn knows(&self, file: &SourceFile, late_days: u32) -> bool {
        let before = self.horizon(late_days).is_some_and(|horizon| file.hour() < horizon);
        before || self.known.get(&file.hour()).is_some_and(|hashes| hashes.contains(&file.hash()))
    }

    /// The files among `listed` that are not merged, the oldest first; one that is merged in part comes first.
    #[must_use]
    pub fn waiting(&self, listed: Vec<SourceFile>, late_days: u32) -> Vec<SourceFile> {
        let is_new = |file: &SourceFile| !self.knows(file, late_days);
        let mut files: Vec<_> = listed.into_iter().filter(is_new).collect();
        let begun = |file: &SourceFile| self.partial.as_ref().is_some_and(|partial| partial.file == *file);
        files.sort_by(|left, right| begun(right).cmp(&begun(left)).then_with(|| left.cmp(right)));
        files
    }

    /// Takes the pending batch for merged, if it is `number`, and gives what it was; also if it was merged last already.
    pub fn commit(&mut self, number: u64, late_days: u32) -> Option<Merged> {
        let Some(batch) = self.pending.take_if(|batch| batch.number == number) else {
            return self.last.clone().filter(|_| self.batches == number);
        };
        self.batches = number;
        self.partial.clone_from(&batch.partial);
        for file in &batch.files {
            self.newest = self.newest.max(Some(file.modified));
            self.known.entry(file.hour()).or_default().insert(file.hash());
        }
        if let Some(horizon) = self.horizon(late_days) {
            self.known = self.known.split_off(&horizon);
        }
        self.asked_again = false;
        self.last = Some(Merged {
            files: batch.files.len() as u64,
            rows: batch.rows,
            rejected: batch.rejected,
            rejects_uri: batch.rejects_uri,
            more: batch.more,
        });
        self.last.clone()
    }

    /// The first hour whose files are remembered.
    fn horizon(&self, late_days: u32) -> Option<i64> {
        let newest = self.newest?.checked_sub(SignedDuration::from_hours(24 * i64::from(late_days))).ok()?;
        Some(newest.as_second().div_euclid(HOUR_SECONDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(key: &str, time: &str, etag: &str) -> SourceFile {
        SourceFile { modified: time.parse().unwrap(), key: key.into(), etag: etag.into(), size_bytes: 1 }
    }

    fn batch(number: u64, files: &[SourceFile]) -> Batch {
        Batch {
            number,
            staged: String::new(),
            files: files.to_vec(),
            partial: None,
            rows: 1,
            rejected: 0,
            rejects_uri: None,
            more: false,
        }
    }

    fn merged(bookmark: &mut Bookmark, files: &[SourceFile]) {
        let number = bookmark.next_batch();
        bookmark.pending = Some(batch(number, files));
        assert!(bookmark.commit(number, 1).is_some());
    }

    #[test]
    fn files_are_taken_by_time_and_each_once() {
        let mut bookmark = Bookmark::default();
        let (first, second) = (file("z", "2026-05-01T10:00:00Z", "1"), file("a", "2026-05-01T10:00:01Z", "2"));
        assert_eq!(bookmark.waiting(vec![second.clone(), first.clone()], 1), [first.clone(), second.clone()]);
        merged(&mut bookmark, std::slice::from_ref(&first));
        assert_eq!(bookmark.waiting(vec![second.clone(), first.clone()], 1), std::slice::from_ref(&second));
        let late = file("m", "2026-05-01T09:00:00Z", "3");
        merged(&mut bookmark, std::slice::from_ref(&second));
        assert_eq!(bookmark.waiting(vec![second, first.clone(), late.clone()], 1), [late], "it appeared late");
        let anew = file("z", "2026-05-01T10:00:00Z", "4");
        assert_eq!(bookmark.waiting(vec![anew.clone()], 1), [anew], "written anew within the second");
    }

    #[test]
    fn what_is_long_past_is_forgotten_and_taken_for_merged() {
        let mut bookmark = Bookmark::default();
        let old = file("a", "2026-05-01T10:00:00Z", "1");
        merged(&mut bookmark, std::slice::from_ref(&old));
        merged(&mut bookmark, &[file("b", "2026-05-03T10:00:00Z", "2")]);
        assert_eq!(bookmark.known.len(), 1);
        assert!(bookmark.knows(&old, 1));
        assert!(!bookmark.knows(&file("c", "2026-05-02T11:00:00Z", "3"), 1));
    }

    #[test]
    fn a_batch_is_committed_once() {
        let mut bookmark = Bookmark { pending: Some(batch(1, &[])), asked_again: true, ..Bookmark::default() };
        assert_eq!(bookmark.commit(2, 1), None);
        let merged = bookmark.commit(1, 1);
        assert!(merged.is_some());
        assert_eq!((bookmark.batches, bookmark.asked_again), (1, false));
        let after = bookmark.clone();
        assert_eq!(bookmark.commit(1, 1), merged, "the answer was lost");
        assert_eq!(bookmark, after);
        bookmark.batches = 2;
        assert_eq!(bookmark.commit(1, 1), None, "another went on");
    }

    #[test]
    fn a_begun_file_comes_first() {
        let (begun, older) = (file("b", "2026-05-01T10:00:00Z", "1"), file("a", "2026-05-01T09:00:00Z", "1"));
        let partial = Partial { file: begun.clone(), offset_bytes: 7, lines: 1, header: Vec::new() };
        let bookmark = Bookmark { partial: Some(partial), ..Bookmark::default() };
        assert_eq!(bookmark.waiting(vec![older.clone(), begun.clone()], 1), [begun, older]);
    }
}
