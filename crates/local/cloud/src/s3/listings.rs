//! Listings of objects and versions, in both generations of the API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, DeleteMarkerEntry, EncodingType, ListObjectVersionsInput,
    ListObjectVersionsOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    ObjectStorageClass, ObjectVersion, ObjectVersionStorageClass, Owner,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Surface;
use super::convert::{self, listed};
use super::errors::refuse;
use super::objects::signed;
use crate::context::ACCOUNT;
use crate::store::{Entry, Next, Page, VersionPage};

/// Entries of a page at most, and unless fewer are asked for.
const MOST_KEYS: i32 = 1000;

pub(super) async fn list_objects(
    surface: &Surface,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    let (encoding, max_keys) = (input.encoding_type.as_ref(), most(input.max_keys)?);
    let mut page = page(input.prefix.clone(), input.delimiter.clone(), max_keys);
    // A marker that is a common prefix of this very listing stands for all that was folded into it.
    let folded =
        |marker: &&String| input.delimiter.as_ref().is_some_and(|delimiter| marker.ends_with(delimiter.as_str()));
    page.after_prefix = input.marker.as_ref().filter(folded).cloned();
    page.after.clone_from(&input.marker);
    let listing = surface.store.list(&input.bucket, page).await.map_err(refuse)?;
    let next = listing.next.map(|(Next::Key(last) | Next::Prefix(last))| last);
    let contents = listing.entries.into_iter().map(|entry| object(&entry, encoding, true));
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(listed(&input.prefix.unwrap_or_default(), encoding)),
        marker: Some(listed(&input.marker.unwrap_or_default(), encoding)),
        max_keys: Some(max_keys),
        is_truncated: Some(next.is_some()),
        contents: Some(contents.collect::<S3Result<_>>()?),
        common_prefixes: Some(common_prefixes(listing.common_prefixes, encoding)),
        next_marker: next.filter(|_| input.delimiter.is_some()).map(|next| listed(&next, encoding)),
        delimiter: input.delimiter.map(|delimiter| listed(&delimiter, encoding)),
        encoding_type: input.encoding_type.clone(),
        ..Default::default()
    }))
}

pub(super) async fn list_objects_v2(
    surface: &Surface,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    let (encoding, max_keys) = (input.encoding_type.as_ref(), most(input.max_keys)?);
    let mut page = page(input.prefix.clone(), input.delimiter.clone(), max_keys);
    page.after.clone_from(&input.start_after);
    if let Some(token) = &input.continuation_token {
        (page.after, page.after_prefix) = from_token(token)?;
    }
    let listing = surface.store.list(&input.bucket, page).await.map_err(refuse)?;
    let key_count = listing.entries.len() + listing.common_prefixes.len();
    let owner = input.fetch_owner.unwrap_or(false);
    let contents = listing.entries.into_iter().map(|entry| object(&entry, encoding, owner));
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(listed(&input.prefix.unwrap_or_default(), encoding)),
        max_keys: Some(max_keys),
        key_count: i32::try_from(key_count).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(listing.next.is_some()),
        next_continuation_token: listing.next.as_ref().map(to_token),
        contents: Some(contents.collect::<S3Result<_>>()?),
        common_prefixes: Some(common_prefixes(listing.common_prefixes, encoding)),
        delimiter: input.delimiter.map(|delimiter| listed(&delimiter, encoding)),
        encoding_type: input.encoding_type.clone(),
        start_after: input.start_after.map(|key| listed(&key, encoding)),
        ..Default::default()
    }))
}

pub(super) async fn list_object_versions(
    surface: &Surface,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = request.input;
    let (encoding, max_keys) = (input.encoding_type.as_ref(), most(input.max_keys)?);
    if input.version_id_marker.is_some() && input.key_marker.is_none() {
        return Err(s3_error!(InvalidArgument, "A version-id marker cannot be specified without a key marker."));
    }
    let mut page = page(input.prefix.clone(), input.delimiter.clone(), max_keys);
    let folded =
        |marker: &&String| input.delimiter.as_ref().is_some_and(|delimiter| marker.ends_with(delimiter.as_str()));
    page.after_prefix = input.key_marker.as_ref().filter(folded).cloned();
    page.after.clone_from(&input.key_marker);
    let page = VersionPage { page, after_version: input.version_id_marker.clone() };
    let listing = surface.store.list_versions(&input.bucket, page).await.map_err(refuse)?;
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for version in listing.entries {
        let entry = object(&version.entry, encoding, true)?;
        let (is_latest, version_id) = (Some(version.latest), Some(version.version_id));
        let (key, last_modified, owner) = (entry.key, entry.last_modified, entry.owner);
        if version.delete_marker {
            markers.push(DeleteMarkerEntry { is_latest, key, last_modified, owner, version_id });
        } else {
            versions.push(ObjectVersion {
                checksum_algorithm: entry.checksum_algorithm,
                e_tag: entry.e_tag,
                is_latest,
                key,
                last_modified,
                owner,
                size: entry.size,
                storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
                version_id,
                ..Default::default()
            });
        }
    }
    let (next_key, next_version) = listing.next.unzip();
    Ok(S3Response::new(ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(listed(&input.prefix.unwrap_or_default(), encoding)),
        key_marker: Some(listed(&input.key_marker.unwrap_or_default(), encoding)),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        max_keys: Some(max_keys),
        is_truncated: Some(next_key.is_some()),
        next_key_marker: next_key.map(|key| listed(&key, encoding)),
        next_version_id_marker: next_version.flatten(),
        versions: Some(versions),
        delete_markers: Some(markers),
        common_prefixes: Some(common_prefixes(listing.common_prefixes, encoding)),
        delimiter: input.delimiter.map(|delimiter| listed(&delimiter, encoding)),
        encoding_type: input.encoding_type.clone(),
        ..Default::default()
    }))
}

/// How many entries a page may have.
pub(super) fn most(asked: Option<i32>) -> S3Result<i32> {
    let asked = asked.unwrap_or(MOST_KEYS);
    if asked < 0 { Err(s3_error!(InvalidArgument, "max-keys must not be negative")) } else { Ok(asked.min(MOST_KEYS)) }
}

fn page(prefix: Option<String>, delimiter: Option<String>, most: i32) -> Page {
    let most = usize::try_from(most).unwrap_or(0);
    Page { prefix: prefix.unwrap_or_default(), delimiter, most, ..Page::default() }
}

pub(super) fn common_prefixes(prefixes: Vec<String>, encoding: Option<&EncodingType>) -> Vec<CommonPrefix> {
    prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(listed(&prefix, encoding)) }).collect()
}

fn object(entry: &Entry, encoding: Option<&EncodingType>, with_owner: bool) -> S3Result<Object> {
    let algorithm = entry.algorithm.map(|algorithm| vec![ChecksumAlgorithm::from_static(algorithm.name())]);
    Ok(Object {
        checksum_algorithm: algorithm,
        e_tag: Some(convert::etag(&entry.etag)),
        key: Some(listed(&entry.key, encoding)),
        last_modified: Some(convert::timestamp(entry.modified)),
        owner: with_owner.then(|| Owner { display_name: None, id: Some(ACCOUNT.to_owned()) }),
        size: Some(signed(entry.size_bytes)?),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Default::default()
    })
}

/// Opaque to clients: `k` or `p` for a key or a prefix, and its text.
fn to_token(next: &Next) -> String {
    URL_SAFE_NO_PAD.encode(match next {
        Next::Key(key) => format!("k{key}"),
        Next::Prefix(prefix) => format!("p{prefix}"),
    })
}

fn from_token(token: &str) -> S3Result<(Option<String>, Option<String>)> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.as_deref().and_then(|text| text.split_at_checked(1));
    match text {
        Some(("k", key)) => Ok((Some(key.to_owned()), None)),
        Some(("p", prefix)) => Ok((None, Some(prefix.to_owned()))),
        _ => Err(s3_error!(InvalidArgument, "The continuation token provided is incorrect")),
    }
}
