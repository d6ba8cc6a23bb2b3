//! What a person types, as clap reads it; nothing here acts on it.

#![expect(clippy::doc_markdown, reason = "clap shows these texts to people as they stand")]

mod bulk;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use cloud::lambda::Endpoint;

pub(crate) use bulk::{BackfillArguments, Choice, RedriveArguments, ReplayArguments, Versions, Wanted};

use crate::problem::EXIT_CODES;

/// The port of `sluice up` unless another is chosen: the one that tools for local AWS endpoints expect.
const DEFAULT_PORT: u16 = 4566;

/// Four hours, in seconds: the longest recording that Transcribe takes.
const DEFAULT_TIMEOUT_SECONDS: u64 = 4 * 3600;

/// Sends files through a state machine and keeps what they say.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send files through the pipeline and show what was found in each
    #[command(after_help = EXIT_CODES)]
    Run(RunArguments),
    /// Keep the local cloud running until it is stopped
    #[command(after_help = EXIT_CODES)]
    Up(UpArguments),
    /// Put files into the raw bucket and leave the rest to the deployment
    Put(PutArguments),
    /// Send what lies in a bucket already through the pipeline, at a bounded rate; safe to stop and go on
    Backfill(BackfillArguments),
    /// Show what is known about one object: extraction, lineage, execution path
    Show(ShowArguments),
    /// List executions, newest first
    Executions(ExecutionsArguments),
    /// Retry failed executions from where they failed
    Redrive(RedriveArguments),
    /// Run files anew that were run before, by what the catalog says of them
    Replay(ReplayArguments),
    /// Query the catalog and other tables by SQL
    #[command(after_help = EXIT_CODES)]
    Sql(SqlArguments),
    /// Say which engines and tools are there, and how to install what is not
    Doctor(DoctorArguments),
}

/// Which deployment a command speaks to.
///
/// `--data` means the local cloud of a directory. `--profile`, `--region`, `--stack` or the variable SLUICE_STACK mean a
/// stack in AWS, `--endpoint-url` or the variable AWS_ENDPOINT_URL another address. Without any it is the default directory.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Target {
    /// Directory of the local cloud [default: $XDG_DATA_HOME/sluice, or ~/.local/share/sluice]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["endpoint_url", "profile", "region", "stack"])]
    pub(crate) data: Option<PathBuf>,
    /// Address of a deployment that already runs
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Profile of the AWS configuration: the deployment is in AWS
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Region: the deployment is in AWS [default: as the AWS configuration says]
    #[arg(long, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// CloudFormation stack that is the deployment [default: $SLUICE_STACK, or sluice]
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
}

/// Options that mean AWS, for commands that are about this machine: they are here to be refused with a reason.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Elsewhere {
    #[arg(long, hide = true)]
    endpoint_url: Option<String>,
    #[arg(long, hide = true)]
    profile: Option<String>,
    #[arg(long, hide = true)]
    region: Option<String>,
    #[arg(long, hide = true)]
    stack: Option<String>,
}

impl Elsewhere {
    /// The first of the options that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let options = [
            ("--endpoint-url", &self.endpoint_url),
            ("--profile", &self.profile),
            ("--region", &self.region),
            ("--stack", &self.stack),
        ];
        options.into_iter().find(|(_, value)| value.is_some()).map(|(option, _)| option)
    }
}

/// How the local cloud is started, where a command starts one.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Hosting {
    /// Settings file (TOML): features on or off, languages, redaction
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Switch a fault on, such as `throttle=0.3`, `textract:delay=200ms` or `duplicate-events=0.2`; may be repeated
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Vec<String>,
    /// Worker processes for each function at most [default: two for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: Option<u16>,
    /// Folder of the functions' programs [default: the folder of `sluice`]
    #[arg(long, value_name = "DIR")]
    pub(crate) functions: Option<PathBuf>,
    /// Where functions are invoked that are not deployed here (Invoke API, plain HTTP), such as http://127.0.0.1:9001
    /// [default: $SLUICE_LAMBDA_ENDPOINT, or nowhere]
    #[arg(long, value_name = "URL")]
    pub(crate) lambda_endpoint: Option<Endpoint>,
    /// Definition of the state machine [default: the one built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) state_machine: Option<PathBuf>,
    /// Forget executions this many days after their end, as AWS does after 90 [default: 90]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep_days: Option<u32>,
    /// Keep this many ended executions at most, the newest [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) keep_executions: Option<u32>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Form {
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Files and folders; folders are walked, hidden files included
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) hosting: Hosting,
    #[command(flatten)]
    pub(crate) patience: Patience,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// How long a command waits for executions.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Patience {
    /// Seconds to wait for all files together; what has not ended then goes on at the next start
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_SECONDS)]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct UpArguments {
    /// Directory of the local cloud [default: $XDG_DATA_HOME/sluice, or ~/.local/share/sluice]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) hosting: Hosting,
    /// Port; 0 for any that is free
    #[arg(long, default_value_t = DEFAULT_PORT)]
    pub(crate) port: u16,
    /// Address to listen on; beyond loopback only with --allow-remote
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) listen: IpAddr,
    /// Let other machines in: whoever reaches the port can read and change everything
    #[arg(long)]
    pub(crate) allow_remote: bool,
    #[command(flatten)]
    pub(crate) elsewhere: Elsewhere,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Args)]
pub(crate) struct PutArguments {
    /// Files and folders; folders are walked, hidden files included
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) hosting: Hosting,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// Key in the raw bucket, as `run` and `executions` print it, or its `s3://` address
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// Version of the object [default: the newest]
    #[arg(long, value_name = "ID")]
    pub(crate) version_id: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) hosting: Hosting,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Args)]
pub(crate) struct ExecutionsArguments {
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// List this many at most; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) hosting: Hosting,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// Which executions.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Filter {
    /// Only those that are RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED or PENDING_REDRIVE
    #[arg(long, value_name = "STATUS", ignore_case = true,
          value_parser = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"])]
    pub(crate) status: Option<String>,
    /// Only those for this key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Only those that started since: a time (2026-05-01T12:00:00Z) or a span (`2h`, `30m`)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RowFormat {
    /// For people; long cells are cut
    Table,
    /// One object a line
    Json,
    /// With a header
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct SqlArguments {
    /// Statements, with `;` between them [default: a prompt on a terminal, standard input otherwise]
    #[arg(value_name = "STATEMENT", conflicts_with = "file")]
    pub(crate) statement: Option<String>,
    /// File with statements; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<String>,
    /// How rows are printed
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub(crate) format: RowFormat,
    /// Ask the tables as they were then: a time (2026-05-01T12:00:00Z) or a span before now (`2h`)
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    /// The database of names that have none [default: that of the stack, or sluice]
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// Athena's work group [default: that of the stack, or primary]
    #[arg(long, value_name = "NAME")]
    pub(crate) work_group: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) hosting: Hosting,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Folder of the functions' programs [default: the folder of `sluice`]
    #[arg(long, value_name = "DIR")]
    pub(crate) functions: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) elsewhere: Elsewhere,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
