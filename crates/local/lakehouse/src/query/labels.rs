//! What the columns of a query are called. Trino lets several have one name, and one that is a computed value have none;
//! the answer shows such a one as `_col` and its place. DataFusion tells columns apart by their names alone. So each
//! column that has no name, or not one of its own, has a label while the query runs, which nobody can refer to; the
//! answer shows what the label stands for. Where columns are stored, each needs a name of its own.
//! <https://trino.io/docs/current/sql/select.html>, <https://trino.io/docs/current/sql/create-table-as.html>.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins,
    Values, With,
};

use crate::error::{Error, Result};

/// A label is a name, which may be empty, and a number of the statement's own in these.
const OPEN: char = '⟨';
const CLOSE: char = '⟩';

/// Labels of one statement.
#[derive(Debug, Default)]
pub(super) struct Labels {
    given: usize,
}

impl Labels {
    /// A label for a column of this name, or of none.
    fn label(&mut self, name: &str) -> Ident {
        self.given += 1;
        Ident::with_quote('"', format!("{name}{OPEN}{}{CLOSE}", self.given))
    }

    /// Names what stands in a select list as Trino does, and gives a label to each item without a name of its own.
    pub(super) fn name(&mut self, select: &mut Select) {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && !matches!(expr, Expr::Identifier(_))
            {
                let alias = name_of(expr).cloned().unwrap_or_else(|| self.label(""));
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
            }
        }
        self.tell_apart(&mut select.projection);
        for factor in select.from.iter_mut().flat_map(factors) {
            self.name_factor(factor);
        }
    }

    /// What a recursive query of `WITH` begins with has the names that are given to its columns: what follows speaks of
    /// them by these.
    pub(super) fn name_recursive(with: &mut With) {
        for table in with.cte_tables.iter_mut().filter(|_| with.recursive) {
            let columns = &table.alias.columns;
            let Some(select) = leftmost(&mut table.query.body) else { continue };
            if columns.len() != select.projection.len() {
                continue;
            }
            for (item, column) in select.projection.iter_mut().zip(columns) {
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                    *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: column.name.clone() };
                }
            }
        }
    }

    /// Gives a label to each item whose name another item has too.
    pub(super) fn tell_apart(&mut self, items: &mut [SelectItem]) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for name in items.iter().filter_map(item_name) {
            *counts.entry(name).or_default() += 1;
        }
        for item in items {
            let Some(name) = item_name(item).filter(|name| counts.get(name).is_some_and(|count| *count > 1)) else {
                continue;
            };
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: self.label(&name) };
            }
        }
    }

    /// The columns of a subquery are told apart from those of another by its name.
    fn name_factor(&mut self, factor: &mut TableFactor) {
        if let TableFactor::Derived { alias: alias @ None, .. } | TableFactor::UNNEST { alias: alias @ None, .. } =
            factor
        {
            *alias = Some(TableAlias { explicit: true, name: self.label(""), columns: Vec::new() });
        }
    }

    /// `VALUES` as a select of its columns, which have no names.
    pub(super) fn name_values(&mut self, body: &mut SetExpr) -> Result<()> {
        let SetExpr::Values(values) = body else { return Ok(()) };
        let width = values.rows.first().map_or(0, Vec::len);
        let columns = (1..=width).map(|nth| format!("column{nth} AS {}", self.label("")));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let mut query = crate::sql::parse_query(&format!("SELECT {columns} FROM (VALUES (0)) AS {}", self.label("")))?;
        let broken = || Error::Invalid("VALUES without rows".to_owned());
        let values = std::mem::replace(values, Values { explicit_row: false, value_keyword: false, rows: Vec::new() });
        *inner(&mut query).ok_or_else(broken)?.body = SetExpr::Values(values);
        *body = *query.body;
        Ok(())
    }
}

/// Sorts distinct rows by the columns that they have: DataFusion does not see that an expression is one of them.
pub(super) fn sort_distinct(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let Some(OrderByKind::Expressions(orders)) = query.order_by.as_mut().map(|order| &mut order.kind) else { return };
    if select.distinct.is_none() {
        return;
    }
    for order in orders.iter_mut().filter(|order| !matches!(order.expr, Expr::Identifier(_))) {
        let column = select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if *expr == order.expr => Some(alias),
            _ => None,
        });
        if let Some(column) = column {
            order.expr = Expr::Identifier(column.clone());
        }
    }
}

/// The first select of a query.
fn leftmost(body: &mut SetExpr) -> Option<&mut Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::SetOperation { left, .. } => leftmost(left),
        SetExpr::Query(query) => leftmost(&mut query.body),
        _ => None,
    }
}

/// The subquery that a query of one select reads from.
fn inner(query: &mut Query) -> Option<&mut Query> {
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    match &mut select.from.first_mut()?.relation {
        TableFactor::Derived { subquery, .. } => Some(subquery),
        _ => None,
    }
}

/// What a list of tables names, side by side.
fn factors(item: &mut TableWithJoins) -> Vec<&mut TableFactor> {
    let joined = item.joins.iter_mut().map(|join| &mut join.relation);
    let mut found = Vec::new();
    for factor in std::iter::once(&mut item.relation).chain(joined) {
        match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => found.extend(factors(table_with_joins)),
            other => found.push(other),
        }
    }
    found
}

/// The name that an expression gives to its column: a column's own, or a field's.
fn name_of(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        Expr::Nested(inner) => name_of(inner),
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last()? {
            AccessExpr::Dot(field) => name_of(field),
            AccessExpr::Subscript(_) => None,
        },
        _ => None,
    }
}

/// A name as DataFusion takes it.
pub(super) fn normal(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// The name of an item's column; nothing for `*`.
pub(super) fn item_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(expr) => name_of(expr).map(normal),
        SelectItem::ExprWithAlias { alias, .. } => Some(normal(alias)),
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => None,
    }
}

/// The name that a label stands for, or the name itself; nothing for a column that has none.
fn meant(label: &str) -> Option<&str> {
    let number = label.strip_suffix(CLOSE).and_then(|label| label.rsplit_once(OPEN));
    let name = match number {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => label,
    };
    Some(name).filter(|name| !name.is_empty())
}

/// The label of the nth column of an `UNNEST` that names none.
pub(super) fn of_unnest(nth: usize) -> String {
    format!("{OPEN}0{nth}{CLOSE}")
}

/// Columns as an answer shows them.
pub(crate) fn shown(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(nth, field)| {
        let name = meant(field.name()).map_or_else(|| format!("_col{nth}"), str::to_owned);
        if name == *field.name() { Arc::clone(field) } else { Arc::new(field.as_ref().clone().with_name(name)) }
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// Rows under the names that an answer shows.
pub(super) fn shown_rows(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(shown(batch.schema_ref()), batch.columns().to_vec(), &options)
}

/// Refuses to store columns of which one has no name, or two have the same.
pub(crate) fn check_stored(schema: &Schema) -> Result<()> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (place, field) in schema.fields().iter().enumerate().map(|(nth, field)| (nth + 1, field)) {
        let name = meant(field.name()).ok_or(Error::Unnamed { place })?;
        if let Some(first) = places.insert(name, place) {
            return Err(Error::NamedTwice { name: name.to_owned(), places: (first, place) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(query: &str) -> String {
        let mut query = crate::sql::parse_query(query).unwrap();
        let mut labels = Labels::default();
        labels.name_values(&mut query.body).unwrap();
        if let SetExpr::Select(select) = query.body.as_mut() {
            labels.name(select);
        }
        query.to_string()
    }

    #[test]
    fn a_column_without_a_name_of_its_own_has_a_label() {
        for (query, expected) in [
            ("SELECT a, t.b, (c), r.x.y FROM t", "SELECT a, t.b AS b, (c) AS c, r.x.y AS y FROM t"),
            ("SELECT count(*), a + 1, 1", r#"SELECT count(*) AS "⟨1⟩", a + 1 AS "⟨2⟩", 1 AS "⟨3⟩""#),
            ("SELECT A, b AS a, *", r#"SELECT A AS "a⟨1⟩", b AS "a⟨2⟩", *"#),
            (r#"SELECT a, "A" FROM (SELECT 1)"#, r#"SELECT a, "A" FROM (SELECT 1) AS "⟨1⟩""#),
            ("VALUES (1, 2)", r#"SELECT column1 AS "⟨1⟩", column2 AS "⟨2⟩" FROM (VALUES (1, 2)) AS "⟨3⟩""#),
        ] {
            assert_eq!(named(query), expected);
        }
    }

    #[test]
    fn a_label_shows_what_it_stands_for() {
        for (label, name) in
            [("a", Some("a")), ("a⟨1⟩", Some("a")), ("⟨12⟩", None), ("⟨x⟩", Some("⟨x⟩")), ("⟩", Some("⟩"))]
        {
            assert_eq!(meant(label), name, "{label}");
        }
    }
}
