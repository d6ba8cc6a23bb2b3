//! Files as Hive's metastore and Glue's describe them: classes that read and write them, and their parameters.
//! <https://docs.aws.amazon.com/glue/latest/webapi/API_StorageDescriptor.html>.

use std::collections::BTreeMap;

use super::create::format_of;
use crate::catalog::{Column, Format};
use crate::error::Result;
use crate::sql::{CreateExternal, Definition, Name, Position, RowFormat, Storage};

/// How the files of a table are written, in Hive's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HiveStorage {
    /// The class that reads files.
    pub input_format: String,
    /// The class that writes files.
    pub output_format: String,
    /// The class that makes rows of what a file holds.
    pub serde: String,
    /// The parameters of that class.
    pub parameters: BTreeMap<String, String>,
}

const TEXT_INPUT: &str = "org.apache.hadoop.mapred.TextInputFormat";
const TEXT_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";
const PARQUET_INPUT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const PARQUET_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
const PARQUET_SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
const JSON_SERDE: &str = "org.openx.data.jsonserde.JsonSerDe";
const CSV_SERDE: &str = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
const LAZY_SERDE: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";

impl Format {
    /// The format that Hive's words stand for.
    ///
    /// # Errors
    /// For classes that are not known here, and columns that such files cannot hold.
    pub fn of_hive(columns: &[Column], storage: &HiveStorage, properties: &BTreeMap<String, String>) -> Result<Self> {
        let position = Position { line: 1, column: 1 };
        let definition = Definition {
            name: Name { database: None, table: String::new(), position },
            if_not_exists: false,
            columns: columns.to_vec(),
            comment: None,
            location: None,
            properties: properties.clone(),
        };
        let class = storage.serde.clone();
        let row_format =
            (!class.is_empty()).then(|| RowFormat::Serde { class, properties: storage.parameters.clone() });
        let input = storage.input_format.clone();
        let storage = (!input.is_empty()).then_some(Storage::Classes { input });
        format_of(&CreateExternal { definition, partition_columns: Vec::new(), row_format, storage, position })
    }

    /// The format in Hive's words.
    #[must_use]
    pub fn hive(&self) -> HiveStorage {
        let text = |serde: &str, parameters: Vec<(&str, String)>| HiveStorage {
            input_format: TEXT_INPUT.to_owned(),
            output_format: TEXT_OUTPUT.to_owned(),
            serde: serde.to_owned(),
            parameters: parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        match self {
            Self::Parquet => HiveStorage {
                input_format: PARQUET_INPUT.to_owned(),
                output_format: PARQUET_OUTPUT.to_owned(),
                serde: PARQUET_SERDE.to_owned(),
                parameters: BTreeMap::from([("serialization.format".to_owned(), "1".to_owned())]),
            },
            Self::Json { ignore_malformed, mapping } => {
                let mut storage = text(JSON_SERDE, vec![("ignore.malformed.json", ignore_malformed.to_string())]);
                let mapped = mapping.iter().map(|(key, column)| (format!("mapping.{column}"), key.clone()));
                storage.parameters.extend(mapped);
                storage
            }
            Self::Csv { separator, quote, escape, .. } => {
                let one = |character: &char| character.to_string();
                let parameters =
                    vec![("separatorChar", one(separator)), ("quoteChar", one(quote)), ("escapeChar", one(escape))];
                text(CSV_SERDE, parameters)
            }
            Self::Delimited { field, escape, null, .. } => {
                let mut parameters = vec![
                    ("field.delim", field.to_string()),
                    ("serialization.format", field.to_string()),
                    ("serialization.null.format", null.clone()),
                ];
                parameters.extend(escape.map(|escape| ("escape.delim", escape.to_string())));
                text(LAZY_SERDE, parameters)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_goes_into_hives_words_and_comes_back() {
        for format in [
            Format::Parquet,
            Format::Json { ignore_malformed: true, mapping: BTreeMap::from([("At".to_owned(), "seen".to_owned())]) },
            Format::Csv { separator: ';', quote: '\'', escape: '\\', skip_lines: 0 },
            Format::Delimited { field: '|', escape: Some('\\'), null: "none".to_owned(), skip_lines: 0 },
            Format::Delimited { field: '\t', escape: None, null: "\\N".to_owned(), skip_lines: 0 },
        ] {
            assert_eq!(Format::of_hive(&[], &format.hive(), &BTreeMap::new()).unwrap(), format);
        }
        let orc =
            HiveStorage { serde: "org.apache.hadoop.hive.ql.io.orc.OrcSerde".to_owned(), ..HiveStorage::default() };
        assert!(Format::of_hive(&[], &orc, &BTreeMap::new()).is_err());
    }
}
