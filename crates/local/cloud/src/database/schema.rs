//! The form of a database: its tables, its number, and how earlier forms become this one.
//!
//! The number stands in the file. A file with tables and no number is of the first form, which had none. A form that is
//! later than this program's is refused: it may hold what this program would spoil.
//!
//! <https://www.sqlite.org/pragma.html#pragma_user_version>

use rusqlite::{Connection, TransactionBehavior};

use super::OpenFault;

/// The newest form of a database.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'a> {
    /// Statements that make what is missing, and may run again where nothing is.
    pub tables: &'a [&'a str],
    /// The first makes the second form out of the first, and so on; they run before [`Schema::tables`].
    pub upgrades: &'a [&'a [&'a str]],
}

impl<'a> Schema<'a> {
    /// A form that has never been another.
    #[must_use]
    pub fn of(tables: &'a [&'a str]) -> Self {
        Self { tables, upgrades: &[] }
    }

    /// The number of this form.
    fn number(&self) -> usize {
        self.upgrades.len() + 1
    }

    /// Brings a database to this form, in one transaction and so with one sync.
    pub(super) fn apply(&self, connection: &mut Connection) -> Result<(), OpenFault> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let form = match usize::try_from(found) {
            Ok(0) if is_empty(&transaction)? => self.number(),
            Ok(0) => 1,
            Ok(form) if form <= self.number() => form,
            _ => return Err(OpenFault::Newer(found)),
        };
        for upgrade in self.upgrades.iter().skip(form - 1).copied().flatten() {
            transaction.execute_batch(upgrade)?;
        }
        for tables in self.tables {
            transaction.execute_batch(tables)?;
        }
        // The number of forms is small.
        transaction.pragma_update(None, "user_version", i64::try_from(self.number()).unwrap_or(1))?;
        transaction.commit().map_err(OpenFault::from)
    }
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE IF NOT EXISTS a (x INTEGER)";
    const SECOND: &str = "CREATE TABLE IF NOT EXISTS a (x INTEGER, y INTEGER)";
    const UPGRADE: &str = "ALTER TABLE a ADD COLUMN y INTEGER";

    fn form(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn every_earlier_form_becomes_this_one() {
        let second = Schema { tables: &[SECOND], upgrades: &[&[UPGRADE]] };
        let unnumbered = |connection: &mut Connection| connection.execute_batch(FIRST).unwrap();
        let first = |connection: &mut Connection| Schema::of(&[FIRST]).apply(connection).ok().unwrap();
        let newest = |connection: &mut Connection| second.apply(connection).ok().unwrap();
        let nothing = |_: &mut Connection| {};
        let befores: [&dyn Fn(&mut Connection); 4] = [&unnumbered, &first, &newest, &nothing];
        for before in befores {
            let mut connection = Connection::open_in_memory().unwrap();
            before(&mut connection);
            assert!(second.apply(&mut connection).is_ok());
            connection.execute("INSERT INTO a (x, y) VALUES (1, 2)", []).unwrap();
            assert_eq!(form(&connection), 2);
        }
    }

    #[test]
    fn a_later_form_is_refused_and_left_alone() {
        for later in [2, 99, -1] {
            let mut connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(FIRST).unwrap();
            connection.pragma_update(None, "user_version", later).unwrap();
            let refused = Schema::of(&[SECOND]).apply(&mut connection);
            assert!(matches!(refused, Err(OpenFault::Newer(found)) if found == later));
            assert_eq!(form(&connection), later);
        }
    }
}
