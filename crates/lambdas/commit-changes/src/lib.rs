//! `commit-changes`: moves a table's bookmark past the batch that was merged, and says whether there is more.
//!
//! The conditional write of the bookmark is the end of a batch. Source files that are to go are removed before it, for
//! their rows lie staged until then; the staged rows after it.

use aws::Deployment;
use aws::table::Kept;
use domain::failure::{Failure, FailureName};
use domain::table::sql;
use domain::upsert::bookmark::{Batch, Bookmark, Merged};
use domain::upsert::place;
use domain::upsert::stage::{CommitRequest, Committed, Next, Totals};

/// How often a bookmark that others write to is read anew.
const TRIES: u32 = 20;
/// Batches of one execution: some 25 events each, and Step Functions allows 25,000. The next execution does the rest.
const MOST_BATCHES: u64 = 200;
/// Addresses of refused rows in a report: enough to look, and far below the limit of a payload.
const MOST_REJECTS: usize = 20;

/// Takes the batch out of the bookmark.
///
/// # Errors
/// What S3 says; `Transient` where others write to the bookmark all the time.
pub async fn handle(deployment: Deployment, request: CommitRequest) -> Result<Committed, Failure> {
    let kept = Kept::find(&deployment, request.input.clone()).await?;
    for _ in 0..TRIES {
        let (bookmark, etag) = kept.bookmark(&deployment).await?;
        if let Some(batch) = merged(&bookmark, request.batch) {
            remove_merged(&deployment, &kept, batch).await?;
        }
        let (next, totals, bookmark) = committed(&kept, bookmark, &request);
        if deployment.store.replace_json(&kept.bookmark_place(), etag, &bookmark).await? {
            clear(&deployment, &kept, request.batch).await?;
            return Ok(answer(&kept, &request, next, totals));
        }
    }
    Err(Failure::new(FailureName::Transient, format!("failed to write `{}`: others do", kept.bookmark_place())))
}

/// The batch, as long as it is in the bookmark.
fn merged(bookmark: &Bookmark, batch: Option<u64>) -> Option<&Batch> {
    bookmark.pending.as_ref().filter(|pending| Some(pending.number) == batch)
}

/// The bookmark without the batch. A second invocation for the same batch, whose first answer was lost, gives the same.
fn committed(kept: &Kept, mut bookmark: Bookmark, request: &CommitRequest) -> (Next, Totals, Bookmark) {
    let asked_again = bookmark.asked_again;
    let mut totals = request.totals.clone();
    let mut more = asked_again;
    match request.batch.and_then(|number| bookmark.commit(number, kept.table.source.late_days)) {
        Some(batch) => {
            more |= batch.more;
            add(&mut totals, &batch, request);
        }
        // Another execution took the table over and went on: stage once more, to be sure.
        None => more |= request.batch.is_some(),
    }
    bookmark.prepared = Some(kept.setup_hash());
    bookmark.asked_again = false;
    let next = if more && totals.batches < MOST_BATCHES { Next::More } else { Next::Done };
    let is_held_here = bookmark.holder.as_ref() == Some(&request.execution.arn);
    if next == Next::Done && is_held_here {
        bookmark.holder = None;
    }
    (next, totals, bookmark)
}

fn add(totals: &mut Totals, batch: &Merged, request: &CommitRequest) {
    let number = |text: &str| text.parse::<u64>().unwrap_or(0);
    totals.batches += 1;
    totals.files += batch.files;
    totals.rows += batch.rows;
    totals.rejected += batch.rejected;
    totals.inserted += number(&request.counted.inserted);
    totals.updated += number(&request.counted.updated);
    totals.deleted += number(&request.counted.deleted);
    totals.rejects.extend(batch.rejects_uri.clone());
    totals.rejects.truncate(MOST_REJECTS);
}

async fn remove_merged(deployment: &Deployment, kept: &Kept, batch: &Batch) -> Result<(), Failure> {
    if !kept.table.source.remove_merged {
        return Ok(());
    }
    let keys: Vec<String> = batch.files.iter().map(|file| file.key.clone()).collect();
    deployment.store.remove(&kept.source_bucket, &keys).await
}

/// Removes what was staged for the batch, in whichever attempt.
async fn clear(deployment: &Deployment, kept: &Kept, batch: Option<u64>) -> Result<(), Failure> {
    let Some(batch) = batch else { return Ok(()) };
    deployment.store.remove_below(&kept.lake_bucket, &place::staged(&kept.table.name, batch)).await
}

fn answer(kept: &Kept, request: &CommitRequest, next: Next, totals: Totals) -> Committed {
    let every = u64::from(kept.table.maintain_every);
    let is_due = |batch: u64| every > 0 && batch.is_multiple_of(every);
    Committed {
        table: kept.table.name.to_string(),
        totals,
        next,
        maintain: request.batch.is_some_and(is_due),
        optimize: sql::optimize(&kept.table),
        vacuum: sql::vacuum(&kept.table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::table::Table;
    use domain::upsert::stage::{Asked, Counted};

    fn kept() -> Kept {
        let settings = r#"{"target": "d.t", "key": ["id"], "columns": [{"name": "id", "type": "int"}],
            "source": {"prefix": "in/", "format": "json_lines"}}"#;
        let table = Table::new(serde_json::from_str(settings).unwrap()).unwrap();
        Kept { table, lake_bucket: "lake".into(), source_bucket: "lake".into(), setup: vec!["x".into()] }
    }

    fn request(batch: Option<u64>) -> CommitRequest {
        let execution = domain::stage::ExecutionRef {
            arn: "me".into(),
            name: "run".into(),
            started: "2026-05-01T10:00:00Z".parse().unwrap(),
            redrive_count: 0,
        };
        let counted = Counted { inserted: "3".into(), updated: "2".into(), deleted: String::new() };
        let input = Asked { settings_uri: None, table: None, wait_seconds: None };
        CommitRequest { input, execution, totals: Totals::default(), batch, counted }
    }

    fn pending(more: bool) -> Bookmark {
        let batch = serde_json::json!({"number": 1, "staged": "", "files": [], "rows": 5, "rejected": 1,
            "rejects_uri": "s3://lake/rejects/", "more": more});
        let batch = serde_json::from_value(batch).unwrap();
        Bookmark { pending: Some(batch), holder: Some("me".into()), ..Bookmark::default() }
    }

    #[test]
    fn the_last_batch_lets_the_table_go() {
        let (next, totals, bookmark) = committed(&kept(), pending(false), &request(Some(1)));
        assert_eq!(next, Next::Done);
        assert_eq!((totals.batches, totals.rows, totals.inserted, totals.updated, totals.rejected), (1, 5, 3, 2, 1));
        assert_eq!((bookmark.batches, bookmark.holder, bookmark.pending), (1, None, None));
    }

    #[test]
    fn who_came_meanwhile_is_not_forgotten() {
        let asked = Bookmark { asked_again: true, ..pending(false) };
        let (next, _, bookmark) = committed(&kept(), asked, &request(Some(1)));
        assert_eq!((next, bookmark.holder.as_deref(), bookmark.asked_again), (Next::More, Some("me"), false));
    }

    #[test]
    fn a_second_commit_gives_the_same() {
        let (_, first, bookmark) = committed(&kept(), pending(true), &request(Some(1)));
        let (next, totals, bookmark) = committed(&kept(), bookmark, &request(Some(1)));
        assert_eq!((next, totals, bookmark.batches), (Next::More, first, 1));
    }

    #[test]
    fn a_table_that_another_took_over_stays_his() {
        let others = Bookmark { holder: Some("other".into()), batches: 4, ..Bookmark::default() };
        let (_, _, bookmark) = committed(&kept(), others, &request(Some(1)));
        assert_eq!((bookmark.holder.as_deref(), bookmark.batches), (Some("other"), 4));
    }
}
