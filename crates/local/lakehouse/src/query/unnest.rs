//! `FROM t CROSS JOIN UNNEST(t.items) AS i(a, b)`: each row of `t` once for each of its items, the fields of an item as
//! columns. DataFusion's `UNNEST` in `FROM` sees no columns, so such a join becomes a subquery that unnests in its
//! `SELECT`, and the names are rewritten: `i.a` is a column of the subquery, which keeps the alias of `t`.
//! <https://trino.io/docs/current/sql/select.html#unnest>.
//!
//! Not here: several lists in one `UNNEST`, `WITH ORDINALITY`, a list of tables that are joined before it.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinOperator, ObjectName, OrderBy, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    TableAlias, TableFactor, TableWithJoins, VisitMut, VisitorMut, WildcardAdditionalOptions,
};

use super::functions::ELEMENT;
use super::guard::names_columns;
use crate::error::{Error, Result};

/// Rewrites what the query's own `FROM` unnests; subqueries are rewritten when they are visited.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    let Query { body, order_by, .. } = query;
    rewrite_body(body, order_by.as_mut())
}

fn rewrite_body(body: &mut SetExpr, order_by: Option<&mut OrderBy>) -> Result<()> {
    match body {
        SetExpr::Select(select) => rewrite_select(select, order_by),
        SetExpr::SetOperation { left, right, .. } => {
            rewrite_body(left, None)?;
            rewrite_body(right, None)
        }
        _ => Ok(()),
    }
}

fn rewrite_select(select: &mut Select, mut order_by: Option<&mut OrderBy>) -> Result<()> {
    as_joins(&mut select.from);
    for at in 0..select.from.len() {
        while let Some(unnesting) = Unnesting::take(&mut select.from[at]) {
            let mut from = std::mem::take(&mut select.from);
            let is_alone = from.len() == 1 && from[at].joins.is_empty();
            unnesting.rename_items(&mut select.projection, is_alone)?;
            let mut renaming = Renaming { unnesting: &unnesting, depth: 0 };
            let _ = VisitMut::visit(select, &mut renaming);
            if let Some(order_by) = order_by.as_deref_mut() {
                let _ = VisitMut::visit(order_by, &mut renaming);
            }
            for join in from.iter_mut().flat_map(|table| &mut table.joins) {
                renaming.in_join(&mut join.relation, &mut join.join_operator);
            }
            from[at].relation = unnesting.subquery(from[at].relation.clone())?;
            select.from = from;
        }
    }
    Ok(())
}

/// `FROM t, UNNEST(t.a)` is `FROM t CROSS JOIN UNNEST(t.a)`.
fn as_joins(from: &mut Vec<TableWithJoins>) {
    let mut at = 1;
    while at < from.len() {
        let is_lateral = from[at].joins.is_empty() && list_of(&from[at].relation).is_some();
        if !is_lateral {
            at += 1;
            continue;
        }
        let lateral = from.remove(at);
        let join_operator = JoinOperator::CrossJoin(datafusion::sql::sqlparser::ast::JoinConstraint::None);
        let join = datafusion::sql::sqlparser::ast::Join { relation: lateral.relation, global: false, join_operator };
        from[at - 1].joins.push(join);
    }
}

/// The one list that is unnested with a name for it and for its columns.
fn list_of(factor: &TableFactor) -> Option<(&Expr, &TableAlias)> {
    match factor {
        TableFactor::UNNEST {
            alias: Some(alias),
            array_exprs,
            with_offset: false,
            with_ordinality: false,
            ..
        } if array_exprs.len() == 1 && names_columns(&array_exprs[0]) && !alias.columns.is_empty() => {
            Some((&array_exprs[0], alias))
        }
        _ => None,
    }
}

/// A list that is unnested.
struct Unnesting {
    list: Expr,
    /// The name of the table that has the list.
    base: Ident,
    alias: Ident,
    columns: Vec<Ident>,
}

impl Unnesting {
    /// Takes the join with a list out, if it is the first join of the table.
    fn take(table: &mut TableWithJoins) -> Option<Self> {
        let join = table.joins.first()?;
        let (list, alias) = match join.join_operator {
            JoinOperator::CrossJoin(_) => list_of(&join.relation)?,
            _ => return None,
        };
        let unnesting = Self {
            list: list.clone(),
            base: name_of(&table.relation)?,
            alias: alias.name.clone(),
            columns: alias.columns.iter().map(|column| column.name.clone()).collect(),
        };
        table.joins.remove(0);
        Some(unnesting)
    }

    /// What a column of the list is called in the subquery.
    fn inner(&self, column: &Ident) -> Ident {
        Ident::with_quote('"', format!("{}${}", lower(&self.alias), lower(column)))
    }

    fn expression(&self, column: &Ident) -> Vec<Ident> {
        vec![self.base.clone(), self.inner(column)]
    }

    fn column(&self, name: &Ident) -> Option<&Ident> {
        self.columns.iter().find(|column| lower(column) == lower(name))
    }

    /// The column of the list that a name means.
    fn meant(&self, name: &[Ident]) -> Option<(&Ident, usize)> {
        match name {
            [alias, column, ..] if lower(alias) == lower(&self.alias) => Some((self.column(column)?, 2)),
            _ => None,
        }
    }

    /// Keeps the names of a result's columns, and what `*` stands for.
    fn rename_items(&self, projection: &mut Vec<SelectItem>, is_alone: bool) -> Result<()> {
        let mut renamed = Vec::new();
        for item in projection.drain(..) {
            match item {
                SelectItem::UnnamedExpr(Expr::Identifier(name)) if self.column(&name).is_some() => {
                    let alias = name.clone();
                    renamed.push(SelectItem::ExprWithAlias { expr: Expr::Identifier(name), alias });
                }
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(name)) if self.meant(&name).is_some() => {
                    let alias = name.last().cloned().unwrap_or_else(|| self.alias.clone());
                    renamed.push(SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(name), alias });
                }
                SelectItem::Wildcard(_) if is_alone => {
                    renamed.push(all_of(&self.base));
                    renamed.extend(self.items());
                }
                SelectItem::Wildcard(_) => {
                    let message = "`*` over UNNEST and other tables is not supported; name the columns";
                    return Err(Error::Invalid(message.to_owned()));
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    if name.to_string().eq_ignore_ascii_case(&self.alias.to_string()) {
                        renamed.extend(self.items());
                    } else {
                        let kind = SelectItemQualifiedWildcardKind::ObjectName(name);
                        renamed.push(SelectItem::QualifiedWildcard(kind, options));
                    }
                }
                other => renamed.push(other),
            }
        }
        *projection = renamed.into_iter().map(|item| self.without_own(item)).collect::<Result<_>>()?;
        Ok(())
    }

    fn items(&self) -> Vec<SelectItem> {
        let item = |column: &Ident| SelectItem::ExprWithAlias {
            expr: Expr::CompoundIdentifier(self.expression(column)),
            alias: column.clone(),
        };
        self.columns.iter().map(item).collect()
    }

    /// All of the table, without what the list adds to it here.
    fn without_own(&self, item: SelectItem) -> Result<SelectItem> {
        let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = &item else {
            return Ok(item);
        };
        if !name.to_string().eq_ignore_ascii_case(&self.base.to_string()) {
            return Ok(item);
        }
        let own: Vec<String> = self.columns.iter().map(|column| self.inner(column).to_string()).collect();
        let query = crate::sql::parse_query(&format!("SELECT {}.* EXCLUDE ({}) FROM x", self.base, own.join(", ")))?;
        match *query.body {
            SetExpr::Select(mut select) if select.projection.len() == 1 => Ok(select.projection.remove(0)),
            _ => Ok(item),
        }
    }

    /// The table with its rows repeated for each item.
    fn subquery(&self, relation: TableFactor) -> Result<TableFactor> {
        let (base, item) = (&self.base, Ident::with_quote('"', format!("{}$item", lower(&self.alias))));
        let count = self.columns.len();
        let columns = self.columns.iter().enumerate();
        let columns: Vec<String> = columns
            .map(|(at, column)| format!("{ELEMENT}({base}.{item}, {}, {count}) AS {}", at + 1, self.inner(column)))
            .collect();
        let text = format!(
            "SELECT {base}.* EXCLUDE ({item}), {} FROM (SELECT {base}.*, unnest({}) AS {item} FROM x) AS {base}",
            columns.join(", "),
            self.list
        );
        let mut outer = crate::sql::parse_query(&text)?;
        let broken = || Error::Invalid(format!("`UNNEST({})` cannot be read here", self.list));
        let table = first_table(&mut outer).ok_or_else(broken)?;
        let TableFactor::Derived { subquery: inner, .. } = table else { return Err(broken()) };
        *first_table(inner).ok_or_else(broken)? = relation;
        let alias = TableAlias { explicit: true, name: base.clone(), columns: Vec::new() };
        Ok(TableFactor::Derived { lateral: false, subquery: outer, alias: Some(alias), sample: None })
    }
}

fn first_table(query: &mut Query) -> Option<&mut TableFactor> {
    match query.body.as_mut() {
        SetExpr::Select(select) => select.from.first_mut().map(|table| &mut table.relation),
        _ => None,
    }
}

fn all_of(table: &Ident) -> SelectItem {
    let name = ObjectName::from(vec![table.clone()]);
    SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), WildcardAdditionalOptions::default())
}

/// The name by which expressions speak of a table.
fn name_of(factor: &TableFactor) -> Option<Ident> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(alias.name.clone())
        }
        TableFactor::Table { name, .. } => name.0.last().and_then(|part| part.as_ident()).cloned(),
        _ => None,
    }
}

fn lower(name: &Ident) -> String {
    name.value.to_lowercase()
}

/// Turns the names of a list's columns into those of the subquery.
struct Renaming<'a> {
    unnesting: &'a Unnesting,
    /// Within subqueries names without an alias are their own.
    depth: usize,
}

impl Renaming<'_> {
    /// Conditions of a later join, and a later list; what else is joined has names of its own.
    fn in_join(&mut self, relation: &mut TableFactor, operator: &mut JoinOperator) {
        let _ = VisitMut::visit(operator, self);
        if let TableFactor::UNNEST { array_exprs, .. } = relation {
            let _ = VisitMut::visit(array_exprs, self);
        }
    }
}

impl VisitorMut for Renaming<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let renamed = match expr {
            Expr::Identifier(name) if self.depth == 0 => {
                self.unnesting.column(name).map(|column| self.unnesting.expression(column))
            }
            Expr::CompoundIdentifier(name) => self.unnesting.meant(name).map(|(column, used)| {
                let fields = name[used..].iter().cloned();
                self.unnesting.expression(column).into_iter().chain(fields).collect()
            }),
            _ => None,
        };
        if let Some(name) = renamed {
            *expr = Expr::CompoundIdentifier(name);
        }
        ControlFlow::Continue(())
    }
}
