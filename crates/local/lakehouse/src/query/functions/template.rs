//! Functions that are written with others: a table of names, numbers of arguments, and what they become.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned, Value, VisitMut, VisitorMut,
};

use super::super::guard::place;
use crate::error::{Error, Result};

/// `$1` and so on stand for the arguments. The first row with the right number of arguments counts.
const TEMPLATES: &[(&str, usize, &str)] = &[
    ("if", 2, "CASE WHEN $1 THEN $2 END"),
    ("if", 3, "CASE WHEN $1 THEN $2 ELSE $3 END"),
    // Trino's is null if any part is; DataFusion's leaves such parts out.
    ("concat", 2, "($1 || $2)"),
    ("concat", 3, "($1 || $2 || $3)"),
    ("concat", 4, "($1 || $2 || $3 || $4)"),
    ("concat", 5, "($1 || $2 || $3 || $4 || $5)"),
    ("concat", 6, "($1 || $2 || $3 || $4 || $5 || $6)"),
    ("concat", 7, "($1 || $2 || $3 || $4 || $5 || $6 || $7)"),
    ("concat", 8, "($1 || $2 || $3 || $4 || $5 || $6 || $7 || $8)"),
    // Likewise these two.
    ("greatest", 2, "CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL ELSE greatest($1, $2) END"),
    ("greatest", 3, "CASE WHEN $1 IS NULL OR $2 IS NULL OR $3 IS NULL THEN NULL ELSE greatest($1, $2, $3) END"),
    ("least", 2, "CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL ELSE least($1, $2) END"),
    ("least", 3, "CASE WHEN $1 IS NULL OR $2 IS NULL OR $3 IS NULL THEN NULL ELSE least($1, $2, $3) END"),
    // Any value will do, so the least does.
    ("arbitrary", 1, "min($1)"),
    ("any_value", 1, "min($1)"),
    ("every", 1, "bool_and($1)"),
    ("variance", 1, "var_samp($1)"),
    ("bitwise_and_agg", 1, "bit_and($1)"),
    ("bitwise_or_agg", 1, "bit_or($1)"),
    ("bitwise_xor_agg", 1, "bit_xor($1)"),
    ("count_if", 1, "count(CASE WHEN $1 THEN 1 END)"),
    ("max_by", 2, "first_value($1 ORDER BY $2 DESC NULLS LAST) FILTER (WHERE $2 IS NOT NULL)"),
    ("min_by", 2, "first_value($1 ORDER BY $2 ASC NULLS LAST) FILTER (WHERE $2 IS NOT NULL)"),
    ("approx_percentile", 2, "approx_percentile_cont($2) WITHIN GROUP (ORDER BY $1)"),
    ("geometric_mean", 1, "exp(avg(ln($1)))"),
    ("ceiling", 1, "ceil($1)"),
    ("pow", 2, "power($1, $2)"),
    ("mod", 2, "($1 % $2)"),
    ("sign", 1, "signum($1)"),
    ("rand", 0, "random()"),
    ("truncate", 1, "trunc($1)"),
    ("truncate", 2, "trunc($1, $2)"),
    ("random", 0, "random()"),
    ("random", 1, "CAST(floor(random() * $1) AS BIGINT)"),
    ("random", 2, "($1 + CAST(floor(random() * ($2 - $1)) AS BIGINT))"),
    ("is_finite", 1, "(abs(CAST($1 AS DOUBLE)) < CAST('Infinity' AS DOUBLE))"),
    ("is_infinite", 1, "(abs(CAST($1 AS DOUBLE)) = CAST('Infinity' AS DOUBLE))"),
    ("bitwise_and", 2, "($1 & $2)"),
    ("bitwise_or", 2, "($1 | $2)"),
    ("bitwise_xor", 2, "(($1 | $2) - ($1 & $2))"),
    ("bitwise_not", 1, "(-1 - $1)"),
    (
        "width_bucket",
        4,
        // Bounds that descend count from the other end.
        "CASE WHEN $2 > $3 THEN CASE WHEN $1 >= $2 THEN 0 WHEN $1 < $3 THEN $4 + 1 \
         ELSE $4 - CAST(floor(CAST($1 - $3 AS DOUBLE) * $4 / ($2 - $3)) AS BIGINT) END \
         WHEN $1 < $2 THEN 0 WHEN $1 >= $3 THEN $4 + 1 \
         ELSE CAST(floor(CAST($1 - $2 AS DOUBLE) * $4 / ($3 - $2)) AS BIGINT) + 1 END",
    ),
    ("e", 0, "exp(1)"),
    ("nan", 0, "CAST('NaN' AS DOUBLE)"),
    ("infinity", 0, "CAST('Infinity' AS DOUBLE)"),
    ("is_nan", 1, "isnan($1)"),
    ("replace", 2, "replace($1, $2, '')"),
    ("replace", 3, "replace($1, $2, $3)"),
    ("split", 2, "string_to_array($1, $2)"),
    ("codepoint", 1, "ascii($1)"),
    ("levenshtein_distance", 2, "levenshtein($1, $2)"),
    ("date", 1, "CAST($1 AS DATE)"),
    ("from_iso8601_date", 1, "CAST($1 AS DATE)"),
    ("year", 1, "CAST(date_part('year', $1) AS BIGINT)"),
    ("quarter", 1, "CAST(date_part('quarter', $1) AS BIGINT)"),
    ("month", 1, "CAST(date_part('month', $1) AS BIGINT)"),
    ("week", 1, "CAST(date_part('week', $1) AS BIGINT)"),
    ("week_of_year", 1, "CAST(date_part('week', $1) AS BIGINT)"),
    ("day", 1, "CAST(date_part('day', $1) AS BIGINT)"),
    ("day_of_month", 1, "CAST(date_part('day', $1) AS BIGINT)"),
    ("day_of_year", 1, "CAST(date_part('doy', $1) AS BIGINT)"),
    ("doy", 1, "CAST(date_part('doy', $1) AS BIGINT)"),
    // Monday is 1 and Sunday 7 in Trino; Sunday is 0 here.
    ("day_of_week", 1, "((CAST(date_part('dow', $1) AS BIGINT) + 6) % 7 + 1)"),
    ("dow", 1, "((CAST(date_part('dow', $1) AS BIGINT) + 6) % 7 + 1)"),
    ("hour", 1, "CAST(date_part('hour', $1) AS BIGINT)"),
    ("minute", 1, "CAST(date_part('minute', $1) AS BIGINT)"),
    ("second", 1, "(CAST(floor(date_part('second', $1)) AS BIGINT) % 60)"),
    ("millisecond", 1, "(CAST(date_part('millisecond', $1) AS BIGINT) % 1000)"),
    ("year_of_week", 1, "CAST(date_part('isoyear', $1) AS BIGINT)"),
    ("yow", 1, "CAST(date_part('isoyear', $1) AS BIGINT)"),
    ("contains", 2, "array_has($1, $2)"),
    // Trino's removes every such element, and tells of none by 0.
    ("array_remove", 2, "array_remove_all($1, $2)"),
    (
        "array_position",
        2,
        "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN coalesce(CAST(array_position($1, $2) AS BIGINT), 0) END",
    ),
    ("trim_array", 2, "array_slice($1, 1, CAST(cardinality($1) AS BIGINT) - $2)"),
    ("arrays_overlap", 2, "array_has_any($1, $2)"),
    ("array_join", 2, "array_to_string($1, $2)"),
    ("array_join", 3, "array_to_string($1, $2, $3)"),
    ("array_sort", 1, "array_sort($1, 'ASC', 'NULLS LAST')"),
    ("element_at", 2, "$1[$2]"),
    ("repeat", 2, "array_repeat($1, $2)"),
    ("sequence", 2, "generate_series($1, $2)"),
    ("sequence", 3, "generate_series($1, $2, $3)"),
    ("slice", 3, "array_slice($1, $2, $2 + $3 - 1)"),
    ("map", 2, "map($1, $2)"),
    ("json_format", 1, "$1"),
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|(name, _, _)| *name)
}

/// What a call becomes, if its function is one of these.
pub(super) fn expand(name: &str, function: &Function) -> Result<Option<Expr>> {
    let mut rows = TEMPLATES.iter().filter(|(known, _, _)| *known == name).peekable();
    if rows.peek().is_none() {
        return Ok(None);
    }
    let counts: Vec<String> = rows.clone().map(|(_, count, _)| count.to_string()).collect();
    let wrong = |what: &str, instead: String| Error::unsupported(place(function.name.span()), what, instead);
    let form = format!("this form of `{name}`");
    let arguments = arguments(function).ok_or_else(|| wrong(&form, "give it values only".to_owned()))?;
    let row = rows.find(|(_, count, _)| *count == arguments.len());
    let Some((_, _, template)) = row else {
        return Err(wrong(&form, format!("give it {} arguments", counts.join(" or "))));
    };
    let mut expanded = parsed(template)?;
    let mut filling = Filling { arguments };
    let _ = VisitMut::visit(&mut expanded, &mut filling);
    carry_over(function, &mut expanded).map_err(|()| wrong(&form, "leave out FILTER, OVER and ORDER BY".to_owned()))?;
    Ok(Some(Expr::Nested(Box::new(expanded))))
}

/// An expression out of its text.
pub(super) fn parsed(template: &str) -> Result<Expr> {
    let query = crate::sql::parse_query(&format!("SELECT {template}"))?;
    let broken = || Error::Invalid(format!("the template `{template}` is broken"));
    let select = query.body.as_select().ok_or_else(broken)?;
    match select.projection.first() {
        Some(datafusion::sql::sqlparser::ast::SelectItem::UnnamedExpr(expr)) => Ok(expr.clone()),
        _ => Err(broken()),
    }
}

/// The arguments of a plain call.
fn arguments(function: &Function) -> Option<Vec<Expr>> {
    let list = match &function.args {
        FunctionArguments::None => return Some(Vec::new()),
        FunctionArguments::List(list) if list.duplicate_treatment.is_none() && list.clauses.is_empty() => list,
        _ => return None,
    };
    let value = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    list.args.iter().map(value).collect()
}

struct Filling {
    arguments: Vec<Expr>,
}

impl VisitorMut for Filling {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Value(value) = expr
            && let Value::Placeholder(number) = &value.value
            && let Some(nth) = number.trim_start_matches('$').parse::<usize>().ok().and_then(|nth| nth.checked_sub(1))
            && let Some(argument) = self.arguments.get(nth)
        {
            *expr = Expr::Nested(Box::new(argument.clone()));
        }
        ControlFlow::Continue(())
    }
}

/// `FILTER` and `OVER` go to the function that a call became.
fn carry_over(from: &Function, to: &mut Expr) -> Result<(), ()> {
    if from.filter.is_none() && from.over.is_none() && from.null_treatment.is_none() && from.within_group.is_empty() {
        return Ok(());
    }
    match to {
        Expr::Function(function) if function.filter.is_none() && from.within_group.is_empty() => {
            function.filter.clone_from(&from.filter);
            function.over.clone_from(&from.over);
            function.null_treatment.clone_from(&from.null_treatment);
            Ok(())
        }
        _ => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read_and_uses_its_arguments() {
        for (name, count, template) in TEMPLATES {
            parsed(template).unwrap_or_else(|error| panic!("{name}: {error}"));
            for nth in 1..=*count {
                assert!(template.contains(&format!("${nth}")), "{name} drops its argument {nth}");
            }
        }
    }
}
