//! How far a backfill has come, written down so that it can be stopped at any moment and goes on behind the last file
//! that the queue took.
//!
//! What was sent after the last writing is sent once more: it is the same run by name, so nothing is done twice. A
//! checkpoint is a file, replaced whole, or an object. One process at a time uses a file.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use domain::object::ObjectRef;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::candidate::Position;
use crate::arguments::{BackfillArguments, Versions};
use crate::catalog;
use crate::problem::{Exit, Problem};

/// What is written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) job: Job,
    /// The times that the job's words meant when it began.
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    /// None before the first file.
    pub(crate) position: Option<Position>,
    pub(crate) tally: Tally,
    pub(crate) began: Timestamp,
}

/// What a backfill is told to do: another job does not go on with its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    source: String,
    /// The deployment: [`Deployment::identity`](crate::deployment::Deployment::identity).
    deployment: String,
    inventory: Option<String>,
    all_versions: bool,
    include: Vec<String>,
    exclude: Vec<String>,
    since: Option<String>,
    until: Option<String>,
    min_size: Option<u64>,
    max_size: Option<u64>,
}

/// What became of the files so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Taken by the queue.
    pub(crate) sent: u64,
    pub(crate) sent_bytes: u64,
    /// Passed over by the filters.
    pub(crate) filtered: u64,
    /// Objects that only stand for a folder.
    pub(crate) folders: u64,
    /// Named by an inventory, and not there any more.
    pub(crate) gone: u64,
}

/// Where the checkpoint lies.
#[derive(Debug)]
pub(crate) enum Place {
    /// A file, and the lock beside it while it is held.
    File(PathBuf, Option<File>),
    Object(Client, ObjectRef),
}

impl Job {
    /// What `arguments` ask of this deployment.
    pub(crate) fn new(arguments: &BackfillArguments, deployment: &str) -> Self {
        let choice = &arguments.choice;
        Self {
            source: arguments.source.clone(),
            deployment: deployment.to_owned(),
            inventory: arguments.inventory.clone(),
            all_versions: choice.versions == Versions::All,
            include: choice.include.clone(),
            exclude: choice.exclude.clone(),
            since: choice.since.clone(),
            until: choice.until.clone(),
            min_size: choice.min_size.map(|size| size.0),
            max_size: choice.max_size.map(|size| size.0),
        }
    }

    /// The name of its checkpoint where none is given.
    fn file_name(&self) -> anyhow::Result<String> {
        let words = serde_json::to_vec(self).context("failed to name the checkpoint")?;
        Ok(format!("backfill-{}.json", &format!("{:x}", Sha256::digest(words))[..16]))
    }
}

impl Place {
    /// Where `named` says, or a file of the job's own in `folder`; a file is locked.
    ///
    /// # Errors
    /// When the address makes no sense, or another process works on the file.
    pub(crate) fn new(named: Option<&str>, folder: &Path, job: &Job, client: &Client) -> anyhow::Result<Self> {
        if let Some(uri) = named.filter(|named| named.starts_with("s3://")) {
            let object = ObjectRef::from_uri(uri).with_context(|| {
                let message = format!("failed to understand the checkpoint `{uri}`");
                Problem::new(Exit::Usage, message, "write s3://BUCKET/KEY, or a file")
            })?;
            return Ok(Self::Object(client.clone(), object));
        }
        let path = match named {
            Some(path) => PathBuf::from(path),
            None => folder.join(job.file_name()?),
        };
        let lock = lock(&path)?;
        Ok(Self::File(path, Some(lock)))
    }

    /// What to call it in a message.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path, _) => path.display().to_string(),
            Self::Object(_, object) => object.uri(),
        }
    }

    /// The checkpoint of `job` that lies there, if one does.
    ///
    /// # Errors
    /// When it is of another job, or cannot be read.
    pub(crate) async fn load(&self, job: &Job) -> anyhow::Result<Option<Checkpoint>> {
        let Some(bytes) = self.read().await? else { return Ok(None) };
        let next = "begin anew with --restart, or name another place with --checkpoint";
        let checkpoint: Checkpoint = serde_json::from_slice(&bytes).with_context(|| {
            Problem::new(Exit::Usage, format!("failed to understand the checkpoint `{}`", self.name()), next)
        })?;
        if *job == checkpoint.job {
            return Ok(Some(checkpoint));
        }
        let message = format!("failed to go on from the checkpoint `{}`: it is of another backfill", self.name());
        Err(Problem::new(Exit::Usage, message, next).into())
    }

    async fn read(&self) -> anyhow::Result<Option<Vec<u8>>> {
        match self {
            Self::File(path, _) => match fs::read(path) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error).with_context(|| unusable(path)),
            },
            Self::Object(client, object) => catalog::read(client, &object.bucket, &object.key).await,
        }
    }

    /// Writes the checkpoint down, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) async fn save(&self, checkpoint: &Checkpoint) -> anyhow::Result<()> {
        let bytes = serde_json::to_vec(checkpoint).context("failed to write the checkpoint")?;
        match self {
            Self::File(path, _) => replace(path, &bytes).with_context(|| unusable(path)),
            Self::Object(client, object) => {
                let request = client.put_object().bucket(&object.bucket).key(&object.key);
                let put = request.content_type("application/json").body(ByteStream::from(bytes)).send().await;
                put.map(drop).with_context(|| format!("failed to write the checkpoint `{}`", object.uri()))
            }
        }
    }

    /// Takes the checkpoint away: all is done.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) async fn remove(self) -> anyhow::Result<()> {
        match self {
            Self::File(path, _lock) => {
                for gone in [&path, &beside(&path, "lock")] {
                    match fs::remove_file(gone) {
                        Err(error) if error.kind() != ErrorKind::NotFound => {
                            return Err(error).with_context(|| unusable(&path));
                        }
                        Ok(()) | Err(_) => {}
                    }
                }
                Ok(())
            }
            Self::Object(client, object) => {
                let removed = client.delete_object().bucket(&object.bucket).key(&object.key).send().await;
                removed.map(drop).with_context(|| format!("failed to remove the checkpoint `{}`", object.uri()))
            }
        }
    }
}

fn lock(path: &Path) -> anyhow::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| unusable(path))?;
    }
    let file = File::create(beside(path, "lock")).with_context(|| unusable(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            let message = format!("failed to take the checkpoint `{}`: another backfill works on it", path.display());
            Err(Problem::new(Exit::DataDirectory, message, "wait for that one to end, or stop it").into())
        }
        Err(fs::TryLockError::Error(error)) => Err(error).with_context(|| unusable(path)),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = beside(path, "new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(new, path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn unusable(path: &Path) -> Problem {
    let message = format!("failed to use the checkpoint `{}`", path.display());
    Problem::new(Exit::DataDirectory, message, "name a file that you may write, with --checkpoint")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};

    fn job(words: &[&str], deployment: &str) -> Job {
        use clap::Parser as _;
        match Arguments::parse_from(["sluice", "backfill"].iter().chain(words)).command {
            Command::Backfill(arguments) => Job::new(&arguments, deployment),
            other => panic!("{other:?}"),
        }
    }

    const HERE: &str = "/home/me/data";

    #[test]
    fn a_job_is_known_again_by_what_it_is_told() {
        let words = ["s3://b/p", "--include", "*.pdf", "--since", "2h"];
        let first = job(&words, HERE);
        let same = job(&[&words[..], &["--rate", "9", "--in-flight", "7"]].concat(), HERE);
        assert_eq!((&first, first.file_name().unwrap()), (&same, same.file_name().unwrap()));
        let others =
            [job(&["s3://b/p"], HERE), job(&["s3://b/q", "--since", "2h"], HERE), job(&words, "https://sqs/1/q")];
        for other in others {
            assert_ne!(first.file_name().unwrap(), other.file_name().unwrap(), "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_checkpoint_comes_back_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let client = Client::from_conf(
            aws_sdk_s3::Config::builder().behavior_version(aws_config::BehaviorVersion::latest()).build(),
        );
        let job = job(&["s3://b/p"], HERE);
        let place = || Place::new(None, &folder.path().join("new"), &job, &client);
        let held = place().unwrap();
        assert!(place().unwrap_err().to_string().contains("another backfill works on it"));
        assert_eq!(held.load(&job).await.unwrap(), None);
        let checkpoint = Checkpoint {
            job: job.clone(),
            since: None,
            until: None,
            position: Some(Position::Listing { key: "ü".into(), version_id: "null".into() }),
            tally: Tally { sent: 3, ..Tally::default() },
            began: Timestamp::UNIX_EPOCH,
        };
        held.save(&checkpoint).await.unwrap();
        let path = held.name();
        drop(held);
        let again = place().unwrap();
        assert_eq!(again.load(&job).await.unwrap(), Some(checkpoint));
        assert!(again.load(&self::job(&["s3://c"], HERE)).await.unwrap_err().to_string().contains("another backfill"));
        fs::write(&path, "{").unwrap();
        assert!(again.load(&job).await.is_err());
        again.remove().await.unwrap();
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 0);
    }
}
