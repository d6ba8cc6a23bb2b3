//! What a person types for the commands that work on many files: backfill, replay, redrive.

use clap::{Args, ValueEnum};

use super::{Form, Hosting, Patience, Target};
use crate::bulk::size::Size;

/// How fast a command that does many things does them.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Rate {
    /// Files a second at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rate: u32,
}

#[derive(Debug, Args)]
pub(crate) struct BackfillArguments {
    /// What to take: `s3://BUCKET` or `s3://BUCKET/PREFIX`
    #[arg(value_name = "URI")]
    pub(crate) source: String,
    /// Manifest of an S3 inventory to take the files from, instead of listing the bucket (CSV or Parquet)
    #[arg(long, value_name = "URI")]
    pub(crate) inventory: Option<String>,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) rate: Rate,
    /// Files that wait in the queue or run at most; more are sent when some have ended
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) in_flight: u32,
    /// Where to write down how far it came, a file or an `s3://` address [default: a file in the data directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<String>,
    /// Begin anew, whatever is written there
    #[arg(long)]
    pub(crate) restart: bool,
    /// Send nothing: count, and estimate what it would cost
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) hosting: Hosting,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// Which objects below the prefix.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Choice {
    /// Current versions, or all that there are
    #[arg(long, value_enum, default_value_t = Versions::Current)]
    pub(crate) versions: Versions,
    /// Only keys that match one of these, such as `*.pdf` (names) or `scans/**/*.tif` (keys); may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// No keys that match one of these; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Only what was last modified since: a time (2026-05-01T12:00:00Z) or a span (`2h`, `30m`)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only what was last modified before
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only what has at least this many bytes: `500`, `10K`, `3M`, `1G`
    #[arg(long, value_name = "SIZE")]
    pub(crate) min_size: Option<Size>,
    /// Only what has at most this many bytes
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_size: Option<Size>,
}

/// Which versions of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Versions {
    /// The one that a reader gets.
    #[default]
    Current,
    /// All that are kept.
    All,
}

#[derive(Debug, Args)]
pub(crate) struct RedriveArguments {
    /// Executions by name or ARN, or objects by key
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) names: Vec<String>,
    /// All that failed, or those of them that the filters leave
    #[arg(long)]
    pub(crate) all: bool,
    /// With --all, only those that ended so; may be repeated
    #[arg(long, value_name = "STATUS", requires = "all", ignore_case = true,
          value_parser = ["FAILED", "TIMED_OUT", "ABORTED"])]
    pub(crate) status: Vec<String>,
    /// With --all, only those that started since: a time (2026-05-01T12:00:00Z) or a span (`2h`, `30m`)
    #[arg(long, value_name = "TIME", requires = "all")]
    pub(crate) since: Option<String>,
    /// With --all, only those that started before
    #[arg(long, value_name = "TIME", requires = "all")]
    pub(crate) until: Option<String>,
    /// With --all, only those whose error or cause has this text, whatever its case: `Throttled`, `textract`
    #[arg(long, value_name = "TEXT", requires = "all")]
    pub(crate) reason: Option<String>,
    /// With --all, only those of keys that begin so
    #[arg(long, value_name = "PREFIX", requires = "all")]
    pub(crate) prefix: Option<String>,
    #[command(flatten)]
    pub(crate) rate: Rate,
    #[command(flatten)]
    pub(crate) restraint: Restraint,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) hosting: Hosting,
    #[command(flatten)]
    pub(crate) patience: Patience,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// How much of its work a command does.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Restraint {
    /// Start nothing: list what would be
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not wait for what was started
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) no_wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// Objects by key or `s3://` address, or runs by name
    #[arg(value_name = "KEY", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) names: Vec<String>,
    /// All that the catalog knows, or those of them that the filters leave
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// Name of this replay: the same files under the same name run once [default: made of the time]
    #[arg(long, value_name = "NAME")]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) rate: Rate,
    /// Files that wait in the queue or run at most; more are sent when some have ended
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) in_flight: u32,
    #[command(flatten)]
    pub(crate) restraint: Restraint,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) hosting: Hosting,
    #[command(flatten)]
    pub(crate) patience: Patience,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// Which files of the catalog, by what its newest record of each says.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Wanted {
    /// With --all, only files that ended so; may be repeated
    #[arg(long, value_name = "STATUS", requires = "all", ignore_case = true,
          value_parser = ["SUCCEEDED", "PARTIAL", "FAILED", "UNSUPPORTED", "EMPTY", "ENCRYPTED", "TOO_LARGE"])]
    pub(crate) status: Vec<String>,
    /// With --all, only files that came since: a time (2026-05-01T12:00:00Z) or a span (`2h`, `30m`)
    #[arg(long, value_name = "TIME", requires = "all")]
    pub(crate) since: Option<String>,
    /// With --all, only files that came before
    #[arg(long, value_name = "TIME", requires = "all")]
    pub(crate) until: Option<String>,
    /// With --all, only files whose last run ended before
    #[arg(long, value_name = "TIME", requires = "all")]
    pub(crate) recorded_before: Option<String>,
    /// With --all, only this kind: text, html, mail, office, pdf, image, audio, video, other; may be repeated
    #[arg(long, value_name = "KIND", requires = "all", ignore_case = true,
          value_parser = ["text", "html", "mail", "office", "pdf", "image", "audio", "video", "other"])]
    pub(crate) family: Vec<String>,
    /// With --all, only files that this service was asked about, such as `textract`; may be repeated
    #[arg(long, value_name = "SERVICE", requires = "all")]
    pub(crate) service: Vec<String>,
    /// With --all, only files that this engine answered for, such as `tesseract` or `tesseract 5.3.0`; may be repeated
    #[arg(long, value_name = "ENGINE", requires = "all")]
    pub(crate) engine: Vec<String>,
    /// With --all, only files that this engine answered for in another version than this, such as `tesseract 5.4.0`,
    /// or `sluice documents 0.2.0` for this product's own
    #[arg(long, value_name = "ENGINE VERSION", requires = "all")]
    pub(crate) outdated: Option<String>,
    /// With --all, only keys that begin so
    #[arg(long, value_name = "PREFIX", requires = "all")]
    pub(crate) prefix: Option<String>,
    /// With --all, only files whose reason has this text, whatever its case
    #[arg(long, value_name = "TEXT", requires = "all")]
    pub(crate) reason: Option<String>,
}
