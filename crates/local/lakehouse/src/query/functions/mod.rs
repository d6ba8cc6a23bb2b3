//! Trino's functions by Trino's names: those that DataFusion has with the same meaning, those that are written with
//! others, and those that are made here. A function that is in none of these lists is refused by name, also if
//! DataFusion happens to have one of that name: it may mean something else.
//! <https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html>.

mod binary;
mod cast;
mod json;
mod length;
mod list;
mod template;
mod text;
mod time;
mod udf;
mod url;

use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{Expr, Function, Spanned};

use super::guard::place;
use crate::error::{Error, Result};

/// Adds the functions that are made here.
pub(super) fn register(context: &SessionContext) {
    let made = [
        text::functions(),
        length::functions(),
        binary::functions(),
        url::functions(),
        time::functions(),
        json::functions(),
        cast::functions(),
    ];
    for function in made.into_iter().flatten() {
        context.register_udf(function);
    }
}

/// Turns an expression of Trino into one that means the same here.
pub(super) fn rewrite(expr: &mut Expr) -> Result<()> {
    match expr {
        Expr::Function(function) => {
            let Some(rewritten) = call(function)? else { return Ok(()) };
            *expr = rewritten;
            Ok(())
        }
        Expr::Cast { expr: of, data_type, .. } => {
            if let Some(rewritten) = cast::rewritten(of, data_type)? {
                *expr = rewritten;
                return Ok(());
            }
            cast::round(of, data_type)
        }
        Expr::Substring { expr: of, substring_from, substring_for, .. } => {
            let (of, from, length) = (of.clone(), substring_from.clone(), substring_for.clone());
            *expr = substring(&of, from, length)?;
            Ok(())
        }
        Expr::AtTimeZone { .. } => {
            let instead = "every timestamp is in UTC here; add an interval";
            Err(Error::unsupported(place(expr.span()), "`AT TIME ZONE`", instead))
        }
        Expr::Lambda(_) => {
            Err(Error::unsupported(place(expr.span()), "a lambda", "use UNNEST, and array_agg to come back"))
        }
        _ => Ok(()),
    }
}

/// `substr(…)` and `SUBSTRING(… FROM … FOR …)` as the function that counts as Trino does.
fn substring(of: &Expr, from: Option<Box<Expr>>, length: Option<Box<Expr>>) -> Result<Expr> {
    let from = from.map_or_else(|| "1".to_owned(), |from| from.to_string());
    let length = length.map(|length| format!(", {length}")).unwrap_or_default();
    template::parsed(&format!("{}({of}, {from}{length})", text::SUBSTR))
}

/// What a call becomes; `None` if it stays as it is.
fn call(function: &Function) -> Result<Option<Expr>> {
    let name = function.name.to_string().to_ascii_lowercase();
    if list::SAME.contains(&name.as_str()) || udf::NAMES.contains(&name.as_str()) {
        return Ok(None);
    }
    if let Some(expanded) = template::expand(&name, function)? {
        return Ok(Some(expanded));
    }
    let span = function.name.span();
    Err(Error::unsupported(place(span), format!("the function `{name}`"), list::instead_of(&name)))
}
