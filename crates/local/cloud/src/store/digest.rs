//! Digests of one object's bytes, all taken in one pass: its name (SHA-256), its `ETag` (MD5), the client's checksum.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::StoreError;

/// A checksum that S3 offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// CRC-32.
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// CRC-64/NVME, S3's default.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// Its name in `x-amz-checksum-algorithm`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that carries its value.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The algorithm of that name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
}

/// Checksums of an object or part, in base64; at most the one that the client chose is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checksums {
    /// The algorithm and its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<(Algorithm, String)>,
    /// The value is of the parts' checksums (`…-3`), not of the whole object.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub composite: bool,
}

impl Checksums {
    /// The value for `algorithm`, where it is the one that was taken.
    #[must_use]
    pub fn get(&self, algorithm: Algorithm) -> Option<String> {
        self.value.as_ref().filter(|(of, _)| *of == algorithm).map(|(_, value)| value.clone())
    }
}

/// What the client says about the bytes it sends.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// `Content-MD5`, base64.
    pub md5: Option<String>,
    /// `x-amz-content-sha256` where it is a digest, lower-case hexadecimal.
    pub sha256: Option<String>,
    /// An `x-amz-checksum-…` header or trailer, base64.
    pub checksum: Option<(Algorithm, String)>,
    /// Number of bytes announced.
    pub size_bytes: Option<u64>,
    /// A checksum that arrives behind the bytes.
    pub trailer: Option<Arc<Trailer>>,
}

/// A checksum that arrives behind the bytes it is of.
#[derive(Debug)]
pub struct Trailer {
    algorithm: Algorithm,
    value: OnceLock<String>,
}

impl Trailer {
    /// One that is still to come.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, value: OnceLock::new() }
    }

    /// What it is taken with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// It has arrived. Only the first one counts.
    pub fn set(&self, value: &str) {
        let _ = self.value.set(value.to_owned());
    }
}

/// The digests of a finished stream of bytes.
#[derive(Debug, Clone)]
pub(super) struct Digests {
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
    pub(super) md5: [u8; 16],
    pub(super) checksums: Checksums,
}

impl Digests {
    pub(super) fn etag(&self) -> String {
        hex(&self.md5)
    }

    /// Holds the digests against what the client announced.
    pub(super) fn verify(&self, expected: &Expected) -> Result<(), StoreError> {
        if let Some(announced) = expected.size_bytes.filter(|announced| *announced != self.size_bytes) {
            return Err(StoreError::IncompleteBody { announced, received: self.size_bytes });
        }
        if expected.md5.as_ref().is_some_and(|md5| *md5 != STANDARD.encode(self.md5)) {
            return Err(StoreError::BadDigest("content-md5"));
        }
        if expected.sha256.as_ref().is_some_and(|sha256| !sha256.eq_ignore_ascii_case(&self.sha256)) {
            return Err(StoreError::BadDigest("x-amz-content-sha256"));
        }
        let trailing = expected.trailer.as_ref().map(|trailer| (trailer.algorithm, trailer.value.get().cloned()));
        let leading = expected.checksum.clone().map(|(algorithm, value)| (algorithm, Some(value)));
        for (algorithm, value) in trailing.into_iter().chain(leading) {
            if self.checksums.get(algorithm) != value {
                return Err(StoreError::BadDigest(algorithm.header()));
            }
        }
        Ok(())
    }
}

/// Takes all digests in one pass.
pub(super) struct Hasher {
    size_bytes: u64,
    sha256: Sha256,
    md5: Md5,
    algorithm: Algorithm,
    checksum: ChecksumHasher,
}

impl Hasher {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self { size_bytes: 0, sha256: Sha256::new(), md5: Md5::new(), algorithm, checksum: checksum_hasher(algorithm) }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.size_bytes += bytes.len() as u64;
        self.sha256.update(bytes);
        self.md5.update(bytes);
        self.checksum.update(bytes);
    }

    pub(super) fn finish(self) -> Digests {
        let sha256 = self.sha256.finalize();
        let value = checksum_value(self.checksum).unwrap_or_else(|| STANDARD.encode(sha256));
        Digests {
            size_bytes: self.size_bytes,
            sha256: hex(&sha256),
            md5: self.md5.finalize().into(),
            checksums: Checksums { value: Some((self.algorithm, value)), composite: false },
        }
    }
}

/// The checksum of the parts' raw checksums one after another, as S3 gives it for a composite: `value-3`.
pub(super) fn composite(algorithm: Algorithm, parts: &[String]) -> Option<String> {
    let mut hasher = Hasher::new(algorithm);
    for part in parts {
        hasher.update(&STANDARD.decode(part).ok()?);
    }
    let value = hasher.finish().checksums.get(algorithm)?;
    Some(format!("{value}-{}", parts.len()))
}

/// The `ETag` of a multipart object: the MD5 of the parts' MD5s, and their number.
pub(super) fn multipart_etag(part_etags: &[String]) -> Option<String> {
    let mut md5 = Md5::new();
    for etag in part_etags {
        md5.update(unhex(etag)?);
    }
    Some(format!("{}-{}", hex(&md5.finalize()), part_etags.len()))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pairs = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    pairs.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
    digits.map(|digits| digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// SHA-256 is left out: the object's name is that already.
fn checksum_hasher(algorithm: Algorithm) -> ChecksumHasher {
    let mut hasher = ChecksumHasher::default();
    match algorithm {
        Algorithm::Crc32 => hasher.crc32 = Some(Crc32::new()),
        Algorithm::Crc32c => hasher.crc32c = Some(Crc32c::new()),
        Algorithm::Crc64Nvme => hasher.crc64nvme = Some(Crc64Nvme::new()),
        Algorithm::Sha1 => hasher.sha1 = Some(Sha1::new()),
        Algorithm::Sha256 => {}
    }
    hasher
}

fn checksum_value(hasher: ChecksumHasher) -> Option<String> {
    let sums = hasher.finalize();
    sums.checksum_crc32.or(sums.checksum_crc32c).or(sums.checksum_crc64nvme).or(sums.checksum_sha1)
}
