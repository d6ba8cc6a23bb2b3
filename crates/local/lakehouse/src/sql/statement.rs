//! The statements, and which of them a text is: decided by its first words.
//! Every statement of Athena's reference is either read or refused by its name here.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::{Position, alter, create, dml, show};
use crate::catalog::{Column, TableName};
use crate::error::{Error, Result};
use crate::types::ColumnType;

/// A name as it was written: the database may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) database: Option<String>,
    pub(crate) table: String,
    pub(crate) position: Position,
}

/// The catalog that Athena names Glue's.
pub(crate) const CATALOG: &str = "awsdatacatalog";

impl Name {
    pub(crate) fn new(mut parts: Vec<String>, position: Position) -> Result<Self> {
        let table = parts.pop().unwrap_or_default();
        let database = parts.pop();
        match parts.pop() {
            None => Ok(Self { database, table, position }),
            Some(catalog) if catalog == CATALOG && parts.is_empty() => Ok(Self { database, table, position }),
            Some(catalog) => {
                Err(Error::unsupported(position, format!("the catalog `{catalog}`"), "use `awsdatacatalog` or none"))
            }
        }
    }

    /// The full name, in the session's database if none was written.
    pub(crate) fn full(&self, database: &str) -> Result<TableName> {
        TableName::new(self.database.as_deref().unwrap_or(database), &self.table)
    }
}

#[derive(Debug)]
pub(crate) enum Statement {
    Query(Box<ast::Query>),
    Explain { query: Box<ast::Query>, analyze: bool },
    Insert(Insert),
    Merge(Box<ast::Merge>),
    Update(Box<ast::Update>),
    Delete(Box<ast::Delete>),
    CreateDatabase { name: String, if_not_exists: bool, comment: Option<String>, location: Option<String> },
    DropDatabase { name: String, if_exists: bool, cascade: bool },
    CreateIceberg(CreateIceberg),
    CreateExternal(Box<CreateExternal>),
    CreateTableAs(CreateTableAs),
    Unload(Unload),
    CreateView { name: Name, or_replace: bool, query: String, columns: Vec<String> },
    DropTable { name: Name, if_exists: bool },
    DropView { name: Name, if_exists: bool },
    Alter { name: Name, change: Alteration },
    Repair(Name),
    Optimize { name: Name, filter: Option<Box<ast::Expr>> },
    Vacuum(Name),
    Show(Show),
    Describe { name: Name, of: Described },
}

/// `INSERT INTO name [(columns)] query`.
#[derive(Debug)]
pub(crate) struct Insert {
    pub(crate) name: Name,
    pub(crate) columns: Vec<String>,
    pub(crate) query: Box<ast::Query>,
}

/// What every `CREATE TABLE` has.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) name: Name,
    pub(crate) if_not_exists: bool,
    pub(crate) columns: Vec<Column>,
    pub(crate) comment: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) properties: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(crate) struct CreateIceberg {
    pub(crate) definition: Definition,
    pub(crate) partition_fields: Vec<PartitionField>,
}

#[derive(Debug, Clone)]
pub(crate) struct CreateExternal {
    pub(crate) definition: Definition,
    pub(crate) partition_columns: Vec<Column>,
    pub(crate) row_format: Option<RowFormat>,
    pub(crate) storage: Option<Storage>,
    pub(crate) position: Position,
}

#[derive(Debug)]
pub(crate) struct CreateTableAs {
    pub(crate) name: Name,
    pub(crate) if_not_exists: bool,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) partition_fields: Vec<PartitionField>,
    pub(crate) query: Box<ast::Query>,
    pub(crate) with_data: bool,
}

/// `UNLOAD (query) TO 'place' WITH (properties)`.
#[derive(Debug)]
pub(crate) struct Unload {
    pub(crate) query: Box<ast::Query>,
    pub(crate) to: String,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) position: Position,
}

/// One field of `PARTITIONED BY` of an Iceberg table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionField {
    pub(crate) column: String,
    pub(crate) transform: Transform,
    pub(crate) position: Position,
}

/// <https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transform {
    Identity,
    Year,
    Month,
    Day,
    Hour,
    Bucket(u32),
    Truncate(u32),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowFormat {
    Delimited { field: Option<char>, escape: Option<char>, null: Option<String> },
    Serde { class: String, properties: BTreeMap<String, String> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Storage {
    Format(String),
    Classes { input: String },
}

/// The columns of a partition and their values.
pub(crate) type Values = Vec<(String, String)>;

#[derive(Debug)]
pub(crate) enum Alteration {
    AddColumns(Vec<Column>),
    DropColumn(String),
    RenameColumn { from: String, to: String },
    ChangeColumn { from: String, to: String, column_type: ColumnType },
    SetProperties(BTreeMap<String, String>),
    UnsetProperties(Vec<String>),
    AddPartitions { if_not_exists: bool, partitions: Vec<(Values, Option<String>)> },
    DropPartitions { if_exists: bool, partitions: Vec<Values> },
    SetLocation(String),
}

#[derive(Debug)]
pub(crate) enum Show {
    Databases { like: Option<String> },
    Tables { database: Option<String>, like: Option<String> },
    Views { database: Option<String>, like: Option<String> },
    Columns(Name),
    Partitions(Name),
    CreateTable(Name),
    CreateView(Name),
    Properties { name: Name, key: Option<String> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Described {
    Columns,
    Everything,
    View,
}

pub(super) fn read(cursor: &mut Cursor) -> Result<Statement> {
    if cursor.peek() == Some(&Token::LParen) {
        return Ok(Statement::Query(dml::query(cursor)?));
    }
    let Some(word) = cursor.word() else { return Err(cursor.expected("a statement")) };
    match word.as_str() {
        "SELECT" | "WITH" | "VALUES" | "TABLE" => Ok(Statement::Query(dml::query(cursor)?)),
        "EXPLAIN" => dml::explain(cursor),
        "INSERT" => dml::insert(cursor),
        "MERGE" => dml::merge(cursor),
        "UPDATE" => dml::update(cursor),
        "DELETE" => dml::delete(cursor),
        "CREATE" => create::read(cursor),
        "UNLOAD" => create::unload(cursor),
        "DROP" => alter::drop(cursor),
        "ALTER" => alter::alter(cursor),
        "MSCK" => alter::repair(cursor),
        "OPTIMIZE" => alter::optimize(cursor),
        "VACUUM" => alter::vacuum(cursor),
        "SHOW" => show::show(cursor),
        "DESCRIBE" | "DESC" => show::describe(cursor),
        other => Err(refused(cursor.position(), other)),
    }
}

/// Statements that other engines take, and what to write here.
fn refused(position: Position, word: &str) -> Error {
    let instead = match word {
        "USE" => "write `database.table`, or set the database of the session",
        "TRUNCATE" => "write `DELETE FROM table`",
        "REPLACE" => "write `MERGE INTO`",
        "PREPARE" | "EXECUTE" | "DEALLOCATE" => "write the values into the statement",
        "GRANT" | "REVOKE" => "there are no users here",
        "ANALYZE" => "statistics are kept with each file, nothing is to be done",
        "CALL" => "write `OPTIMIZE … REWRITE DATA` or `VACUUM`",
        "COMMIT" | "ROLLBACK" | "BEGIN" | "START" => "each statement commits by itself",
        _ => {
            let message = format!(
                "`{word}` begins no statement; a statement begins with SELECT, INSERT, MERGE, UPDATE, DELETE, CREATE, \
                 ALTER, DROP, SHOW, DESCRIBE, MSCK, OPTIMIZE or VACUUM"
            );
            return Error::Syntax { position, message };
        }
    };
    Error::unsupported(position, format!("`{word}`"), instead)
}
