//! Between the store's words and the wire's.

use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3s::dto::{self, ETag, ETagCondition, TimestampFormat};
use s3s::{S3Result, s3_error};

use crate::store::{Condition, Tag};

/// What `encoding-type=url` leaves as it is.
const URL_KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

/// Sets the five checksum members of an output.
macro_rules! set_checksums {
    ($output:expr, $checksums:expr) => {{
        use $crate::store::Algorithm;
        $output.checksum_crc32 = $checksums.get(Algorithm::Crc32);
        $output.checksum_crc32c = $checksums.get(Algorithm::Crc32c);
        $output.checksum_crc64nvme = $checksums.get(Algorithm::Crc64Nvme);
        $output.checksum_sha1 = $checksums.get(Algorithm::Sha1);
        $output.checksum_sha256 = $checksums.get(Algorithm::Sha256);
    }};
}
pub(super) use set_checksums;

/// The checksum that an input carries in one of its five members.
macro_rules! sent_checksum {
    ($input:expr) => {{
        use $crate::store::Algorithm;
        let members = [
            (Algorithm::Crc32, &$input.checksum_crc32),
            (Algorithm::Crc32c, &$input.checksum_crc32c),
            (Algorithm::Crc64Nvme, &$input.checksum_crc64nvme),
            (Algorithm::Sha1, &$input.checksum_sha1),
            (Algorithm::Sha256, &$input.checksum_sha256),
        ];
        members.into_iter().find_map(|(algorithm, value)| Some((algorithm, value.clone()?)))
    }};
}
pub(super) use sent_checksum;

/// The stored headers that an input carries.
macro_rules! attributes {
    ($input:expr) => {
        $crate::store::Attributes {
            content_type: $input.content_type.clone(),
            content_encoding: $input.content_encoding.clone(),
            content_language: $input.content_language.clone(),
            content_disposition: $input.content_disposition.clone(),
            cache_control: $input.cache_control.clone(),
            expires: $input.expires.as_ref().map($crate::s3::convert::timestamp_text),
            website_redirect: $input.website_redirect_location.clone(),
            storage_class: $input.storage_class.as_ref().map(|class| class.as_str().to_owned()),
            metadata: $input.metadata.clone().unwrap_or_default().into_iter().collect(),
        }
    };
}
pub(super) use attributes;

pub(super) fn timestamp(at: jiff::Timestamp) -> dto::Timestamp {
    dto::Timestamp::from(SystemTime::from(at))
}

/// As it is stored; a time that has no text has no meaning either.
pub(super) fn timestamp_text(at: &dto::Timestamp) -> String {
    let mut text = Vec::new();
    let written = at.format(TimestampFormat::DateTime, &mut text);
    written.ok().and_then(|()| String::from_utf8(text).ok()).unwrap_or_default()
}

pub(super) fn timestamp_from_text(text: &str) -> Option<dto::Timestamp> {
    dto::Timestamp::parse(TimestampFormat::DateTime, text).ok()
}

/// What S3 says of every object: that it lies encrypted under a key of the service. Here the disk is the owner's.
pub(super) fn encryption() -> dto::ServerSideEncryption {
    dto::ServerSideEncryption::from_static(dto::ServerSideEncryption::AES256)
}

pub(super) fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

/// `x-amz-tagging: key=value&key=value`, form-encoded.
pub(super) fn tags_from_header(header: Option<&str>) -> S3Result<Vec<Tag>> {
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| Ok(Tag { key: form(key)?, value: form(value)? }))
        .collect()
}

fn form(text: &str) -> S3Result<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| s3_error!(InvalidArgument, "the header x-amz-tagging is not UTF-8"))
}

/// The conditions of a write. S3 knows `If-None-Match` with `*` only.
pub(super) fn write_condition(
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
) -> S3Result<Condition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Condition::None),
        (None, Some(ETagCondition::Any)) => Ok(Condition::Absent),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Condition::Matches(etag.into_value())),
        _ => Err(s3_error!(NotImplemented, "a write takes either If-Match with an ETag or If-None-Match with *")),
    }
}

/// A key of a listing, encoded where the client asked for it.
pub(super) fn listed(text: &str, encoding: Option<&dto::EncodingType>) -> String {
    match encoding {
        Some(encoding) if encoding.as_str() == dto::EncodingType::URL => {
            utf8_percent_encode(text, URL_KEPT).to_string()
        }
        _ => text.to_owned(),
    }
}
