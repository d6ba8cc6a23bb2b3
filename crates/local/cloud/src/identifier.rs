//! Identifiers in the form of random UUIDs, as AWS gives to requests, executions and revisions.

/// A new identifier. It only has to be unique, so it needs neither seed nor secrecy.
pub(crate) fn random() -> String {
    let bits = fastrand::u128(..);
    let (version, variant) = (0x4000 | (bits >> 64) & 0x0fff, 0x8000 | (bits >> 48) & 0x3fff);
    let node = bits & 0xffff_ffff_ffff;
    format!("{:08x}-{:04x}-{version:04x}-{variant:04x}-{node:012x}", bits >> 96, (bits >> 80) & 0xffff)
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_identifier_has_the_form_of_a_random_uuid() {
        let identifier = super::random();
        let lengths: Vec<usize> = identifier.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(identifier.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&identifier.as_bytes()[19]));
        assert_ne!(identifier, super::random());
    }
}
