use super::*;

const SHELL: Tool = Tool { program: "sh", package: "dash" };

fn shell(script: &str, limits: Limits) -> Result<Finished, CommandError> {
    let directory = tempfile::tempdir().unwrap();
    run(&Invocation { tool: SHELL, arguments: arguments(["-c", script]), directory: directory.path(), limits })
}

fn millis(wall: u64) -> Limits {
    Limits { wall: Duration::from_millis(wall), ..Limits::seconds(10) }
}

#[test]
fn output_and_complaints_are_kept_apart() {
    let finished = shell("echo out; echo err >&2", Limits::seconds(10)).unwrap();
    assert_eq!((finished.stdout.as_slice(), finished.stderr.as_str()), (b"out\n".as_slice(), "err\n"));
}

#[test]
fn a_tool_that_is_not_installed_names_its_package() {
    let directory = tempfile::tempdir().unwrap();
    let tool = Tool { program: "no-such-tool-anywhere", package: "the-package" };
    let invocation = Invocation { tool, arguments: vec![], directory: directory.path(), limits: Limits::seconds(10) };
    let error = run(&invocation).unwrap_err();
    assert!(matches!(error, CommandError::NotInstalled { package: "the-package", .. }), "{error}");
}

#[test]
fn a_hanging_tool_dies_with_its_children() {
    // The grandchild holds the pipe open: unless the whole group dies, this test hangs.
    let error = shell("sleep 600 & sleep 600", millis(100)).unwrap_err();
    assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
}

#[test]
fn a_flood_is_cut_off() {
    let limits = Limits { output_bytes: 1000, ..Limits::seconds(10) };
    let error = shell("while :; do echo flood; done", limits).unwrap_err();
    assert!(matches!(error, CommandError::OutputTooLarge { bytes: 1000, .. }), "{error}");
}

#[test]
fn memory_is_bounded() {
    let limits = Limits { memory_bytes: 64 << 20, ..Limits::seconds(10) };
    let error = shell("x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}", limits).unwrap_err();
    assert!(matches!(error, CommandError::Failed { .. }), "{error}");
}

#[test]
fn a_failure_carries_its_complaint() {
    let error = shell("echo broken file >&2; exit 3", Limits::seconds(10)).unwrap_err();
    assert_eq!(error.to_string(), "failed in `sh` (exit status: 3): broken file");
}

#[test]
fn an_error_of_the_consumer_ends_the_tool() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits::seconds(600);
    let invocation =
        Invocation { tool: SHELL, arguments: arguments(["-c", "yes"]), directory: directory.path(), limits };
    let consumed: Result<((), String), CommandError> =
        stream(&invocation, |_| Err(CommandError::OutputTooLarge { program: "sh", bytes: 0 }));
    assert!(matches!(consumed, Err(CommandError::OutputTooLarge { bytes: 0, .. })));
}
