//! A name's history as numbered objects: whoever creates number n + 1 first has changed the name, everyone else is
//! told that it moved. Creating an object that must not exist is atomic on a file system and on S3 (`If-None-Match`).
//! Numbers are never used twice: an object is removed only long after any writer that could still build on it has
//! given up, and never the newest ones.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::error::{Error, Result, store};

/// Numbers are as wide as this, so that they sort.
const DIGITS: usize = 10;
/// The object that holds a number which exists; the newest is found from there.
const HINT: &str = "hint";
/// As many of the newest numbers stay whatever their age.
const KEPT: u64 = 100;
/// A commit that takes longer has lost; see [`prune`].
pub(crate) const LONGEST_COMMIT_MS: i64 = 6 * 60 * 60 * 1000;

/// The newest object of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(crate) body: Bytes,
}

fn numbered(folder: &Path, number: u64) -> Path {
    folder.clone().join(format!("{number:0DIGITS$}.json"))
}

async fn read(files: &dyn ObjectStore, at: &Path) -> Result<Option<Bytes>> {
    match files.get(at).await {
        Ok(got) => Ok(Some(got.bytes().await.map_err(store(format!("read `{at}`")))?)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(store(format!("read `{at}`"))(error)),
    }
}

/// The newest object of a name, if it has any.
pub(crate) async fn head(files: &dyn ObjectStore, folder: &Path) -> Result<Option<Head>> {
    let Some(mut head) = start(files, folder).await? else { return Ok(None) };
    while let Some(body) = read(files, &numbered(folder, head.number + 1)).await? {
        head = Head { number: head.number + 1, body };
    }
    Ok(Some(head))
}

/// An object to look on from: the hint's, or the newest of a listing.
async fn start(files: &dyn ObjectStore, folder: &Path) -> Result<Option<Head>> {
    let hinted = read(files, &folder.clone().join(HINT)).await?;
    let hinted = hinted.and_then(|body| std::str::from_utf8(&body).ok()?.trim().parse().ok());
    if let Some(number) = hinted
        && let Some(body) = read(files, &numbered(folder, number)).await?
    {
        return Ok(Some(Head { number, body }));
    }
    let Some(number) = numbers(files, folder).await?.into_iter().map(|(number, _)| number).max() else {
        return Ok(None);
    };
    let at = numbered(folder, number);
    let gone = || Error::Missing(format!("`{at}` vanished while it was read"));
    let body = read(files, &at).await?.ok_or_else(gone)?;
    Ok(Some(Head { number, body }))
}

/// Every number with the time it was written.
async fn numbers(files: &dyn ObjectStore, folder: &Path) -> Result<Vec<(u64, i64)>> {
    let listed: Vec<_> = files.list(Some(folder)).try_collect().await.map_err(store(format!("list `{folder}`")))?;
    let number = |meta: &object_store::ObjectMeta| {
        let name = meta.location.filename()?.strip_suffix(".json")?;
        Some((name.parse().ok()?, meta.last_modified.timestamp_millis()))
    };
    Ok(listed.iter().filter_map(number).collect())
}

/// Writes the object after `after`. `None` says that somebody else wrote it first.
pub(crate) async fn append(
    files: &dyn ObjectStore,
    folder: &Path,
    after: Option<u64>,
    body: Bytes,
) -> Result<Option<u64>> {
    let number = after.map_or(1, |number| number + 1);
    let at = numbered(folder, number);
    let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match files.put_opts(&at, body.into(), create).await {
        Ok(_) => {}
        Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => return Ok(None),
        Err(error) => return Err(store(format!("write `{at}`"))(error)),
    }
    // A hint that is missing or old costs a look or two, so a failure to write it is none of the commit.
    let hint = files.put(&folder.clone().join(HINT), number.to_string().into()).await;
    if let Err(error) = hint {
        tracing::debug!(%error, "no hint written");
    }
    Ok(Some(number))
}

/// Removes numbers that nobody can build on any more.
pub(crate) async fn prune(files: &dyn ObjectStore, folder: &Path, now_ms: i64) -> Result<usize> {
    let all = numbers(files, folder).await?;
    let newest = all.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let old = |(number, written): &(u64, i64)| number + KEPT < newest && written + 4 * LONGEST_COMMIT_MS < now_ms;
    let stale: Vec<_> = all.into_iter().filter(old).map(|(number, _)| Ok(numbered(folder, number))).collect();
    let count = stale.len();
    let mut removed = files.delete_stream(futures::stream::iter(stale).boxed());
    while let Some(one) = removed.next().await {
        one.map_err(store("remove old catalog entries"))?;
    }
    Ok(count)
}

/// The names of the folders below a folder.
pub(crate) async fn folders(files: &dyn ObjectStore, folder: &Path) -> Result<Vec<String>> {
    let listed = files.list_with_delimiter(Some(folder)).await.map_err(store(format!("list `{folder}`")))?;
    Ok(listed.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;

    #[tokio::test]
    async fn only_one_writes_the_next_number() {
        let (files, folder) = (InMemory::new(), Path::from("db/t"));
        assert_eq!(head(&files, &folder).await.unwrap(), None);
        assert_eq!(append(&files, &folder, None, Bytes::from("a")).await.unwrap(), Some(1));
        assert_eq!(append(&files, &folder, None, Bytes::from("b")).await.unwrap(), None);
        assert_eq!(append(&files, &folder, Some(1), Bytes::from("c")).await.unwrap(), Some(2));
        assert_eq!(head(&files, &folder).await.unwrap(), Some(Head { number: 2, body: Bytes::from("c") }));
    }

    #[tokio::test]
    async fn a_hint_that_is_wrong_or_old_does_no_harm() {
        let (files, folder) = (InMemory::new(), Path::from("db/t"));
        for after in [None, Some(1), Some(2)] {
            append(&files, &folder, after, Bytes::from("x")).await.unwrap();
        }
        for hint in ["1", "9", "none", ""] {
            files.put(&folder.clone().join(HINT), hint.into()).await.unwrap();
            assert_eq!(head(&files, &folder).await.unwrap().unwrap().number, 3, "{hint}");
        }
    }

    #[tokio::test]
    async fn pruning_keeps_the_newest_and_the_young() {
        let (files, folder) = (InMemory::new(), Path::from("db/t"));
        for number in 0..120 {
            append(&files, &folder, (number > 0).then_some(number), Bytes::from("x")).await.unwrap();
        }
        assert_eq!(prune(&files, &folder, 0).await.unwrap(), 0);
        assert_eq!(prune(&files, &folder, i64::MAX / 2).await.unwrap(), 19);
        assert_eq!(head(&files, &folder).await.unwrap().unwrap().number, 120);
    }
}
