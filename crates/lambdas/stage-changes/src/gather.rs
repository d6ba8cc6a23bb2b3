//! Files into staged and refused rows, in order, within the limits of one batch.

use std::collections::HashMap;

use aws::Deployment;
use aws::table::Kept;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use domain::failure::{Failure, FailureName};
use domain::table::row::{self, Cell};
use domain::table::settings::Format;
use domain::table::{Operation, Table};
use domain::upsert::bookmark::{Batch, Bookmark, Partial, SourceFile};
use domain::upsert::place;
use futures::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use crate::parts::Parts;
use crate::records::{Content, Record, Records, Unreadable};

/// Objects opened ahead: enough to hide a round trip for each of many small files.
const OPENED_AHEAD: usize = 8;
/// What is kept of each field of a refused row.
const MOST_SHOWN_CHARS: usize = 200;

/// Stages the next batch out of `waiting`, which is in order.
pub(crate) async fn gather(
    deployment: &Deployment,
    kept: &Kept,
    bookmark: &Bookmark,
    waiting: Vec<SourceFile>,
    attempt: &str,
) -> Result<Batch, Failure> {
    let (table, number) = (&kept.table, bookmark.next_batch());
    let listed = waiting.len();
    let chosen = chosen(table, waiting);
    let staged = format!("{}{attempt}/", place::staged(&table.name, number));
    let rejects = place::rejects(&table.name, number, attempt);
    let mut gathering = Gathering {
        kept,
        staged: Parts::new(&deployment.store, &kept.lake_bucket, staged.clone()),
        rejects: Parts::new(&deployment.store, &kept.lake_bucket, rejects),
        read_bytes: 0,
    };
    let begun = bookmark.partial.as_ref();
    let start = |file: &SourceFile| begun.filter(|partial| partial.file == *file).cloned();
    let opened = stream::iter(chosen).map(|file| {
        let begin = start(&file).unwrap_or_else(|| beginning(file));
        async move {
            let opened = deployment.store.open(&kept.source_bucket, &begin.file, begin.offset_bytes).await;
            opened.map(|output| (begin, output))
        }
    });
    let mut opened = std::pin::pin!(opened.buffered(OPENED_AHEAD));
    let (mut files, mut partial) = (Vec::new(), None);
    while let Some(next) = opened.next().await {
        // One that was removed or written anew is not merged: the next listing has what took its place.
        let (begin, Some(output)) = next? else { continue };
        match gathering.file(begin, output).await? {
            End::OfFile(file) => files.push(file),
            End::OfBatch(rest) => partial = Some(rest),
        }
        if partial.is_some() || gathering.is_full() {
            break;
        }
    }
    let more = files.len() < listed;
    let (rows, rejected) = (gathering.staged.rows, gathering.rejects.rows);
    gathering.staged.finish().await?;
    let rejects = gathering.rejects.finish().await?;
    let rejects_uri = rejects.map(|prefix| format!("s3://{}/{prefix}", kept.lake_bucket));
    Ok(Batch { number, staged, files, partial, rows, rejected, rejects_uri, more })
}

/// As many files as the limits allow by their sizes, one at least.
fn chosen(table: &Table, waiting: Vec<SourceFile>) -> Vec<SourceFile> {
    let mut bytes = 0;
    let fits = |file: &SourceFile| {
        let before = bytes;
        bytes += file.size_bytes;
        before == 0 || bytes <= table.limits.bytes
    };
    waiting.into_iter().take(usize::try_from(table.limits.files).unwrap_or(usize::MAX)).take_while(fits).collect()
}

fn beginning(file: SourceFile) -> Partial {
    Partial { file, offset_bytes: 0, lines: 0, header: Vec::new() }
}

/// Where the reading of a file ended.
enum End {
    OfFile(SourceFile),
    OfBatch(Partial),
}

/// What is left of a file; behind its last byte there is nothing that could be asked for.
fn rest(at: Partial) -> End {
    if at.offset_bytes >= at.file.size_bytes { End::OfFile(at.file) } else { End::OfBatch(at) }
}

struct Gathering<'a> {
    kept: &'a Kept,
    staged: Parts<'a>,
    rejects: Parts<'a>,
    read_bytes: u64,
}

impl Gathering<'_> {
    fn is_full(&self) -> bool {
        let limits = &self.kept.table.limits;
        self.staged.rows + self.rejects.rows >= u64::from(limits.rows) || self.read_bytes >= limits.bytes
    }

    /// Reads a file to its end, or until the batch is full.
    async fn file(&mut self, begin: Partial, output: GetObjectOutput) -> Result<End, Failure> {
        let source = &self.kept.table.source;
        let mut records = Records::new(source.format, &source.csv, begin.offset_bytes, begin.lines);
        let start = begin.offset_bytes;
        let mut reading = Reading { names: names(&self.kept.table, &begin.header), at: begin };
        let mut body = output.body;
        loop {
            let piece = body.next().await.transpose().map_err(|error| broken(&reading.at.file, &error))?;
            let found = match &piece {
                Some(piece) => records.feed(piece),
                None => records.finish(),
            };
            self.read_bytes += piece.as_ref().map_or(0, |piece| piece.len() as u64);
            for record in found {
                if self.record(&mut reading, record).await? {
                    return Ok(End::OfFile(reading.at.file));
                }
                if self.staged.rows + self.rejects.rows >= u64::from(self.kept.table.limits.rows) {
                    return Ok(rest(reading.at));
                }
            }
            match piece {
                None => return Ok(End::OfFile(reading.at.file)),
                // A record that the piece has cut in two is read whole the next time; each batch reads one at least.
                Some(_) if self.is_full() && reading.at.offset_bytes > start => return Ok(rest(reading.at)),
                Some(_) => {}
            }
        }
    }

    /// Stages or refuses one record; says whether the rest of the file is to be left.
    async fn record(&mut self, reading: &mut Reading, record: Record) -> Result<bool, Failure> {
        (reading.at.offset_bytes, reading.at.lines) = (record.end, record.lines);
        let content = match record.content {
            Ok(content) => content,
            Err(Unreadable { reason, text, is_last }) => {
                self.refuse(reading, record.line, &reason, &Value::from(text)).await?;
                return Ok(is_last);
            }
        };
        if let Content::Fields(fields) = &content
            && reading.names.is_empty()
        {
            return self.header(reading, record.line, fields.clone()).await;
        }
        let staged = reading.staged(&self.kept.table, &content, self.staged.rows);
        match staged {
            Ok(row) => self.staged.push(&row).await?,
            Err(reason) => self.refuse(reading, record.line, &reason, &shown(&content)).await?,
        }
        Ok(false)
    }

    /// Takes a header; without the fields that are needed nothing in the file can be read.
    async fn header(&mut self, reading: &mut Reading, line: u64, fields: Vec<String>) -> Result<bool, Failure> {
        let fields: Vec<String> = fields.iter().map(|field| field.trim().to_owned()).collect();
        let missing = needed(&self.kept.table).find(|name| !fields.contains(name));
        if let Some(name) = missing {
            let reason = format!("the header lacks `{name}`; the file is not read");
            self.refuse(reading, line, &reason, &json!(fields)).await?;
            return Ok(true);
        }
        reading.names = index(&fields);
        reading.at.header = fields;
        Ok(false)
    }

    async fn refuse(&mut self, reading: &Reading, line: u64, reason: &str, row: &Value) -> Result<(), Failure> {
        let file = format!("s3://{}/{}", self.kept.source_bucket, reading.at.file.key);
        self.rejects.push(&json!({ "file": file, "line": line, "reason": reason, "row": row })).await
    }
}

/// A file on its way.
struct Reading {
    /// How far it was read.
    at: Partial,
    /// Places of the fields by name, where it is CSV; empty before the header.
    names: HashMap<String, usize>,
}

impl Reading {
    fn staged(&self, table: &Table, content: &Content, position: u64) -> Result<Value, String> {
        match content {
            Content::Fields(fields) => {
                if fields.len() != self.names.len() {
                    return Err(format!("it has {} fields, and the file has {}", fields.len(), self.names.len()));
                }
                let cell = |path: &[String]| {
                    let place = self.names.get(path.first()?)?;
                    fields.get(*place).map(|field| Cell::Text(field))
                };
                row::stage(table, cell, position).map(Value::Object)
            }
            Content::Object(object) => {
                let cell = |path: &[String]| {
                    let found = path.iter().try_fold(object, |value, name| value.get(name));
                    found.map(Cell::Json)
                };
                row::stage(table, cell, position).map(Value::Object)
            }
        }
    }
}

/// The places of the fields: those of the header that was read before, or those that the settings name.
fn names(table: &Table, header: &[String]) -> HashMap<String, usize> {
    match table.source.format {
        Format::Csv if !table.source.csv.fields.is_empty() => index(&table.source.csv.fields),
        _ => index(header),
    }
}

fn index(fields: &[String]) -> HashMap<String, usize> {
    // A field that is there twice is found at its first place, and the number of fields still has to be right.
    let mut names = HashMap::new();
    for (place, name) in fields.iter().enumerate() {
        let name = if names.contains_key(name) { format!("{name}\u{0}{place}") } else { name.clone() };
        names.insert(name, place);
    }
    names
}

/// The fields without which no row can be read; a column with a default can do without.
fn needed(table: &Table) -> impl Iterator<Item = &String> {
    let columns = table.columns.iter().filter(|column| column.default.is_none()).map(|column| &column.from);
    columns.chain(table.operation.as_ref().map(|Operation { from, .. }| from)).flatten()
}

/// A refused row, cut to what helps to find it.
fn shown(content: &Content) -> Value {
    let cut = |text: &str| text.chars().take(MOST_SHOWN_CHARS).collect::<String>();
    match content {
        Content::Fields(fields) => fields.iter().map(|field| cut(field)).collect(),
        Content::Object(object) => Value::from(object.to_string().chars().take(2_000).collect::<String>()),
    }
}

fn broken(file: &SourceFile, error: &dyn std::error::Error) -> Failure {
    Failure::new(FailureName::Transient, format!("failed to read `{}`: {error}", file.key))
}
