//! Column types as Athena's DDL spells them, and what they are to Arrow and to Iceberg.
//! <https://docs.aws.amazon.com/athena/latest/ug/data-types.html>,
//! <https://iceberg.apache.org/spec/#schemas-and-data-types>. A type that a format cannot hold is refused.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use iceberg::spec::{ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, StructType, Type};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[expect(missing_docs, reason = "the names are the types' own")]
pub enum ColumnType {
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Decimal(u8, u8),
    Char(u32),
    Varchar(u32),
    String,
    Binary,
    Date,
    Timestamp,
    TimestampTz,
    Array(Box<ColumnType>),
    Map(Box<ColumnType>, Box<ColumnType>),
    Struct(Vec<(String, ColumnType)>),
}

impl fmt::Display for ColumnType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => formatter.write_str("boolean"),
            Self::TinyInt => formatter.write_str("tinyint"),
            Self::SmallInt => formatter.write_str("smallint"),
            Self::Int => formatter.write_str("int"),
            Self::BigInt => formatter.write_str("bigint"),
            Self::Float => formatter.write_str("float"),
            Self::Double => formatter.write_str("double"),
            Self::Decimal(precision, scale) => write!(formatter, "decimal({precision},{scale})"),
            Self::Char(length) => write!(formatter, "char({length})"),
            Self::Varchar(length) => write!(formatter, "varchar({length})"),
            Self::String => formatter.write_str("string"),
            Self::Binary => formatter.write_str("binary"),
            Self::Date => formatter.write_str("date"),
            Self::Timestamp => formatter.write_str("timestamp"),
            Self::TimestampTz => formatter.write_str("timestamptz"),
            Self::Array(item) => write!(formatter, "array<{item}>"),
            Self::Map(key, value) => write!(formatter, "map<{key},{value}>"),
            Self::Struct(fields) => {
                formatter.write_str("struct<")?;
                for (index, (name, field)) in fields.iter().enumerate() {
                    write!(formatter, "{}{name}:{field}", if index > 0 { "," } else { "" })?;
                }
                formatter.write_str(">")
            }
        }
    }
}

impl From<ColumnType> for String {
    fn from(column_type: ColumnType) -> Self {
        column_type.to_string()
    }
}

impl TryFrom<String> for ColumnType {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl FromStr for ColumnType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        crate::sql::column_type(text)
    }
}

impl ColumnType {
    /// The type in memory.
    #[must_use]
    pub fn arrow(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::TinyInt => DataType::Int8,
            Self::SmallInt => DataType::Int16,
            Self::Int => DataType::Int32,
            Self::BigInt => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(*precision, i8::try_from(*scale).unwrap_or(0)),
            Self::Char(_) | Self::Varchar(_) | Self::String => DataType::Utf8,
            Self::Binary => DataType::LargeBinary,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            Self::Array(item) => DataType::List(Arc::new(Field::new("element", item.arrow(), true))),
            Self::Map(key, value) => {
                let entry = vec![Field::new("key", key.arrow(), false), Field::new("value", value.arrow(), true)];
                let entries = Field::new("key_value", DataType::Struct(entry.into()), false);
                DataType::Map(Arc::new(entries), false)
            }
            Self::Struct(fields) => {
                let fields = fields.iter().map(|(name, field)| Field::new(name, field.arrow(), true));
                DataType::Struct(fields.collect::<Fields>())
            }
        }
    }

    /// The type in an Iceberg table; `next_id` numbers nested fields.
    ///
    /// # Errors
    /// For the types that Iceberg does not have.
    pub fn iceberg(&self, next_id: &mut i32) -> Result<Type> {
        Ok(match self {
            Self::Array(item) => {
                let id = take(next_id);
                Type::List(ListType::new(NestedField::list_element(id, item.iceberg(next_id)?, false).into()))
            }
            Self::Map(key, value) => {
                let (key_id, value_id) = (take(next_id), take(next_id));
                let key = NestedField::map_key_element(key_id, key.iceberg(next_id)?);
                let value = NestedField::map_value_element(value_id, value.iceberg(next_id)?, false);
                Type::Map(MapType::new(key.into(), value.into()))
            }
            Self::Struct(fields) => Type::Struct(StructType::new(iceberg_fields(fields, next_id)?)),
            simple => Type::Primitive(simple.primitive()?),
        })
    }

    fn primitive(&self) -> Result<PrimitiveType> {
        Ok(match self {
            Self::Boolean => PrimitiveType::Boolean,
            Self::Int => PrimitiveType::Int,
            Self::BigInt => PrimitiveType::Long,
            Self::Float => PrimitiveType::Float,
            Self::Double => PrimitiveType::Double,
            Self::Decimal(precision, scale) => {
                PrimitiveType::Decimal { precision: u32::from(*precision), scale: u32::from(*scale) }
            }
            Self::String => PrimitiveType::String,
            Self::Binary => PrimitiveType::Binary,
            Self::Date => PrimitiveType::Date,
            Self::Timestamp => PrimitiveType::Timestamp,
            Self::TimestampTz => PrimitiveType::Timestamptz,
            other => {
                let instead = if matches!(other, Self::Char(_) | Self::Varchar(_)) { "string" } else { "int" };
                return Err(Error::Mismatch(format!("Iceberg has no type `{other}`; use `{instead}`")));
            }
        })
    }

    /// The type of an Iceberg column, as `DESCRIBE` and `SHOW CREATE TABLE` write it.
    ///
    /// # Errors
    /// For types that Athena cannot name.
    pub fn of_iceberg(of: &Type) -> Result<Self> {
        Ok(match of {
            Type::Primitive(primitive) => Self::of_primitive(primitive)?,
            Type::List(list) => Self::Array(Box::new(Self::of_iceberg(&list.element_field.field_type)?)),
            Type::Map(map) => Self::Map(
                Box::new(Self::of_iceberg(&map.key_field.field_type)?),
                Box::new(Self::of_iceberg(&map.value_field.field_type)?),
            ),
            Type::Struct(of) => {
                let field = |field: &NestedFieldRef| Ok((field.name.clone(), Self::of_iceberg(&field.field_type)?));
                Self::Struct(of.fields().iter().map(field).collect::<Result<_>>()?)
            }
        })
    }

    fn of_primitive(of: &PrimitiveType) -> Result<Self> {
        Ok(match of {
            PrimitiveType::Boolean => Self::Boolean,
            PrimitiveType::Int => Self::Int,
            PrimitiveType::Long => Self::BigInt,
            PrimitiveType::Float => Self::Float,
            PrimitiveType::Double => Self::Double,
            PrimitiveType::Decimal { precision, scale } => {
                Self::Decimal(u8::try_from(*precision).unwrap_or(38), u8::try_from(*scale).unwrap_or(0))
            }
            PrimitiveType::Date => Self::Date,
            PrimitiveType::Timestamp => Self::Timestamp,
            PrimitiveType::Timestamptz => Self::TimestampTz,
            PrimitiveType::String | PrimitiveType::Uuid => Self::String,
            PrimitiveType::Binary | PrimitiveType::Fixed(_) => Self::Binary,
            other => return Err(Error::Mismatch(format!("Athena has no name for Iceberg's type `{other}`"))),
        })
    }

    /// The type that a column of a query is stored as.
    ///
    /// # Errors
    /// For types that no table holds.
    pub fn of_arrow(of: &DataType) -> Result<Self> {
        Ok(match of {
            DataType::Boolean => Self::Boolean,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => Self::Int,
            DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Self::BigInt,
            DataType::Float16 | DataType::Float32 => Self::Float,
            DataType::Float64 => Self::Double,
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) => {
                Self::Decimal(*p, u8::try_from(*s).unwrap_or(0))
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::String,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Self::Binary,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::TimestampTz,
            DataType::Dictionary(_, value) => Self::of_arrow(value)?,
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Self::Array(Box::new(Self::of_arrow(item.data_type())?))
            }
            DataType::Map(entries, _) => Self::of_map(entries.data_type())?,
            DataType::Struct(fields) => {
                let field = |field: &Arc<Field>| Ok((field.name().clone(), Self::of_arrow(field.data_type())?));
                Self::Struct(fields.iter().map(field).collect::<Result<_>>()?)
            }
            other => return Err(Error::Mismatch(format!("no table holds values of type `{other}`; cast them"))),
        })
    }

    fn of_map(entries: &DataType) -> Result<Self> {
        match entries {
            DataType::Struct(fields) if fields.len() == 2 => Ok(Self::Map(
                Box::new(Self::of_arrow(fields[0].data_type())?),
                Box::new(Self::of_arrow(fields[1].data_type())?),
            )),
            other => Err(Error::Mismatch(format!("no table holds a map of `{other}`"))),
        }
    }
}

fn take(next_id: &mut i32) -> i32 {
    *next_id += 1;
    *next_id - 1
}

/// Fields of an Iceberg struct, all of them optional as Athena makes them. Siblings are numbered before their children.
///
/// # Errors
/// For the types that Iceberg does not have.
pub(crate) fn iceberg_fields(fields: &[(String, ColumnType)], next_id: &mut i32) -> Result<Vec<NestedFieldRef>> {
    let ids: Vec<i32> = fields.iter().map(|_| take(next_id)).collect();
    let numbered = ids.into_iter().zip(fields);
    numbered.map(|(id, (name, of))| Ok(NestedField::optional(id, name, of.iceberg(next_id)?).into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "boolean",
            "int",
            "bigint",
            "decimal(12,2)",
            "varchar(20)",
            "char(3)",
            "array<map<string,int>>",
            "struct<a:int,b:array<struct<c:date>>>",
            "timestamp",
            "timestamptz",
        ] {
            assert_eq!(text.parse::<ColumnType>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn nested_fields_are_numbered_once() {
        let of: ColumnType = "struct<a:array<int>,b:map<string,struct<c:int>>>".parse().unwrap();
        let mut next = 5;
        let made = of.iceberg(&mut next).unwrap();
        assert_eq!(ColumnType::of_iceberg(&made).unwrap(), of);
        assert_eq!(next, 11);
    }

    #[test]
    fn types_that_iceberg_lacks_are_refused() {
        for text in ["tinyint", "smallint", "varchar(3)", "char(3)"] {
            assert!(text.parse::<ColumnType>().unwrap().iceberg(&mut 1).is_err(), "{text}");
        }
    }
}
