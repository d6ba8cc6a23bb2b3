//! Every kind of file: read whole, and then cut and bent at many places.

use std::time::Duration;

use documents::{Detection, DocumentError, Limits, Sample, detect, read};

mod samples;

/// Places at which each file is cut, and at which it is bent.
const PLACES: usize = 60;

fn detection(bytes: &[u8], file_name: &str) -> Detection {
    detect(&Sample {
        head: bytes,
        tail: bytes,
        size_bytes: bytes.len() as u64,
        file_name,
        declared: Some("text/plain; charset=utf-8"),
    })
}

#[test]
fn every_kind_is_known_by_content_and_read() {
    for made in samples::all() {
        for name in ["file", "FILE.BIN", "file.png"] {
            let hinted = if made.media_type == "text/csv" { "file.csv" } else { name };
            assert_eq!(detection(&made.bytes, hinted).media_type, made.media_type, "{name}");
        }
        let document = read(&made.bytes, made.media_type, &Limits::default()).unwrap();
        assert!(
            document.text.contains(made.needle),
            "{}: {:?} {:?}",
            made.media_type,
            document.text,
            document.warnings
        );
        assert_eq!(document.warnings, Vec::<String>::new(), "{}", made.media_type);
        for page in &document.pages {
            assert!(page.start <= page.end && page.end <= document.text_chars(), "{}: {page:?}", made.media_type);
        }
    }
}

#[test]
fn structure_is_kept_where_the_kind_has_it() {
    let read_kind = |kind: &str| {
        let made = samples::all().into_iter().find(|made| made.media_type.ends_with(kind)).unwrap();
        read(&made.bytes, made.media_type, &Limits::default()).unwrap()
    };
    assert_eq!(read_kind("wordprocessingml.document").metadata["Title"], "T");
    assert_eq!(read_kind("wordprocessingml.document").tables[0].cells[0].column_span, 2);
    assert_eq!(read_kind("spreadsheetml.sheet").pages[0].name.as_deref(), Some("S"));
    assert_eq!(read_kind("spreadsheetml.sheet").tables[0].rows, 1_048_576);
    assert_eq!(read_kind("presentationml.presentation").pages[0].name.as_deref(), Some("Title"));
    assert_eq!(read_kind("opendocument.spreadsheet").tables[0].columns, 3);
    assert_eq!(read_kind("epub+zip").metadata["Title"], "Book");
    assert_eq!(read_kind("ms-outlook").attachments[0].size_bytes, 5);
    assert_eq!(read_kind("rfc822").attachments[0].name, "a.png");
    assert_eq!(read_kind("text/vtt").segments[0].end_seconds, Some(2.5));
    assert_eq!(read_kind("ms-powerpoint").pages[0].name.as_deref(), Some("needle"));
    let picture = read_kind("image/tiff").metadata;
    assert_eq!(
        (picture["Make"].as_str(), picture["Latitude"].as_str(), picture["Longitude"].as_str()),
        ("Abc", "-33.510000", "151.250000")
    );
}

#[test]
fn cut_and_bent_files_end_in_time() {
    let limits = Limits { max_time: Duration::from_secs(20), ..Limits::default() };
    for made in samples::all() {
        let step = (made.bytes.len() / PLACES).max(1);
        for place in (0..made.bytes.len()).step_by(step) {
            let cut = made.bytes[..place].to_vec();
            let bend = |value: u8| {
                let mut bent = made.bytes.clone();
                bent[place] = value;
                bent
            };
            for bytes in [cut, bend(0xff), bend(made.bytes[place] ^ 1)] {
                // Whatever it is taken for, and what it was: neither may crash, hang or time out.
                let kind = detection(&bytes, "file").media_type;
                for media_type in [kind.as_str(), made.media_type] {
                    let result = read(&bytes, media_type, &limits);
                    assert!(!matches!(result, Err(DocumentError::TimedOut(_))), "{} at {place}", made.media_type);
                }
            }
        }
    }
}

#[test]
fn files_made_to_expand_or_nest_are_bounded() {
    let deep = |open: &str, depth: usize| open.repeat(depth).into_bytes();
    let message = "Content-Type: message/rfc822\n\n";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("application/xml", deep("<a>", 200_000)),
        ("text/html", deep("<div><table>", 100_000)),
        ("application/json", deep("[", 200_000)),
        ("application/rtf", [b"{\\rtf1 ".to_vec(), deep("{", 300_000)].concat()),
        ("message/rfc822", [b"From: a@example.com\nSubject: x\n".to_vec(), deep(message, 20_000)].concat()),
        ("application/pdf", [b"%PDF-1.4\n1 0 obj\n".to_vec(), deep("<</A [", 100_000)].concat()),
        ("text/csv", deep("a,", 500_000)),
    ];
    for (media_type, bytes) in cases {
        let result = read(&bytes, media_type, &Limits::default());
        assert!(!matches!(result, Err(DocumentError::TimedOut(_))), "{media_type}");
    }
}

#[test]
fn limits_hold() {
    let tight = Limits { max_text_chars: 10, max_input_bytes: 100, ..Limits::default() };
    let document = read(&[b'a'; 50], "text/plain", &tight).unwrap();
    assert_eq!((document.text.len(), document.warnings.len()), (10, 1));
    assert!(matches!(read(&[b'a'; 101], "text/plain", &tight), Err(DocumentError::TooLarge(_))));
    assert!(matches!(read(b"PK", "application/zip", &tight), Err(DocumentError::Unsupported(_))));
    let failure = domain::failure::Failure::from(read(b"x", "audio/wav", &tight).unwrap_err());
    assert_eq!(failure.name, domain::failure::FailureName::UnsupportedMedia);
}
