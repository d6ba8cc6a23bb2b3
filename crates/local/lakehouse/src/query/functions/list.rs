//! Functions that mean the same in Trino and in DataFusion, and advice for those that are not there.

/// Same name, same meaning.
pub(super) const SAME: &[&str] = &[
    // Aggregates.
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "approx_distinct",
    "max",
    "min",
    "regr_intercept",
    "regr_slope",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var_pop",
    "var_samp",
    // Windows.
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
    // Numbers.
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "degrees",
    "exp",
    "floor",
    "ln",
    "log",
    "log10",
    "log2",
    "pi",
    "power",
    "radians",
    "round",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    // Text.
    "btrim",
    "char_length",
    "chr",
    "concat_ws",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "regexp_like",
    "reverse",
    "rpad",
    "rtrim",
    "starts_with",
    "strpos",
    "translate",
    "trim",
    "upper",
    // Conditions.
    "coalesce",
    "nullif",
    // Time.
    "current_date",
    "current_timestamp",
    "date_trunc",
    "now",
    // Arrays and maps.
    "array_distinct",
    "array_except",
    "array_intersect",
    "array_max",
    "array_min",
    "array_union",
    "cardinality",
    "flatten",
    "map_entries",
    "map_keys",
    "map_values",
    "unnest",
    "grouping",
    "uuid",
];

/// What to write for a function that is not there.
pub(super) fn instead_of(name: &str) -> String {
    let advice = match name {
        "try" => "write try_cast, or CASE",
        "transform" | "filter" | "reduce" | "any_match" | "all_match" | "none_match" | "zip_with" | "map_filter" => {
            "it takes a lambda; use UNNEST, and array_agg to come back"
        }
        "at_timezone" | "with_timezone" | "current_timezone" => "every timestamp is in UTC here",
        "to_char" | "to_timestamp" | "to_date" => "write date_format, date_parse or CAST",
        "typeof" => "SHOW COLUMNS says the types of a table",
        "listagg" | "string_agg" | "group_concat" => "write array_join(array_agg(x ORDER BY y), ', ')",
        "histogram" | "map_agg" | "multimap_agg" | "approx_most_frequent" => {
            "write GROUP BY, which gives a row for each value"
        }
        "nvl" | "ifnull" | "isnull" => "write coalesce",
        "decode" => "write CASE",
        "getdate" | "sysdate" | "localtimestamp" | "localtime" => "write current_timestamp",
        "datediff" => "write date_diff('day', a, b)",
        "dateadd" => "write date_add('day', n, x)",
        "len" => "write length",
        "charindex" | "instr" | "locate" => "write strpos(text, part)",
        "explode" => "write CROSS JOIN UNNEST(array) AS t(item)",
        "collect_list" | "collect_set" => "write array_agg",
        "get_json_object" => "write json_extract_scalar",
        "rlike" | "regexp" => "write regexp_like",
        "size" => "write cardinality",
        "percentile" | "median" | "percentile_cont" => "write approx_percentile",
        _ => return closest(name),
    };
    advice.to_owned()
}

fn closest(name: &str) -> String {
    let known = SAME.iter().copied().chain(super::udf::NAMES.iter().copied()).chain(super::template::names());
    let near = known.map(|known| (distance(name, known), known)).min();
    match near {
        Some((distance, known)) if distance <= 2 => format!("did you mean `{known}`?"),
        _ => "write it with functions that are there".to_owned(),
    }
}

/// How many letters differ.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (nth, letter) in one.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], nth + 1);
        for (at, same) in other.iter().enumerate() {
            let cost = diagonal + usize::from(letter != *same);
            diagonal = row[at + 1];
            row[at + 1] = cost.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}
