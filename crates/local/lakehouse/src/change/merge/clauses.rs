//! The `WHEN` clauses of a merge: the first that applies to a row is the one that counts.

use std::fmt::Write as _;

use datafusion::sql::sqlparser::ast::{
    Expr, MergeAction, MergeClause, MergeClauseKind, MergeInsertExpr, MergeInsertKind,
};

use super::super::assign::{assigned, check_types, fields_of, known};
use super::super::quoted;
use super::Attempt;
use crate::error::{Error, Result};
use crate::query::target::ACTION;
use crate::table::scan::arrow_schema;

/// The number of the clause that inserts a row.
pub(super) const INSERT_ACTION: &str = "__sluice_insert";

/// What a `WHEN MATCHED` does.
enum Matched {
    Update(Vec<(String, Expr)>),
    Delete,
}

/// Columns and what they are given.
type Given = Vec<(String, Expr)>;

/// The clauses of each kind, in order. The number of a clause is its place, from 1.
pub(super) struct Clauses {
    matched: Vec<(Option<Expr>, Matched)>,
    not_matched: Vec<(Option<Expr>, Given)>,
}

impl Clauses {
    pub(super) fn read(written: &[MergeClause], columns: &[String]) -> Result<Self> {
        let mut clauses = Self { matched: Vec::new(), not_matched: Vec::new() };
        for clause in written {
            clauses.add(clause, columns)?;
        }
        Ok(clauses)
    }

    fn add(&mut self, clause: &MergeClause, columns: &[String]) -> Result<()> {
        let condition = clause.predicate.clone();
        match (&clause.clause_kind, &clause.action) {
            (MergeClauseKind::Matched, MergeAction::Delete { .. }) => {
                self.matched.push((condition, Matched::Delete));
            }
            (MergeClauseKind::Matched, MergeAction::Update(update))
                if update.update_predicate.is_none() && update.delete_predicate.is_none() =>
            {
                let set = assigned(&update.assignments, columns)?;
                self.matched.push((condition, Matched::Update(set)));
            }
            (MergeClauseKind::NotMatched | MergeClauseKind::NotMatchedByTarget, MergeAction::Insert(insert))
                if insert.insert_predicate.is_none() =>
            {
                self.not_matched.push((condition, inserted(insert, columns)?));
            }
            (kind, action) => {
                let message = format!(
                    "`WHEN {kind} THEN {action}` is not supported; write WHEN MATCHED THEN UPDATE or DELETE, or \
                     WHEN NOT MATCHED THEN INSERT"
                );
                return Err(Error::Invalid(message));
            }
        }
        Ok(())
    }

    pub(super) fn is_update(&self, action: i32) -> bool {
        self.matched_at(action).is_some_and(|matched| matches!(matched, Matched::Update(_)))
    }

    pub(super) fn is_delete(&self, action: i32) -> bool {
        self.matched_at(action).is_some_and(|matched| matches!(matched, Matched::Delete))
    }

    fn matched_at(&self, action: i32) -> Option<&Matched> {
        let at = usize::try_from(action).ok()?.checked_sub(1)?;
        self.matched.get(at).map(|(_, matched)| matched)
    }

    pub(super) fn inserts(&self) -> bool {
        !self.not_matched.is_empty()
    }

    /// The number of the clause that a matched row falls under; 0 if none.
    pub(super) fn matched_action(&self) -> String {
        first_of(self.matched.iter().map(|(condition, _)| condition.as_ref()))
    }

    pub(super) fn insert_action(&self) -> String {
        first_of(self.not_matched.iter().map(|(condition, _)| condition.as_ref()))
    }

    /// A column's value in a file that is written anew.
    pub(super) fn updated_value(&self, column: &str, alias: &str) -> String {
        let own = quoted(column);
        let mut cases = String::new();
        for (nth, (_, matched)) in self.matched.iter().enumerate() {
            let Matched::Update(set) = matched else { continue };
            if let Some((_, value)) = set.iter().find(|(set, _)| set == column) {
                // Writing to a string does not fail.
                let _ = write!(cases, " WHEN {alias}.{ACTION} = {} THEN {value}", nth + 1);
            }
        }
        if cases.is_empty() {
            return format!("{alias}.{own} AS {own}");
        }
        format!("CASE{cases} ELSE {alias}.{own} END AS {own}")
    }

    /// Which rows of a file stay.
    pub(super) fn kept(&self, action: &str) -> String {
        let is_delete = |(nth, (_, matched)): (usize, &(Option<Expr>, Matched))| {
            matches!(matched, Matched::Delete).then(|| (nth + 1).to_string())
        };
        let deletes: Vec<String> = self.matched.iter().enumerate().filter_map(is_delete).collect();
        if deletes.is_empty() {
            return "TRUE".to_owned();
        }
        format!("({action} IS NULL OR {action} NOT IN ({}))", deletes.join(", "))
    }

    /// For each clause that inserts, its number and the row's values in the table's order.
    pub(super) fn inserted_values(&self, columns: &[String]) -> Vec<(usize, String)> {
        let of = |(nth, (_, given)): (usize, &(Option<Expr>, Given))| {
            let value = |column: &String| {
                let own = quoted(column);
                let value = given.iter().find(|(name, _)| name == column);
                value.map_or_else(|| format!("NULL AS {own}"), |(_, value)| format!("{value} AS {own}"))
            };
            (nth + 1, columns.iter().map(value).collect::<Vec<_>>().join(", "))
        };
        self.not_matched.iter().enumerate().map(of).collect()
    }

    /// Refuses values that do not fit before anything is written.
    pub(super) async fn check(&self, attempt: &Attempt<'_>, source: &str) -> Result<()> {
        let changed = attempt.changed;
        let target = format!("{}.{} AS {}", quoted(&changed.name.database), quoted(&changed.name.table), changed.alias);
        for (_, matched) in &self.matched {
            if let Matched::Update(set) = matched {
                check_one(attempt, set, &format!("{source}, {target}")).await?;
            }
        }
        for (_, given) in &self.not_matched {
            check_one(attempt, given, source).await?;
        }
        Ok(())
    }
}

async fn check_one(attempt: &Attempt<'_>, values: &[(String, Expr)], from: &str) -> Result<()> {
    let named: Vec<String> =
        values.iter().enumerate().map(|(nth, (_, value))| format!("{value} AS value_{nth}")).collect();
    let plan = attempt.scope.plan_text(&format!("SELECT {} FROM {from}", named.join(", "))).await?;
    let schema = arrow_schema(attempt.base.metadata().current_schema())?;
    check_types(&plan, &fields_of(&schema, values.iter().map(|(column, _)| column.as_str())))
}

fn first_of<'a>(conditions: impl Iterator<Item = Option<&'a Expr>>) -> String {
    let mut cases = String::new();
    for (nth, condition) in conditions.enumerate() {
        let applies = condition.map_or_else(|| "TRUE".to_owned(), ToString::to_string);
        let _ = write!(cases, " WHEN {applies} THEN {}", nth + 1);
    }
    if cases.is_empty() { "0".to_owned() } else { format!("CASE{cases} ELSE 0 END") }
}

fn inserted(insert: &MergeInsertExpr, columns: &[String]) -> Result<Vec<(String, Expr)>> {
    let MergeInsertKind::Values(values) = &insert.kind else {
        return Err(Error::Invalid("`INSERT ROW` is not supported; write INSERT (…) VALUES (…)".to_owned()));
    };
    let [row] = values.rows.as_slice() else {
        return Err(Error::Invalid("an INSERT of a MERGE takes one row of values".to_owned()));
    };
    let name = |name: &datafusion::sql::sqlparser::ast::ObjectName| {
        let last = name.0.last().and_then(|part| part.as_ident());
        last.map(|ident| ident.value.to_lowercase()).unwrap_or_default()
    };
    let named: Vec<String> =
        if insert.columns.is_empty() { columns.to_vec() } else { insert.columns.iter().map(name).collect() };
    for column in &named {
        known(column, columns)?;
    }
    if named.len() != row.len() {
        let message = format!("the INSERT names {} columns and gives {} values", named.len(), row.len());
        return Err(Error::Mismatch(message));
    }
    Ok(named.into_iter().zip(row.iter().cloned()).collect())
}
