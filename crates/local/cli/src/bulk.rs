//! What the commands that work on many files share: where the files come from, which of them are meant, how fast they
//! go, and how far the work has come.
//!
//! Files are handed over by messages in the queue that S3's own events wait in: it holds a burst, its reader takes from
//! it at the pace that the deployment bears, and what fails there is tried again or becomes a dead letter. Nothing is
//! ever copied onto itself to make an event.

pub(crate) mod candidate;
pub(crate) mod checkpoint;
pub(crate) mod estimate;
pub(crate) mod filter;
pub(crate) mod inventory;
pub(crate) mod listing;
pub(crate) mod message;
pub(crate) mod pacer;
pub(crate) mod records;
pub(crate) mod sender;
pub(crate) mod size;
pub(crate) mod wanted;
