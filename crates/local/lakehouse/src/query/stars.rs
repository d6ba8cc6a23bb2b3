//! `*` beside other columns, or over several tables: where two columns would have one name, the stars become the columns
//! that they stand for, so that each can have a label. What a star stands for is found by the names alone; where they
//! cannot be known before planning, nothing is done, and DataFusion refuses what it cannot tell apart.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::prelude::SessionContext;
use datafusion::sql::TableReference;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableFactor, TableWithJoins, VisitMut, VisitorMut,
    WildcardAdditionalOptions,
};

use super::labels::{Labels, item_name, normal};

/// Names of columns, where they are known.
type Names = Option<Vec<String>>;
/// The columns of names: of tables, and of the subqueries of `WITH`.
type Known = HashMap<Vec<String>, Names>;

/// Gives each column behind a star a label, where it takes one.
pub(super) async fn spread<T: VisitMut>(tree: &mut T, context: &SessionContext, labels: &mut Labels) {
    let mut look = Look::default();
    // It goes on in any case.
    let _ = tree.visit(&mut look);
    if !look.is_needed {
        return;
    }
    let mut known = Known::new();
    for name in look.tables {
        let parts: Vec<String> = idents(&name).iter().map(normal).collect();
        let Some(reference) = reference(&parts) else { continue };
        // A table that is not there is told of when the query is planned.
        let Ok(provider) = context.table_provider(reference).await else { continue };
        let columns = provider.schema().fields().iter().map(|field| field.name().clone()).collect();
        known.insert(parts, Some(columns));
    }
    let _ = tree.visit(&mut Outermost { known, depth: 0, labels });
}

fn reference(parts: &[String]) -> Option<TableReference> {
    match parts {
        [table] => Some(TableReference::bare(table.as_str())),
        [schema, table] => Some(TableReference::partial(schema.as_str(), table.as_str())),
        [catalog, schema, table] => Some(TableReference::full(catalog.as_str(), schema.as_str(), table.as_str())),
        _ => None,
    }
}

fn idents(name: &ObjectName) -> Vec<Ident> {
    name.0.iter().filter_map(|part| part.as_ident().cloned()).collect()
}

/// Looks for stars that may meet another column of the same name, and for the tables that they may stand for.
#[derive(Default)]
struct Look {
    is_needed: bool,
    tables: Vec<ObjectName>,
}

impl VisitorMut for Look {
    type Break = ();

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        if !self.tables.contains(name) {
            self.tables.push(name.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.is_needed |= has_meeting(&query.body);
        ControlFlow::Continue(())
    }
}

fn has_meeting(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => may_meet(select),
        SetExpr::SetOperation { left, right, .. } => has_meeting(left) || has_meeting(right),
        _ => false,
    }
}

fn is_star(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
}

fn may_meet(select: &Select) -> bool {
    let is_single = |factor: &TableFactor| !matches!(factor, TableFactor::NestedJoin { .. });
    let is_alone = select.projection.len() == 1
        && matches!(select.from.as_slice(), [item] if item.joins.is_empty() && is_single(&item.relation));
    !is_alone && select.projection.iter().any(is_star)
}

/// Finds the queries that stand in no other one's `WITH` or `FROM`; the walk through those is `Stars`'s.
struct Outermost<'a> {
    known: Known,
    depth: usize,
    labels: &'a mut Labels,
}

impl VisitorMut for Outermost<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if self.depth == 0 {
            Stars { labels: self.labels }.query(query, &self.known);
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// A column that a star stands for: what is written before its name, and its name.
struct Column {
    table: Vec<Ident>,
    name: String,
}

struct Stars<'a> {
    labels: &'a mut Labels,
}

impl Stars<'_> {
    fn query(&mut self, query: &mut Query, known: &Known) -> Names {
        let Some(with) = &mut query.with else { return self.body(&mut query.body, known) };
        let mut known = known.clone();
        for table in &mut with.cte_tables {
            let own = vec![normal(&table.alias.name)];
            if with.recursive {
                known.insert(own.clone(), renamed(None, &table.alias));
            }
            let columns = self.query(&mut table.query, &known);
            known.insert(own, renamed(columns, &table.alias));
        }
        self.body(&mut query.body, &known)
    }

    fn body(&mut self, body: &mut SetExpr, known: &Known) -> Names {
        match body {
            SetExpr::Select(select) => self.select(select, known),
            SetExpr::Query(query) => self.query(query, known),
            SetExpr::SetOperation { left, right, .. } => {
                let columns = self.body(left, known);
                self.body(right, known);
                columns
            }
            _ => None,
        }
    }

    fn select(&mut self, select: &mut Select, known: &Known) -> Names {
        let mut columns = Some(Vec::new());
        for item in &mut select.from {
            let found = self.joined(item, known);
            columns = columns.zip(found).map(both);
        }
        let names = |items: &[SelectItem], columns: Option<&Vec<Column>>| {
            let one = |item: &SelectItem| match item_name(item) {
                Some(name) => Some(vec![name]),
                None => Some(meant(item, columns?)?.into_iter().map(|column| column.name.clone()).collect()),
            };
            let all: Option<Vec<Vec<String>>> = items.iter().map(one).collect();
            all.map(|all| all.concat())
        };
        let found = names(&select.projection, columns.as_ref())?;
        let distinct: HashSet<&String> = found.iter().collect();
        if distinct.len() == found.len() || !select.projection.iter().any(is_star) {
            return Some(found);
        }
        let items = std::mem::take(&mut select.projection).into_iter();
        select.projection = items.flat_map(|item| columns_of(item, columns.as_deref().unwrap_or_default())).collect();
        self.labels.tell_apart(&mut select.projection);
        names(&select.projection, None)
    }

    fn joined(&mut self, item: &mut TableWithJoins, known: &Known) -> Option<Vec<Column>> {
        let mut columns = self.factor(&mut item.relation, known);
        for join in &mut item.joins {
            let found = self.factor(&mut join.relation, known).filter(|_| keeps_all(&join.join_operator));
            columns = columns.zip(found).map(both);
        }
        columns
    }

    fn factor(&mut self, factor: &mut TableFactor, known: &Known) -> Option<Vec<Column>> {
        let (names, table, alias) = match factor {
            TableFactor::Table { name, alias, .. } => {
                let parts = idents(name);
                let key: Vec<String> = parts.iter().map(normal).collect();
                (known.get(&key).cloned().flatten(), parts, alias)
            }
            TableFactor::Derived { subquery, alias, .. } => (self.query(subquery, known), Vec::new(), alias),
            TableFactor::UNNEST { alias, .. } => (None, Vec::new(), alias),
            TableFactor::NestedJoin { table_with_joins, alias: None } => return self.joined(table_with_joins, known),
            _ => return None,
        };
        let (names, table) = match alias {
            Some(alias) => (renamed(names, alias), vec![alias.name.clone()]),
            None => (names, table),
        };
        Some(names?.into_iter().map(|name| Column { table: table.clone(), name }).collect())
    }
}

fn both<T>((mut one, other): (Vec<T>, Vec<T>)) -> Vec<T> {
    one.extend(other);
    one
}

/// Columns under the names that an alias gives them.
fn renamed(columns: Names, alias: &TableAlias) -> Names {
    if alias.columns.is_empty() {
        return columns;
    }
    Some(alias.columns.iter().map(|column| normal(&column.name)).collect())
}

/// Whether a join gives all columns of both sides.
fn keeps_all(operator: &JoinOperator) -> bool {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint) => {
            matches!(constraint, JoinConstraint::On(_) | JoinConstraint::None)
        }
        _ => false,
    }
}

/// The columns that a star stands for; nothing where that takes more than their names.
fn meant<'a>(item: &SelectItem, columns: &'a [Column]) -> Option<Vec<&'a Column>> {
    let (table, options) = match item {
        SelectItem::Wildcard(options) => (None, options),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
            (Some(idents(name)), options)
        }
        _ => return None,
    };
    let left_out = left_out(options)?;
    let is_of = |column: &&Column| {
        let ends = |table: &Vec<Ident>| {
            let (own, wanted) = (column.table.iter().map(normal).rev(), table.iter().map(normal).rev());
            own.zip(wanted).all(|(own, wanted)| own == wanted) && table.len() <= column.table.len()
        };
        table.as_ref().is_none_or(ends) && !left_out.contains(&column.name)
    };
    Some(columns.iter().filter(is_of).collect())
}

/// The columns that `EXCLUDE` leaves out; nothing where something else is asked for.
fn left_out(options: &WildcardAdditionalOptions) -> Option<Vec<String>> {
    let has_more = options.opt_ilike.is_some()
        || options.opt_except.is_some()
        || options.opt_replace.is_some()
        || options.opt_rename.is_some();
    match &options.opt_exclude {
        _ if has_more => None,
        None => Some(Vec::new()),
        Some(ExcludeSelectItem::Single(name)) => Some(vec![normal(name)]),
        Some(ExcludeSelectItem::Multiple(names)) => Some(names.iter().map(normal).collect()),
    }
}

/// An item as the columns that it gives.
fn columns_of(item: SelectItem, columns: &[Column]) -> Vec<SelectItem> {
    if !is_star(&item) {
        return vec![item];
    }
    let one = |column: &Column| {
        let name = Ident::with_quote('"', &column.name);
        let parts = column.table.iter().cloned().chain([name.clone()]).collect();
        SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(parts), alias: name }
    };
    meant(&item, columns).unwrap_or_default().into_iter().map(one).collect()
}
