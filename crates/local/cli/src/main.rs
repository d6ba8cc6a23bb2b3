//! The `sluice` program: hands arguments and environment to the library and gives back its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(std::env::args_os(), &cli::Environment::read())
}
