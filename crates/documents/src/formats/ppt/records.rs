//! Records of [MS-PPT]: a header of eight bytes, then a body that may hold records.

use crate::formats::ole::{u16_at, u32_at};

/// Containers within containers, so deep; real files have about ten.
const MAX_DEPTH: usize = 64;

/// A record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) kind: u16,
    pub(super) instance: u16,
    pub(super) body: &'a [u8],
    is_container: bool,
}

/// The records of one level, or of all levels in the order in which they lie.
pub(super) struct Records<'a> {
    open: Vec<&'a [u8]>,
    is_deep: bool,
}

impl<'a> Records<'a> {
    /// The records that `bytes` begin with, one after the other.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { open: vec![bytes], is_deep: false }
    }

    /// These records and those within them.
    pub(super) fn deep(bytes: &'a [u8]) -> Self {
        Self { open: vec![bytes], is_deep: true }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        loop {
            let rest = self.open.last_mut()?;
            let Some((record, behind)) = split(rest) else {
                self.open.pop();
                continue;
            };
            *rest = behind;
            if self.is_deep && record.is_container && self.open.len() < MAX_DEPTH {
                self.open.push(record.body);
            }
            return Some(record);
        }
    }
}

fn split(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (head, kind, length) = (u16_at(bytes, 0)?, u16_at(bytes, 2)?, u32_at(bytes, 4)? as usize);
    let body = &bytes[8..];
    // A cut file still gives the part of the last record that is there.
    let (body, behind) = body.split_at(length.min(body.len()));
    Some((Record { kind, instance: head >> 4, body, is_container: head & 0xf == 0xf }, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(version: u16, kind: u16, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap();
        [&version.to_le_bytes()[..], &kind.to_le_bytes(), &length.to_le_bytes(), body].concat()
    }

    #[test]
    fn levels_are_walked_in_order() {
        let inner = record(0, 2, b"x");
        let bytes = [record(0xf, 1, &inner), record(0x10, 3, b"")].concat();
        let kinds = |records: Records<'_>| records.map(|it| (it.kind, it.instance)).collect::<Vec<_>>();
        assert_eq!(kinds(Records::new(&bytes)), [(1, 0), (3, 1)]);
        assert_eq!(kinds(Records::deep(&bytes)), [(1, 0), (2, 0), (3, 1)]);
        assert_eq!(kinds(Records::deep(&bytes[..bytes.len() - 1])), [(1, 0), (2, 0)]);
    }
}
