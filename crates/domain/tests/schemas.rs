//! The published JSON Schemas are the ones that the types give.
//!
//! `UPDATE_EXPECT=1 cargo nextest run -p domain` rewrites them.

use domain::change::Change;
use domain::extraction::Extraction;
use domain::settings::Settings;
use domain::table::settings::TableSettings;
use expect_test::expect_file;
use schemars::{JsonSchema, schema_for};

fn published<T: JsonSchema>() -> String {
    let mut text = serde_json::to_string_pretty(&schema_for!(T)).expect("a schema is JSON");
    text.push('\n');
    text
}

#[test]
fn extraction_document() {
    expect_file!["../../../schemas/extraction.schema.json"].assert_eq(&published::<Extraction>());
}

#[test]
fn change_record() {
    expect_file!["../../../schemas/change.schema.json"].assert_eq(&published::<Change>());
}

#[test]
fn settings_file() {
    expect_file!["../../../schemas/settings.schema.json"].assert_eq(&published::<Settings>());
}

#[test]
fn table_settings_file() {
    expect_file!["../../../schemas/table.schema.json"].assert_eq(&published::<TableSettings>());
}
