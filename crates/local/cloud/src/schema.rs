//! The form of the cloud's database: the tables of all surfaces, and how earlier forms become this one.

use crate::ai::jobs;
use crate::database::Schema;
use crate::{athena, states, store};

/// The newest form. Whoever changes a table adds to the last upgrade; once that form is out, a new one follows it.
pub(crate) const SCHEMA: Schema<'static> = Schema {
    tables: &[
        store::SCHEMA,
        states::SCHEMA,
        states::MAP_RUN_SCHEMA,
        states::TASK_SCHEMAS[0],
        states::TASK_SCHEMAS[1],
        states::TASK_SCHEMAS[2],
        jobs::SCHEMA,
        athena::SCHEMA,
    ],
    upgrades: &[&[store::FROM_FIRST, states::FROM_FIRST], &[states::FROM_SECOND]],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use rusqlite::Connection;

    use super::SCHEMA;
    use crate::database::Database;

    /// What a table is made of, the order of its columns aside; and the indices.
    fn shape(path: &Path) -> BTreeSet<String> {
        let connection = Connection::open(path).unwrap();
        let columns = "SELECT t.name || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' ||
                       coalesce(c.dflt_value, '') || ' ' || c.pk FROM sqlite_schema t, pragma_table_info(t.name) c
                       WHERE t.type = 'table'";
        let indices = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
        let mut shape = BTreeSet::new();
        for sql in [columns, indices] {
            let mut rows = connection.prepare(sql).unwrap();
            shape.extend(rows.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
        }
        shape
    }

    #[test]
    fn the_first_form_becomes_the_newest_with_what_it_held() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        let first = Connection::open(&old).unwrap();
        first.execute_batch(include_str!("schema/first_form.sql")).unwrap();
        first
            .execute_batch(
                "INSERT INTO state_machine_revision VALUES (1, NULL, 'arn', '{}', 'role', 5);
                 INSERT INTO state_machine VALUES ('arn', 'name', 1, 5, '{\"a\":1}', '{\"key\":\"value\"}');
                 INSERT INTO execution VALUES (7, 'x', 'arn', 1, 'x', 'RUNNING', '{}', NULL, NULL, NULL, 6, NULL, 0, NULL, NULL);
                 INSERT INTO execution_log VALUES (7, 0, 1, '{}');",
            )
            .unwrap();
        drop(first);
        drop(Database::open(&old, &SCHEMA).unwrap());
        drop(Database::open(&new, &SCHEMA).unwrap());
        assert_eq!(shape(&old), shape(&new));
        let connection = Connection::open(&old).unwrap();
        let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(text("SELECT key || '=' || value FROM resource_tag WHERE arn = 'arn'"), "key=value");
        assert_eq!(text("SELECT settings FROM state_machine_revision"), "{\"a\":1}");
        assert_eq!(text("SELECT kind || number FROM execution WHERE status = 'RUNNING'"), "STANDARD7");
        assert_eq!(text("SELECT CAST(entries AS TEXT) FROM execution_log WHERE place = 7 << 28"), "{}");
    }
}
