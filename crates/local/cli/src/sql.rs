//! SQL as text, as far as the program looks into it: pieces, statements, and a point in time put behind table names.
//!
//! What a statement means is the service's to say; nothing here refuses one.

use jiff::Timestamp;

/// A piece of a statement, by its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    kind: Kind,
    start: usize,
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A name or a keyword.
    Word,
    /// A name in double quotes.
    Name,
    /// Text in single quotes, a comment, or space.
    Other,
    /// One other character.
    Mark,
}

/// Takes `text` apart; pieces cover all of it.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let rest = &text[start..];
        let (kind, length) = match first {
            '\'' => (Kind::Other, quoted(rest, '\'')),
            '"' | '`' => (Kind::Name, quoted(rest, first)),
            _ if rest.starts_with("--") => (Kind::Other, rest.find('\n').map_or(rest.len(), |end| end + 1)),
            _ if rest.starts_with("/*") => (Kind::Other, rest.find("*/").map_or(rest.len(), |end| end + 2)),
            _ if first.is_whitespace() => (Kind::Other, while_true(rest, char::is_whitespace)),
            _ if first.is_alphanumeric() || first == '_' => {
                (Kind::Word, while_true(rest, |c| c.is_alphanumeric() || "_$".contains(c)))
            }
            other => (Kind::Mark, other.len_utf8()),
        };
        pieces.push(Piece { kind, start, end: start + length });
        start += length;
    }
    pieces
}

fn while_true(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !is(c)).unwrap_or(text.len())
}

/// Length of the quoted text at the beginning; two quotes are one within it.
fn quoted(text: &str, quote: char) -> usize {
    let mut rest = 1;
    while let Some(end) = text[rest..].find(quote) {
        rest += end + 1;
        if !text[rest..].starts_with(quote) {
            return rest;
        }
        rest += 1;
    }
    text.len()
}

/// The statements of `text`, between semicolons; what holds nothing but comments is none.
pub(crate) fn statements(text: &str) -> Vec<&str> {
    let (complete, rest) = split(text);
    complete.into_iter().chain([rest]).filter(|statement| !is_blank(statement)).map(str::trim).collect()
}

/// The statements that a semicolon ends, and what is behind the last one.
pub(crate) fn split(text: &str) -> (Vec<&str>, &str) {
    let mut complete = Vec::new();
    let mut start = 0;
    for piece in pieces(text) {
        if &text[piece.start..piece.end] == ";" {
            complete.push(&text[start..piece.start]);
            start = piece.end;
        }
    }
    (complete, &text[start..])
}

/// Whether there is nothing to run in it.
pub(crate) fn is_blank(text: &str) -> bool {
    pieces(text).iter().all(|piece| piece.kind == Kind::Other && !text[piece.start..].starts_with('\''))
}

/// Functions that write `FROM` between their arguments.
const WITH_FROM: [&str; 5] = ["EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION"];
/// Words that end the list of tables.
const BEHIND_TABLES: [&str; 11] =
    ["WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "WINDOW", "ON"];

/// The databases that names are in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Databases<'a> {
    /// That of names without a database.
    pub(crate) session: &'a str,
    /// That of the catalog's tables.
    pub(crate) catalog: &'a str,
}

impl Databases<'_> {
    /// Whether a name, as it was written, is the view `catalog`.
    fn is_catalog(&self, name: &str) -> bool {
        let parts: Vec<String> = name.split('.').map(|part| part.trim_matches(['"', '`']).to_lowercase()).collect();
        let database = match parts.as_slice() {
            [table] if table == "catalog" => self.session,
            [database, table] if table == "catalog" => database,
            _ => return false,
        };
        database.eq_ignore_ascii_case(self.catalog)
    }

    /// The table below that view.
    fn merged(&self) -> String {
        format!("{}.catalog_merged", self.catalog)
    }
}

/// `statement` with every table in it as it was at `time`. The view `catalog` has no past; the table below it has.
pub(crate) fn as_of(statement: &str, time: Timestamp, databases: Databases<'_>) -> String {
    let suffix = format!(" FOR TIMESTAMP AS OF TIMESTAMP '{} UTC'", time.strftime("%Y-%m-%d %H:%M:%S%.3f"));
    let mut past = String::new();
    let mut written = 0;
    for table in tables(statement) {
        past.push_str(&statement[written..table.start]);
        let name = &statement[table.start..table.end];
        past.push_str(&if databases.is_catalog(name) { databases.merged() } else { name.to_owned() });
        past.push_str(&suffix);
        written = table.end;
    }
    past + &statement[written..]
}

/// One level of parentheses.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// Whether it is the arguments of a function of [`WITH_FROM`].
    is_call: bool,
    /// Whether it is within a list of tables.
    in_tables: bool,
    /// Whether a table may come next.
    expects: bool,
}

/// The places of all tables that are read.
fn tables(statement: &str) -> Vec<Piece> {
    let pieces: Vec<Piece> = pieces(statement).into_iter().filter(|piece| piece.kind != Kind::Other).collect();
    let text = |at: usize| pieces.get(at).map_or("", |piece| &statement[piece.start..piece.end]);
    let word = |at: usize| text(at).to_ascii_uppercase();
    let is_own = |name: &str| {
        (0..pieces.len()).any(|at| text(at).eq_ignore_ascii_case(name) && word(at + 1) == "AS" && text(at + 2) == "(")
    };
    let mut levels = vec![Level::default()];
    let mut tables = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        let mut next = at + 1;
        let depth = levels.len();
        let Some(level) = levels.last_mut() else { break };
        match (pieces[at].kind, word(at).as_str()) {
            (_, "(") => {
                let is_call = at > 0 && WITH_FROM.contains(&word(at - 1).as_str());
                level.expects = false;
                levels.push(Level { is_call, ..Level::default() });
            }
            (_, ")") if depth > 1 => drop(levels.pop()),
            (_, ",") => level.expects = level.in_tables,
            (Kind::Word, "FROM")
                if !(level.is_call || at > 0 && word(at - 1) == "DISTINCT" && is_comparison(at, &word)) =>
            {
                (level.in_tables, level.expects) = (true, true);
            }
            (Kind::Word, "JOIN") => (level.in_tables, level.expects) = (true, true),
            (Kind::Word, behind) if BEHIND_TABLES.contains(&behind) => {
                (level.in_tables, level.expects) = (false, false);
            }
            (Kind::Word | Kind::Name, _) if level.expects => {
                level.expects = false;
                while text(next) == "." {
                    next += 2;
                }
                let end = pieces.get(next - 1).map_or(statement.len(), |piece| piece.end);
                let is_read = text(next) != "(" && !(next == at + 1 && is_own(text(at)));
                tables.extend(is_read.then_some(Piece { kind: Kind::Name, start: pieces[at].start, end }));
            }
            _ => {}
        }
        at = next;
    }
    tables
}

/// `IS [NOT] DISTINCT FROM` reads no table.
fn is_comparison(at: usize, word: &impl Fn(usize) -> String) -> bool {
    at >= 2 && ["IS", "NOT"].contains(&word(at - 2).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_between_its_statements() {
        let text = "-- first; not the end\nSELECT 'a;''b' ; /* ; */\n\n;SELECT \"x;y\" FROM t";
        assert_eq!(statements(text), ["-- first; not the end\nSELECT 'a;''b'", "SELECT \"x;y\" FROM t"]);
        assert_eq!(statements(" -- nothing\n;;"), Vec::<&str>::new());
        assert_eq!(split("SELECT 1;\nSELECT"), (vec!["SELECT 1"], "\nSELECT"));
        assert_eq!(statements("SELECT 'open"), ["SELECT 'open"]);
    }

    #[test]
    fn tables_get_their_time_and_nothing_else_does() {
        let time: Timestamp = "2026-05-01T10:00:00Z".parse().unwrap();
        let at = "FOR TIMESTAMP AS OF TIMESTAMP '2026-05-01 10:00:00.000 UTC'";
        for (statement, past) in [
            ("SELECT * FROM d.t", "SELECT * FROM d.t @"),
            ("SELECT * FROM catalog AS c WHERE a = 1", "SELECT * FROM sluice.catalog_merged @ AS c WHERE a = 1"),
            (
                "SELECT a FROM t, \"u\" x JOIN v ON t.a = v.a, w",
                "SELECT a FROM t @, \"u\" @ x JOIN v @ ON t.a = v.a, w",
            ),
            ("SELECT extract(year FROM a), b FROM t", "SELECT extract(year FROM a), b FROM t @"),
            ("SELECT 1 FROM (SELECT * FROM t) AS s, u", "SELECT 1 FROM (SELECT * FROM t @) AS s, u @"),
            ("WITH s AS (SELECT * FROM t) SELECT * FROM s", "WITH s AS (SELECT * FROM t @) SELECT * FROM s"),
            ("SELECT * FROM t CROSS JOIN UNNEST(t.a) AS x(y)", "SELECT * FROM t @ CROSS JOIN UNNEST(t.a) AS x(y)"),
            ("SELECT a IS DISTINCT FROM b FROM t", "SELECT a IS DISTINCT FROM b FROM t @"),
            ("SELECT ' FROM x' -- FROM y\n", "SELECT ' FROM x' -- FROM y\n"),
        ] {
            let databases = Databases { session: "sluice", catalog: "sluice" };
            assert_eq!(as_of(statement, time, databases), past.replace('@', at), "{statement}");
        }
    }

    #[test]
    fn the_catalog_is_that_of_the_deployment() {
        for (session, catalog, name, past) in [
            ("sluice", "sluice", "sluice.catalog", "sluice.catalog_merged"),
            ("files", "files", "Catalog", "files.catalog_merged"),
            ("files", "files", "\"files\".\"catalog\"", "files.catalog_merged"),
            ("files", "files", "sluice.catalog", "sluice.catalog"),
            ("other", "files", "catalog", "catalog"),
            ("other", "files", "files.catalog", "files.catalog_merged"),
        ] {
            let databases = Databases { session, catalog };
            let written = as_of(&format!("SELECT * FROM {name}"), Timestamp::UNIX_EPOCH, databases);
            assert!(written.starts_with(&format!("SELECT * FROM {past} FOR ")), "{name} in {session}: {written}");
        }
    }

    #[test]
    fn hostile_texts_end() {
        for text in ["'", "\"", "/*", "--", "(((", ")))", "FROM", "FROM .", "a.", ";;;", "\u{0}ü'"] {
            let databases = Databases { session: "d", catalog: "d" };
            let _ = (statements(text), as_of(text, Timestamp::UNIX_EPOCH, databases));
        }
    }
}
