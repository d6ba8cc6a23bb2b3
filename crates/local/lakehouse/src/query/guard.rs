//! Refuses what DataFusion would read over without a word, and takes time travel out of a query.
//! DataFusion plans a table without looking at its version: an answer from the wrong time, if nobody looked before.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, Query, SetExpr, Spanned, TableAlias, TableFactor, TableVersion, VisitMut, VisitorMut,
    visit_expressions,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::labels::{self, Labels};
use super::names::TEMPORARY;
use super::{functions, path, unnest};
use crate::error::{Error, Result};
use crate::sql::{Name, Position};

/// A table that is to be read as of a version.
#[derive(Debug)]
pub(super) struct Versioned {
    pub(super) name: Name,
    pub(super) version: Version,
}

#[derive(Debug)]
pub(super) enum Version {
    Snapshot(i64),
    Moment(Box<Expr>),
}

/// Walks through a statement.
#[derive(Debug, Default)]
pub(super) struct Guard {
    pub(super) versions: Vec<Versioned>,
    /// The statement asks for the files that rows come from.
    pub(super) names_path: bool,
    pub(super) labels: Labels,
}

pub(super) fn place(span: Span) -> Position {
    Position { line: span.start.line.max(1), column: span.start.column.max(1) }
}

pub(super) fn refused<T>(span: Span, what: &str, instead: &str) -> Result<T> {
    Err(Error::unsupported(place(span), what, instead))
}

impl VisitorMut for Guard {
    type Break = Box<Error>;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        let gathered = check_query(query).and_then(|()| self.gather(&mut query.body));
        labels::sort_distinct(query);
        flow(gathered)
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        let named = self.name_values(&mut query.body);
        if let Some(with) = &mut query.with {
            Labels::name_recursive(with);
        }
        flow(named)
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        flow(self.check_factor(factor))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        self.names_path |= path::is_path(expr);
        flow(functions::rewrite(expr))
    }
}

fn flow(result: Result<()>) -> ControlFlow<Box<Error>> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(Box::new(error)),
    }
}

fn check_query(query: &Query) -> Result<()> {
    let span = query.span();
    if !query.locks.is_empty() {
        return refused(span, "`FOR UPDATE`", "leave it out: a query locks nothing");
    }
    if query.fetch.is_some() {
        return refused(span, "`FETCH FIRST`", "write LIMIT");
    }
    if query.for_clause.is_some() || query.settings.is_some() || query.format_clause.is_some() {
        return refused(span, "a clause after the query", "leave it out");
    }
    if !query.pipe_operators.is_empty() {
        return refused(span, "`|>`", "write a subquery");
    }
    match query.body.as_ref() {
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            refused(span, "a change inside of a query", "write two statements")
        }
        _ => Ok(()),
    }
}

/// Leaves the hidden columns out of every `*`.
#[derive(Debug)]
pub(super) struct Hiding;

impl VisitorMut for Hiding {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        hide(&mut query.body);
        ControlFlow::Continue(())
    }
}

fn hide(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => path::hide(select),
        SetExpr::SetOperation { left, right, .. } => {
            hide(left);
            hide(right);
        }
        _ => {}
    }
}

/// Whether an expression speaks of columns.
pub(super) fn names_columns(expr: &Expr) -> bool {
    let named = visit_expressions(expr, |part: &Expr| match part {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    named.is_break()
}

impl Guard {
    /// Names the columns of each part of a query as they were written, and puts `UNNEST` together with what it speaks of.
    fn gather(&mut self, body: &mut SetExpr) -> Result<()> {
        match body {
            SetExpr::Select(select) => {
                self.labels.name(select);
                unnest::gather(select)
            }
            SetExpr::SetOperation { left, right, .. } => self.gather(left).and_then(|()| self.gather(right)),
            _ => Ok(()),
        }
    }

    fn name_values(&mut self, body: &mut SetExpr) -> Result<()> {
        match body {
            SetExpr::SetOperation { left, right, .. } => self.name_values(left).and_then(|()| self.name_values(right)),
            other => self.labels.name_values(other),
        }
    }

    fn check_factor(&mut self, factor: &mut TableFactor) -> Result<()> {
        let span = factor.span();
        match factor {
            TableFactor::Table { .. } => self.check_table(factor, span),
            TableFactor::Derived { sample, .. } if sample.is_some() => {
                refused(span, "`TABLESAMPLE`", "write WHERE random() < 0.1")
            }
            TableFactor::UNNEST { with_offset: true, .. } => refused(span, "`WITH OFFSET`", "leave it out"),
            TableFactor::Derived { .. } | TableFactor::UNNEST { .. } | TableFactor::NestedJoin { .. } => Ok(()),
            other => refused(span, &format!("`{other}`"), "read from a table, a subquery or UNNEST"),
        }
    }

    fn check_table(&mut self, factor: &mut TableFactor, span: Span) -> Result<()> {
        let TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
        } = factor
        else {
            return Ok(());
        };
        if sample.is_some() {
            return refused(span, "`TABLESAMPLE`", "write WHERE random() < 0.1");
        }
        if args.is_some() {
            return refused(span, &format!("the table function `{name}`"), "read from a table, a subquery or UNNEST");
        }
        let has_more = !with_hints.is_empty()
            || *with_ordinality
            || !partitions.is_empty()
            || json_path.is_some()
            || !index_hints.is_empty();
        if has_more {
            return refused(span, &format!("what follows the table `{name}`"), "leave it out");
        }
        match version.take() {
            Some(version) => self.set_aside(name, alias, version, span),
            None => Ok(()),
        }
    }

    /// Notes a version and puts a table of the statement in its place, under the name that the table had.
    fn set_aside(
        &mut self,
        name: &mut ObjectName,
        alias: &mut Option<TableAlias>,
        version: TableVersion,
        span: Span,
    ) -> Result<()> {
        let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
        let written = Name::new(parts.iter().map(|part| part.value.to_lowercase()).collect(), place(span))?;
        let last = parts.last().cloned().unwrap_or_else(|| Ident::new(&written.table));
        if alias.is_none() {
            *alias = Some(TableAlias { explicit: true, name: last, columns: Vec::new() });
        }
        let version = read_version(version, span)?;
        *name = ObjectName::from(vec![
            Ident::with_quote('"', TEMPORARY),
            Ident::with_quote('"', Self::version_name(self.versions.len())),
        ]);
        self.versions.push(Versioned { name: written, version });
        Ok(())
    }

    /// The name of the statement's table for its nth version.
    pub(super) fn version_name(nth: usize) -> String {
        format!("version {nth}")
    }
}

/// A moment is an expression like any other, but reads from no table's past itself.
fn read_moment(mut moment: Expr, span: Span) -> Result<Version> {
    let mut guard = Guard::default();
    if let ControlFlow::Break(error) = moment.visit(&mut guard) {
        return Err(*error);
    }
    if !guard.versions.is_empty() {
        return refused(span, "a version inside of a version", "write the moment itself");
    }
    Ok(Version::Moment(Box::new(moment)))
}

fn read_version(version: TableVersion, span: Span) -> Result<Version> {
    match version {
        TableVersion::ForSystemTimeAsOf(moment) => read_moment(moment, span),
        TableVersion::VersionAsOf(id) => {
            let wrong = || Error::Invalid(format!("{}: `{id}` is no snapshot id", place(span)));
            id.to_string().parse().map(Version::Snapshot).map_err(|_| wrong())
        }
        other => refused(span, &format!("`{other}`"), "write FOR TIMESTAMP AS OF or FOR VERSION AS OF"),
    }
}
