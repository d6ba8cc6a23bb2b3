//! `settings.toml` at the root shows every switch with its preset, as the services describe them.
//!
//! `UPDATE_EXPECT=1 cargo nextest run -p services` rewrites it.

use std::fmt::Write as _;

use domain::media::Family;
use domain::object::ObjectRef;
use domain::plan::Subject;
use domain::settings::{Preset, Settings};
use expect_test::expect_file;
use services::{SERVICES, Service};

const HEADER: &str = r#"# Settings of Sluice: every member with its default. A settings file holds what differs; the rest may go.
# `sluice run --settings FILE`; on AWS the file lies beside the functions. Schema: schemas/settings.schema.json.

# Languages to expect, most likely first (ISO 639-1); speech is matched against them.
languages = ["en", "es", "de", "fr", "it", "pt"]

[redaction]
# Replace the characters of personal data in extraction documents by `*`; offsets stay right.
enabled = false
# Which kinds, in Amazon Comprehend's names ("EMAIL", "SSN" ...); none named means all.
kinds = []

[partitioned_copy]
# Copy each raw object to the bucket SLUICE_PARTITIONED_BUCKET, under a key and with tags that say what was found.
enabled = false

# What is asked of whom: features.<family>.<service>.<feature>. A service with no feature on takes no part.
"#;

/// One media type for each family that a service may read.
const KINDS: [(&str, &str); 8] = [
    ("text", "text/plain"),
    ("html", "text/html"),
    ("mail", "message/rfc822"),
    ("office", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("pdf", "application/pdf"),
    ("image", "image/png"),
    ("audio", "audio/wav"),
    ("video", "video/mp4"),
];

fn subject(media_type: &str) -> Subject {
    Subject {
        object: ObjectRef::new("raw", "a"),
        etag: "e".into(),
        size_bytes: 1000,
        media_type: media_type.into(),
        declared_type: None,
        family: Family::of(media_type),
    }
}

fn section(family: &str, service: &dyn Service) -> String {
    let descriptor = service.descriptor();
    let mut text = format!("\n[features.{family}.{}]\n", descriptor.id);
    for feature in descriptor.features {
        writeln!(text, "{} = {} # {}", feature.name, feature.preset == Preset::On, feature.about)
            .expect("a string takes what is written");
    }
    text
}

fn documented() -> String {
    let mut text = HEADER.to_owned();
    for (family, media_type) in KINDS {
        let subject = subject(media_type);
        let taking_part = SERVICES.iter().filter(|service| service.place(&subject).is_some());
        text.extend(taking_part.map(|service| section(family, *service)));
    }
    text
}

#[test]
fn the_file_shows_every_switch() {
    expect_file!["../../../settings.toml"].assert_eq(&documented());
}

#[test]
fn the_file_says_what_holds_without_it() {
    let shown: Settings = toml::from_str(&documented()).unwrap();
    let plain = Settings::default();
    assert_eq!((&shown.languages, &shown.redaction), (&plain.languages, &plain.redaction));
    for (_, media_type) in KINDS {
        let subject = subject(media_type);
        assert_eq!(services::plan(&subject, &shown).unwrap(), services::plan(&subject, &plain).unwrap());
    }
}
