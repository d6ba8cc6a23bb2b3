//! The store against a real directory: versions, conditions, crashes.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::join_all;

use super::*;

fn store(directory: &Path) -> Store {
    let database = Database::open(&directory.join("cloud.db"), &crate::database::Schema::of(&[SCHEMA])).unwrap();
    Store::open(database, directory, Clock::default()).unwrap()
}

async fn with_bucket(directory: &Path, versioning: Option<Versioning>) -> Store {
    let store = store(directory);
    store.create_bucket("raw").await.unwrap();
    if let Some(versioning) = versioning {
        store.set_versioning("raw", versioning).await.unwrap();
    }
    store
}

async fn put(store: &Store, key: &str, text: &str) -> ObjectVersion {
    store.put_bytes("raw", key, Some("text/plain"), Bytes::from(text.to_owned())).await.unwrap()
}

async fn text(store: &Store, object: &ObjectVersion) -> String {
    let bytes = store.open_bytes(object).await.unwrap();
    let chunks: Vec<_> = bytes.stream(0..object.size_bytes).map(Result::unwrap).collect().await;
    String::from_utf8(chunks.concat()).unwrap()
}

async fn events(store: &Store) -> Vec<(String, String, i64)> {
    let sql = "SELECT name, key, sequencer FROM events ORDER BY id";
    let read = move |connection: &rusqlite::Connection| {
        connection.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
    };
    store.database.read(read).await.unwrap()
}

/// A text that does not go into a row.
fn large(word: &str) -> String {
    word.repeat(blobs::MOST_ROW_BYTES)
}

fn files(directory: &Path) -> usize {
    Blobs::open(directory).unwrap().names().unwrap().len()
}

#[tokio::test]
async fn gives_back_what_was_put() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), None).await;
    let object = put(&store, "a b+c%20&ü/日本.txt", "hello").await;
    assert_eq!(object.etag, "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(object.version_id, None);
    let found = store.head("raw", "a b+c%20&ü/日本.txt", None).await.unwrap();
    assert_eq!((found.size_bytes, found.content_type.as_deref()), (5, Some("text/plain")));
    assert_eq!(text(&store, &found).await, "hello");
    assert!(matches!(store.head("raw", "b", None).await, Err(StoreError::NoSuchKey(_))));
    assert!(matches!(store.head("other", "b", None).await, Err(StoreError::NoSuchBucket(_))));
    assert!(matches!(store.head("raw", "b", Some("x")).await, Err(StoreError::NoSuchVersion(_))));
}

#[tokio::test]
async fn survives_being_opened_again_and_clears_what_was_half_written() {
    let directory = tempfile::tempdir().unwrap();
    let first = with_bucket(directory.path(), None).await;
    let (object, kept) = (put(&first, "key", "kept").await, large("kept"));
    put(&first, "large", &kept).await;
    drop(first);
    std::fs::write(directory.path().join("incoming/7"), "half").unwrap();
    std::fs::create_dir_all(directory.path().join("blobs/zz")).unwrap();
    std::fs::write(directory.path().join("blobs/zz/orphan"), "nobody's").unwrap();
    let store = store(directory.path());
    assert!(!directory.path().join("incoming/7").exists());
    assert_eq!(store.sweep().await.unwrap(), 1);
    assert_eq!(text(&store, &store.head("raw", "key", None).await.unwrap()).await, "kept");
    assert_eq!(text(&store, &store.head("raw", "large", None).await.unwrap()).await, kept);
    let next = put(&store, "key", "next").await;
    assert!(next.sequencer > object.sequencer);
}

#[tokio::test]
async fn a_small_object_is_in_its_row_and_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), None).await;
    let (full, empty) = ("x".repeat(blobs::MOST_ROW_BYTES), put(&store, "empty", "").await);
    let object = put(&store, "full", &full).await;
    assert_eq!((text(&store, &object).await, text(&store, &empty).await), (full, String::new()));
    assert_eq!(files(directory.path()), 0);
    let copied = store.copy(object.clone(), NewObject::new("raw", "copy")).await.unwrap();
    let part = store.open_bytes(&copied).await.unwrap().stream(10..15).collect::<Vec<_>>().await;
    assert_eq!(part.into_iter().map(Result::unwrap).collect::<Vec<_>>().concat(), b"xxxxx");
    let place = directory.path().join("placed");
    store.open_bytes(&copied).await.unwrap().place(&place).unwrap();
    assert_eq!(std::fs::metadata(&place).unwrap().len(), copied.size_bytes);
    store.delete("raw", "full", None).await.unwrap();
    assert!(matches!(store.open_bytes(&object).await, Err(StoreError::NoSuchKey(_))));
}

#[tokio::test]
async fn an_unversioned_bucket_keeps_one_file_for_each_content() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), None).await;
    put(&store, "one", &large("same")).await;
    put(&store, "two", &large("same")).await;
    assert_eq!(files(directory.path()), 1);
    put(&store, "one", &large("other")).await;
    assert_eq!(files(directory.path()), 2);
    store.delete("raw", "two", None).await.unwrap();
    store.delete("raw", "one", None).await.unwrap();
    assert_eq!(files(directory.path()), 0);
    store.delete_bucket("raw").await.unwrap();
}

#[tokio::test]
async fn a_versioned_bucket_keeps_versions_and_delete_markers() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), Some(Versioning::Enabled)).await;
    let first = put(&store, "key", "first").await;
    let second = put(&store, "key", "second").await;
    let marker = store.delete("raw", "key", None).await.unwrap();
    assert!(marker.marker_made);
    assert!(matches!(store.head("raw", "key", None).await, Err(StoreError::NoSuchKey(_))));
    let old = store.head("raw", "key", first.version_id.as_deref()).await.unwrap();
    assert_eq!(text(&store, &old).await, "first");
    store.delete("raw", "key", marker.version_id.as_deref()).await.unwrap();
    assert_eq!(store.head("raw", "key", None).await.unwrap().version_id, second.version_id);
    store.delete("raw", "key", second.version_id.as_deref()).await.unwrap();
    assert_eq!(store.head("raw", "key", None).await.unwrap().version_id, first.version_id);
}

#[tokio::test]
async fn a_suspended_bucket_replaces_only_the_null_version() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), Some(Versioning::Enabled)).await;
    let kept = put(&store, "key", "kept").await;
    store.set_versioning("raw", Versioning::Suspended).await.unwrap();
    assert_eq!(put(&store, "key", "null one").await.version_id.as_deref(), Some("null"));
    put(&store, "key", "null two").await;
    let marker = store.delete("raw", "key", None).await.unwrap();
    assert_eq!(marker.version_id.as_deref(), Some("null"));
    let listing =
        store.list_versions("raw", VersionPage { page: page("", None, 10), after_version: None }).await.unwrap();
    let ids: Vec<_> = listing.entries.iter().map(|entry| (entry.version_id.as_str(), entry.delete_marker)).collect();
    assert_eq!(ids, [("null", true), (kept.version_id.as_deref().unwrap(), false)]);
}

#[tokio::test]
async fn of_many_creators_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), Some(Versioning::Enabled)).await;
    let race = (0..20).map(|number| {
        let new = NewObject { condition: Condition::Absent, ..NewObject::new("raw", "key") };
        store.put(new, futures::stream::iter([Ok(Bytes::from(large(&format!("{number} "))))]))
    });
    let outcomes = join_all(race).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let lost = outcomes.into_iter().filter_map(Result::err);
    assert!(lost.into_iter().all(|error| matches!(error, StoreError::PreconditionFailed("If-None-Match"))));
    assert_eq!(files(directory.path()), 1, "the losers' files are collected");
}

#[tokio::test]
async fn a_replacement_names_what_it_replaces() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), None).await;
    let replace = |etag: &str, text: &'static str| {
        let new = NewObject { condition: Condition::Matches(etag.to_owned()), ..NewObject::new("raw", "key") };
        store.put(new, futures::stream::iter([Ok(Bytes::from(text))]))
    };
    assert!(matches!(replace("any", "x").await, Err(StoreError::NoSuchKey(_))));
    let object = put(&store, "key", "one").await;
    replace(&object.etag, "two").await.unwrap();
    assert!(matches!(replace(&object.etag, "three").await, Err(StoreError::PreconditionFailed("If-Match"))));
}

#[tokio::test]
async fn concurrent_puts_and_deletes_of_one_content_never_lose_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(with_bucket(directory.path(), None).await);
    let shared = Arc::new(large("shared"));
    let workers = (0..8).map(|worker| {
        let (store, shared) = (Arc::clone(&store), Arc::clone(&shared));
        tokio::spawn(async move {
            for _ in 0..20 {
                let key = format!("key-{worker}");
                let object = put(&store, &key, &shared).await;
                assert_eq!(text(&store, &object).await, *shared);
                store.delete("raw", &key, None).await.unwrap();
            }
        })
    });
    for worker in join_all(workers).await {
        worker.unwrap();
    }
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn bytes_that_are_not_as_announced_are_refused_and_leave_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), None).await;
    let cases = [
        Expected { md5: Some("AAAA".to_owned()), ..Expected::default() },
        Expected { sha256: Some("00".to_owned()), ..Expected::default() },
        Expected { checksum: Some((Algorithm::Crc32, "AAAAAA==".to_owned())), ..Expected::default() },
        Expected { size_bytes: Some(4), ..Expected::default() },
    ];
    for expected in cases {
        let new = NewObject { algorithm: Algorithm::Crc32, expected, ..NewObject::new("raw", "key") };
        let refused = store.put(new, futures::stream::iter([Ok(Bytes::from("hello"))])).await;
        assert!(matches!(refused, Err(StoreError::BadDigest(_) | StoreError::IncompleteBody { .. })));
    }
    assert_eq!(files(directory.path()), 0);
    assert_eq!(std::fs::read_dir(directory.path().join("incoming")).unwrap().count(), 0);
}

#[tokio::test]
async fn events_follow_the_rules_and_ascend() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), Some(Versioning::Enabled)).await;
    let rule = Rule {
        id: "rule".to_owned(),
        target: "queue".to_owned(),
        events: vec!["s3:ObjectCreated:*".to_owned(), "s3:ObjectRemoved:DeleteMarkerCreated".to_owned()],
        prefix: Some("in/".to_owned()),
        suffix: Some(".txt".to_owned()),
    };
    store.set_notifications("raw", &NotificationRules { rules: vec![rule], event_bridge: false }).await.unwrap();
    put(&store, "in/a.txt", "1").await;
    put(&store, "in/a.pdf", "2").await;
    put(&store, "out/a.txt", "3").await;
    let marker = store.delete("raw", "in/a.txt", None).await.unwrap();
    store.delete("raw", "in/a.txt", marker.version_id.as_deref()).await.unwrap();
    let events = events(&store).await;
    let names: Vec<_> = events.iter().map(|(name, key, _)| (name.as_str(), key.as_str())).collect();
    assert_eq!(names, [("ObjectCreated:Put", "in/a.txt"), ("ObjectRemoved:DeleteMarkerCreated", "in/a.txt")]);
    assert!(events.is_sorted_by_key(|(.., sequencer)| *sequencer));
}

#[tokio::test]
async fn a_refused_put_writes_no_event() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), None).await;
    store.set_notifications("raw", &NotificationRules { rules: vec![], event_bridge: true }).await.unwrap();
    put(&store, "key", "1").await;
    let new = NewObject { condition: Condition::Absent, ..NewObject::new("raw", "key") };
    store.put(new, futures::stream::iter([Ok(Bytes::from("2"))])).await.unwrap_err();
    assert_eq!(events(&store).await.len(), 1);
}

#[tokio::test]
async fn tags_are_held_against_the_rules() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), None).await;
    put(&store, "key", "1").await;
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    let long = "x".repeat(129);
    let bad = [
        (0..11).map(|number| tag(&number.to_string(), "")).collect(),
        vec![tag("twice", "1"), tag("twice", "2")],
        vec![tag("", "")],
        vec![tag(&long, "")],
        vec![tag("aws:mine", "")],
        vec![tag("star", "*")],
    ];
    for tags in bad {
        let refused = store.set_tags("raw", "key", None, tags).await;
        assert!(matches!(refused, Err(StoreError::InvalidTag(_))));
    }
    store.set_tags("raw", "key", None, vec![tag("größe", "1+1 = 2")]).await.unwrap();
    assert_eq!(store.head("raw", "key", None).await.unwrap().tags.len(), 1);
}

fn page(prefix: &str, delimiter: Option<&str>, most: usize) -> Page {
    Page { prefix: prefix.to_owned(), delimiter: delimiter.map(str::to_owned), most, ..Page::default() }
}

/// Lists everything, `most` at a time.
async fn list_all(store: &Store, prefix: &str, delimiter: Option<&str>, most: usize) -> Vec<String> {
    let mut page = page(prefix, delimiter, most);
    let mut found = Vec::new();
    loop {
        let listing = store.list("raw", page.clone()).await.unwrap();
        let mut of_page: Vec<_> = listing.entries.into_iter().map(|entry| entry.key).collect();
        of_page.extend(listing.common_prefixes);
        assert!(of_page.len() <= most);
        of_page.sort();
        found.extend(of_page);
        (page.after, page.after_prefix) = match listing.next {
            None => return found,
            Some(Next::Key(key)) => (Some(key), None),
            Some(Next::Prefix(prefix)) => (None, Some(prefix)),
        };
    }
}

#[tokio::test]
async fn listings_fold_and_page_alike_for_every_page_size() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), None).await;
    let keys = ["a", "a/1", "a/2/x", "a/2/y", "a0", "b/1", "b/2", "b/é", "c", "z/\u{10FFFF}\u{10FFFF}"];
    for key in keys {
        put(&store, key, key).await;
    }
    for most in 1..=12 {
        assert_eq!(list_all(&store, "", None, most).await, keys, "{most} a page");
        assert_eq!(list_all(&store, "", Some("/"), most).await, ["a", "a/", "a0", "b/", "c", "z/"], "{most} a page");
        assert_eq!(list_all(&store, "a/", Some("/"), most).await, ["a/1", "a/2/"], "{most} a page");
        assert_eq!(list_all(&store, "q", Some("/"), most).await, [""; 0], "{most} a page");
    }
}

#[tokio::test]
async fn versions_are_listed_newest_first_over_pages() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), Some(Versioning::Enabled)).await;
    let mut wanted = Vec::new();
    for key in ["a", "b"] {
        let mut of_key = Vec::new();
        for text in ["1", "2", "3"] {
            of_key.push((key.to_owned(), put(&store, key, text).await.version_id.unwrap()));
        }
        wanted.extend(of_key.into_iter().rev());
    }
    for most in 1..=7 {
        let mut version_page = VersionPage { page: page("", None, most), after_version: None };
        let mut found = Vec::new();
        loop {
            let listing = store.list_versions("raw", version_page.clone()).await.unwrap();
            found.extend(listing.entries.into_iter().map(|entry| (entry.entry.key, entry.version_id)));
            let Some((key, version)) = listing.next else { break };
            version_page.page.after = Some(key);
            version_page.after_version = version;
        }
        assert_eq!(found, wanted, "{most} a page");
    }
}

async fn upload(store: &Store, parts: &[Bytes]) -> (String, Vec<ChosenPart>) {
    let new = NewUpload {
        bucket: "raw".to_owned(),
        key: "big".to_owned(),
        attributes: Attributes::default(),
        tags: vec![],
        algorithm: None,
        full_object: false,
    };
    let upload_id = store.create_upload(new).await.unwrap();
    let mut chosen = Vec::new();
    for (number, bytes) in (1..).zip(parts) {
        let part = NewPart {
            bucket: "raw".to_owned(),
            key: "big".to_owned(),
            upload_id: upload_id.clone(),
            number,
            algorithm: None,
            expected: Expected::default(),
        };
        let entry = store.put_part(part, futures::stream::iter([Ok(bytes.clone())])).await.unwrap();
        chosen.push(ChosenPart { number, etag: Some(entry.etag), checksum: None });
    }
    (upload_id, chosen)
}

fn completion(upload_id: &str, parts: Vec<ChosenPart>) -> Completion {
    Completion {
        bucket: "raw".to_owned(),
        key: "big".to_owned(),
        upload_id: upload_id.to_owned(),
        parts,
        condition: Condition::None,
        expected: Expected::default(),
    }
}

#[tokio::test]
async fn parts_become_one_object() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), None).await;
    let parts = [Bytes::from(vec![b'a'; 5 * 1024 * 1024]), Bytes::from("end")];
    let (upload_id, chosen) = upload(&store, &parts).await;
    let store = Store::open(store.database.clone(), directory.path(), Clock::default()).unwrap();
    let object = store.complete_upload(completion(&upload_id, chosen)).await.unwrap();
    assert!(object.etag.ends_with("-2"));
    assert_eq!(object.size_bytes, 5 * 1024 * 1024 + 3);
    assert!(text(&store, &object).await.ends_with("aend"));
    assert_eq!(files(directory.path()), 1, "the parts are collected");
    let again = store.complete_upload(completion(&upload_id, vec![])).await;
    assert!(matches!(again, Err(StoreError::NoSuchUpload(_))));
}

#[tokio::test]
async fn a_completion_is_held_against_the_parts() {
    let directory = tempfile::tempdir().unwrap();
    let store = with_bucket(directory.path(), None).await;
    let (upload_id, chosen) = upload(&store, &[Bytes::from("small"), Bytes::from("end")]).await;
    let complete = |parts| store.complete_upload(completion(&upload_id, parts));
    assert!(matches!(complete(chosen.clone()).await, Err(StoreError::EntityTooSmall(1))));
    assert!(matches!(complete(chosen.iter().rev().cloned().collect()).await, Err(StoreError::InvalidPartOrder)));
    let other = ChosenPart { etag: Some("other".to_owned()), ..chosen[1].clone() };
    assert!(matches!(complete(vec![other]).await, Err(StoreError::InvalidPart(2))));
    let missing = ChosenPart { number: 3, ..chosen[1].clone() };
    assert!(matches!(complete(vec![missing]).await, Err(StoreError::InvalidPart(3))));
    store.abort_upload("raw", "big", &upload_id).await.unwrap();
    assert_eq!(files(directory.path()), 0);
}
