//! What becomes of a damaged database: it is moved aside, whole, and what can be read of it goes into a new one.
//!
//! Nothing is deleted: files of objects that the new database does not know are moved aside too. The start that finds
//! the damage fails and tells it, so that nobody overlooks it; the next start goes on with what could be read.
//! It does not judge what was read: an open execution whose log has lost entries ends when it is taken up, with that
//! reason.
//!
//! <https://www.sqlite.org/howtocorrupt.html>

mod salvage;

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

use crate::database::{Database, DatabaseError};
use crate::schema::SCHEMA;
use salvage::Salvage;

/// The database in a data directory.
pub(crate) const FILE_NAME: &str = "cloud.sqlite";

/// What lies beside a database while it is in use.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// The folder of objects' files in a data directory.
const OBJECTS: &str = "blobs";

/// What was found, and what became of it.
#[derive(Debug)]
pub struct Recovery {
    /// What is wrong with the database.
    pub detail: String,
    /// The database.
    pub path: PathBuf,
    /// The folder that it lies in now.
    pub aside: PathBuf,
    /// Files of objects that lie there too, for the new database does not know them.
    pub objects: usize,
    salvage: Salvage,
}

/// Why a damaged database could not be moved aside. It is where it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoveryError {
    #[error("failed to move the damaged database aside")]
    Files(#[from] io::Error),
    #[error("failed to make a new database")]
    Database(#[from] DatabaseError),
    #[error("failed to fill the new database")]
    Sqlite(#[from] rusqlite::Error),
}

/// What speaks against opening the database, though a database would open it without a word: it is gone, or empty,
/// and the objects that it knew are there.
pub(crate) fn obstacle(directory: &Path) -> Option<String> {
    let path = directory.join(FILE_NAME);
    let length = fs::metadata(&path).map(|file| file.len());
    let said = match length {
        Ok(0) => "the file is empty",
        Ok(_) => return None,
        Err(_) => "the file is gone",
    };
    let log = fs::metadata(companion(&path, COMPANIONS[0])).is_ok_and(|file| file.len() > 0);
    let objects = object_files(directory).is_ok_and(|mut files| files.next().is_some());
    (log || objects).then(|| said.to_owned())
}

/// Moves the damaged database of `directory` aside and makes a new one of what can be read of it.
pub(crate) fn recover(directory: &Path, detail: String, now: Timestamp) -> Result<Recovery, RecoveryError> {
    let path = directory.join(FILE_NAME);
    let aside = make_aside(directory, now)?;
    let new = aside.join("new.sqlite");
    drop(Database::open(&new, &SCHEMA)?);
    let salvage = salvage::salvage(&path, &new)?;
    let objects = move_objects(directory, &aside, &known_objects(&new)?)?;
    // What was done so far is done again if the program ends here.
    for file in [path.clone()].into_iter().chain(COMPANIONS.map(|end| companion(&path, end))) {
        if let (true, Some(name)) = (file.exists(), file.file_name()) {
            fs::rename(&file, aside.join(name))?;
        }
    }
    fs::rename(&new, &path)?;
    for folder in [&aside, directory] {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(Recovery { detail, path, aside, objects, salvage })
}

fn companion(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// A folder that is not there yet.
fn make_aside(directory: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let name = format!("damaged-{}", now.strftime("%Y%m%dT%H%M%SZ"));
    for attempt in 0_u32.. {
        let end = if attempt == 0 { String::new() } else { format!("-{attempt}") };
        let folder = directory.join(format!("{name}{end}"));
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The objects that a database knows, by the names of their files.
fn known_objects(path: &Path) -> rusqlite::Result<HashSet<String>> {
    let connection = Connection::open(path)?;
    let mut names = connection.prepare("SELECT sha256 FROM versions UNION SELECT sha256 FROM parts")?;
    names.query_map([], |row| row.get(0))?.collect()
}

/// All files of objects: the name's first two characters are a folder's.
fn object_files(directory: &Path) -> io::Result<impl Iterator<Item = PathBuf>> {
    let folders = fs::read_dir(directory.join(OBJECTS))?.filter_map(Result::ok);
    let files = folders.filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten();
    Ok(files.filter_map(Result::ok).map(|file| file.path()))
}

/// Moves the files of objects that are not `known`; gives back how many.
fn move_objects(directory: &Path, aside: &Path, known: &HashSet<String>) -> io::Result<usize> {
    let Ok(files) = object_files(directory) else { return Ok(0) };
    let mut moved = 0;
    for file in files {
        let Ok(place) = file.strip_prefix(directory) else { continue };
        let name: String = place.iter().skip(1).map(|part| part.to_string_lossy()).collect();
        if known.contains(&name) {
            continue;
        }
        let place = aside.join(place);
        fs::create_dir_all(place.parent().unwrap_or(aside))?;
        fs::rename(&file, &place)?;
        moved += 1;
    }
    Ok(moved)
}

impl fmt::Display for Recovery {
    /// What the next start goes on with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.salvage)?;
        match self.objects {
            0 => Ok(()),
            objects => write!(f, "; {objects} files of objects that it does not know lie beside the damaged database"),
        }
    }
}
