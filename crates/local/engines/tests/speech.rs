//! The speech engine as a whole: real speech from `flite`, the real worker program, and workers that
//! die or hang.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use engines::speech::{Pool, PoolError, Settings, Speech, SpeechError};

fn settings() -> Settings {
    Settings { worker: PathBuf::from(env!("CARGO_BIN_EXE_sluice-speech")), workers: 1 }
}

fn say(text: &str, file: &Path) {
    let status = Command::new("flite").args(["-voice", "slt", "-t", text, "-o"]).arg(file).status();
    assert!(status.expect("install the Debian package `flite`").success());
}

fn script(directory: &Path, body: &str) -> Settings {
    let worker = directory.join("worker");
    std::fs::write(&worker, format!("#!/bin/sh\n{body}\n")).expect("a script");
    std::fs::set_permissions(&worker, std::fs::Permissions::from_mode(0o755)).expect("a script that may run");
    Settings { worker, workers: 1 }
}

#[test]
fn words_come_with_times_across_utterances() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("said.wav");
    say("the quick brown fox jumps over the lazy dog", &file);
    let speech = Speech::new(settings(), directory.path());
    let transcript = speech.transcribe(&file, &AtomicBool::new(false)).unwrap();
    let text = transcript.text();
    assert!(
        ["quick", "brown", "fox", "lazy", "dog"].iter().filter(|word| text.contains(**word)).count() >= 4,
        "{text}"
    );
    assert!(transcript.words.windows(2).all(|pair| pair[0].start <= pair[1].start), "{transcript:?}");
    assert!(transcript.words.iter().all(|word| word.end <= transcript.duration_seconds + 0.05), "{transcript:?}");
}

#[test]
fn a_worker_that_crashes_loses_its_utterance_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("said.wav");
    say("hello world", &file);
    let crashing = script(directory.path(), r#"echo '{"ready":"x"}'; head -c 4 > /dev/null; kill -SEGV $$"#);
    let transcript = Speech::new(crashing, directory.path()).transcribe(&file, &AtomicBool::new(false)).unwrap();
    assert_eq!((transcript.words.len(), transcript.lost.len()), (0, 1));
}

#[test]
fn a_worker_that_dies_once_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let body = format!(
        r#"echo '{{"ready":"x"}}'; if [ ! -e {0}/died ]; then touch {0}/died; exit 1; fi; echo '{{"words":[]}}'; cat > /dev/null"#,
        directory.path().display()
    );
    let pool = Pool::new(script(directory.path(), &body));
    assert_eq!(pool.decode(&vec![0; 16_000]).unwrap(), []);
}

#[test]
fn a_worker_that_is_missing_or_unwell_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Pool::new(Settings { worker: directory.path().join("nothing"), workers: 1 });
    assert!(matches!(missing.decode(&[0; 100]), Err(PoolError::Engine(_) | PoolError::Start { .. })));
    let unwell = Pool::new(script(directory.path(), r#"echo '{"failed":"install the model"}'"#));
    assert_eq!(
        unwell.decode(&[0; 100]).unwrap_err().to_string(),
        "failed to start the speech engine: install the model"
    );
}

#[test]
fn what_is_no_sound_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("text");
    std::fs::write(&file, "not a recording").unwrap();
    let error = Speech::new(settings(), directory.path()).transcribe(&file, &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(error, SpeechError::Media(_)), "{error}");
}

#[test]
fn it_stops_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("said.wav");
    say("hello world", &file);
    let speech = Speech::new(settings(), directory.path());
    assert!(speech.ready().is_ok());
    assert!(matches!(speech.transcribe(&file, &AtomicBool::new(true)), Err(SpeechError::Stopped)));
}
