//! Checks files with state machine definitions as the service would, for `make check`.
//!
//! Prints `file:line:column: CODE: message at place` for each problem and ends with 1 when one of
//! them is an error, with 2 when a file cannot be read. Placeholders (`${Name}`), which a
//! deployment fills in, stand for functions of that name.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use asl::{MachineType, Severity, validate};

fn main() -> std::io::Result<ExitCode> {
    let mut output = std::io::stdout().lock();
    let mut worst = 0;
    for file in std::env::args().skip(1) {
        match std::fs::read_to_string(&file) {
            Err(why) => {
                writeln!(output, "{file}: failed to read the file: {why}")?;
                worst = worst.max(2);
            }
            Ok(text) => {
                let (report, has_error) = check(&file, &filled_in(&text));
                output.write_all(report.as_bytes())?;
                worst = worst.max(u8::from(has_error));
            }
        }
    }
    Ok(ExitCode::from(worst))
}

fn check(file: &str, definition: &str) -> (String, bool) {
    let mut report = String::new();
    let found = validate(definition, MachineType::Standard);
    for problem in &found {
        let line = writeln!(report, "{file}:{}:{}: {problem}", problem.line, problem.column);
        line.expect("a string takes every line");
    }
    (report, found.iter().any(|problem| problem.severity == Severity::Error))
}

/// The text with a function's ARN in place of each placeholder; no line becomes another.
fn filled_in(text: &str) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            filled.push_str("${");
            rest = after;
            continue;
        };
        filled.push_str("arn:aws:lambda:us-east-1:000000000000:function:");
        filled.push_str(name);
        rest = after;
    }
    filled + rest
}
