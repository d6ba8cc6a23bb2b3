//! Functions of time. Every timestamp is in UTC, as in an Athena session.
//! <https://trino.io/docs/current/functions/datetime.html>; formats are MySQL's and Joda's, as there.

use datafusion::arrow::datatypes::DataType::{Date32, Float64, Int64, Utf8};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit};

use super::udf::{Gives, Made, Row, all, micro_type, micros, string, text, whole};

pub(super) fn functions() -> Vec<ScalarUDF> {
    all(made())
}

fn made() -> Vec<Made> {
    let moment = || Gives::This(micro_type());
    let one = |name, forms, gives, body| Made { name, aliases: &[], forms, gives, body };
    let text_value = || Gives::This(Utf8);
    vec![
        one("date_add", vec![vec![Utf8, Int64, Date32], vec![Utf8, Int64, micro_type()]], Gives::Argument(2), date_add),
        one("date_diff", vec![vec![Utf8, micro_type(), micro_type()]], Gives::This(Int64), date_diff),
        one("date_format", vec![vec![micro_type(), Utf8]], text_value(), date_format),
        one("date_parse", vec![vec![Utf8, Utf8]], moment(), date_parse),
        one("format_datetime", vec![vec![micro_type(), Utf8]], text_value(), format_datetime),
        one("parse_datetime", vec![vec![Utf8, Utf8]], moment(), parse_datetime),
        one("from_iso8601_timestamp", vec![vec![Utf8]], moment(), from_iso8601_timestamp),
        one("from_unixtime", vec![vec![Float64]], moment(), from_unixtime),
        one("to_unixtime", vec![vec![micro_type()]], Gives::This(Float64), to_unixtime),
        one("to_iso8601", vec![vec![micro_type()]], text_value(), to_iso8601),
        one("last_day_of_month", vec![vec![micro_type()]], Gives::This(Date32), last_day_of_month),
    ]
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn said(error: jiff::Error) -> String {
    error.to_string()
}

fn local(micros: i64) -> Result<DateTime, String> {
    let moment = Timestamp::from_microsecond(micros).map_err(said)?;
    Ok(TimeZone::UTC.to_datetime(moment))
}

fn of_local(local: DateTime) -> Result<i64, String> {
    Ok(TimeZone::UTC.to_timestamp(local).map_err(said)?.as_microsecond())
}

fn moment(micros: i64) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(micros), None)
}

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

fn day(days: i32) -> Result<Date, String> {
    EPOCH.checked_add(Span::new().try_days(days).map_err(said)?).map_err(said)
}

fn days(date: Date) -> Result<ScalarValue, String> {
    let days = EPOCH.until((Unit::Day, date)).map_err(said)?.get_days();
    Ok(ScalarValue::Date32(Some(days)))
}

fn unit(name: &str, count: i64) -> Result<Span, String> {
    let span = Span::new();
    match name.to_ascii_lowercase().as_str() {
        "millisecond" => span.try_milliseconds(count),
        "second" => span.try_seconds(count),
        "minute" => span.try_minutes(count),
        "hour" => span.try_hours(count),
        "day" => span.try_days(count),
        "week" => span.try_weeks(count),
        "month" => span.try_months(count),
        "quarter" => span.try_months(count.saturating_mul(3)),
        "year" => span.try_years(count),
        other => {
            return Err(format!(
                "`{other}` is no unit; use millisecond, second, minute, hour, day, week, month, quarter or year"
            ));
        }
    }
    .map_err(said)
}

fn date_add(row: Row<'_>) -> Result<ScalarValue, String> {
    let span = unit(text(&row[0]), whole(&row[1]))?;
    match &row[2] {
        ScalarValue::Date32(Some(date)) => days(day(*date)?.checked_add(span).map_err(said)?),
        other => Ok(moment(of_local(local(micros(other))?.checked_add(span).map_err(said)?)?)),
    }
}

/// Whole units from one moment to the other.
fn date_diff(row: Row<'_>) -> Result<ScalarValue, String> {
    let (from, to) = (local(micros(&row[1]))?, local(micros(&row[2]))?);
    let between = |unit: Unit| from.until((unit, to)).map_err(said);
    let count = match text(&row[0]).to_ascii_lowercase().as_str() {
        "millisecond" => between(Unit::Millisecond)?.get_milliseconds(),
        "second" => between(Unit::Second)?.get_seconds(),
        "minute" => between(Unit::Minute)?.get_minutes(),
        "hour" => i64::from(between(Unit::Hour)?.get_hours()),
        "day" => i64::from(between(Unit::Day)?.get_days()),
        "week" => i64::from(between(Unit::Week)?.get_weeks()),
        "month" => i64::from(between(Unit::Month)?.get_months()),
        "quarter" => i64::from(between(Unit::Month)?.get_months() / 3),
        "year" => i64::from(between(Unit::Year)?.get_years()),
        other => return Err(format!("`{other}` is no unit")),
    };
    Ok(ScalarValue::Int64(Some(count)))
}

/// MySQL's letters in those of `strftime`. A letter that Trino does not take either is refused.
fn format_of(mysql: &str) -> Result<String, String> {
    let mut format = String::new();
    let mut chars = mysql.chars();
    while let Some(one) = chars.next() {
        if one != '%' {
            format.push(one);
            continue;
        }
        format.push_str(match chars.next() {
            Some('a') => "%a",
            Some('b') => "%b",
            Some('c') => "%-m",
            Some('d') => "%d",
            Some('e') => "%-d",
            Some('f') => "%6f",
            Some('H') => "%H",
            Some('h' | 'I') => "%I",
            Some('i') => "%M",
            Some('j') => "%j",
            Some('k') => "%-H",
            Some('l') => "%-I",
            Some('M') => "%B",
            Some('m') => "%m",
            Some('p') => "%p",
            Some('r') => "%I:%M:%S %p",
            Some('S' | 's') => "%S",
            Some('T') => "%H:%M:%S",
            Some('v') => "%V",
            Some('W') => "%A",
            Some('Y') => "%Y",
            Some('y') => "%y",
            Some('%') => "%%",
            Some(other) => return Err(format!("the format `%{other}` is not supported")),
            None => return Err("the format ends with `%`".to_owned()),
        });
    }
    Ok(format)
}

/// Joda's letters in those of `strftime`: how often a letter stands says how it is written, quotes keep text as it is.
/// <https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html>
fn format_of_joda(joda: &str) -> Result<String, String> {
    let mut format = String::new();
    let mut rest = joda;
    while let Some(one) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('\'') {
            let end = quoted.find('\'').ok_or("the format ends within quotes")?;
            format.push_str(&if end == 0 { "'".to_owned() } else { quoted[..end].replace('%', "%%") });
            rest = &quoted[end + 1..];
            continue;
        }
        let count = rest.chars().take_while(|next| *next == one).count();
        let (letters, after) = rest.split_at(count * one.len_utf8());
        rest = after;
        if one == '%' {
            format.push_str(&"%%".repeat(count));
            continue;
        }
        format.push_str(match (one, count) {
            ('y' | 'Y', 2) => "%y",
            ('y' | 'Y', _) => "%Y",
            ('M', 1) => "%-m",
            ('M', 2) => "%m",
            ('M', 3) => "%b",
            ('M', _) => "%B",
            ('d', 1) => "%-d",
            ('d', 2) => "%d",
            ('D', 1) => "%-j",
            ('D', 3) => "%j",
            ('E', 1..=3) => "%a",
            ('E', _) => "%A",
            ('e', 1) => "%u",
            ('H', 1) => "%-H",
            ('H', 2) => "%H",
            ('h', 1) => "%-I",
            ('h', 2) => "%I",
            ('m', 1) => "%-M",
            ('m', 2) => "%M",
            ('s', 1) => "%-S",
            ('s', 2) => "%S",
            ('S', 3) => "%3f",
            ('S', 6) => "%6f",
            ('a', _) => "%p",
            (other, _) if other.is_ascii_alphabetic() => {
                return Err(format!("the format `{letters}` is not supported"));
            }
            _ => letters,
        });
    }
    Ok(format)
}

fn format_datetime(row: Row<'_>) -> Result<ScalarValue, String> {
    written(&format_of_joda(text(&row[1]))?, &row[0])
}

fn parse_datetime(row: Row<'_>) -> Result<ScalarValue, String> {
    read(&format_of_joda(text(&row[1]))?, text(&row[0]))
}

fn date_format(row: Row<'_>) -> Result<ScalarValue, String> {
    written(&format_of(text(&row[1]))?, &row[0])
}

fn date_parse(row: Row<'_>) -> Result<ScalarValue, String> {
    read(&format_of(text(&row[1]))?, text(&row[0]))
}

fn written(format: &str, at: &ScalarValue) -> Result<ScalarValue, String> {
    string(Some(jiff::fmt::strtime::format(format, local(micros(at))?).map_err(said)?))
}

fn read(format: &str, of: &str) -> Result<ScalarValue, String> {
    let format = format.replace("%6f", "%f").replace("%3f", "%f");
    let read = jiff::fmt::strtime::parse(&format, of).map_err(said)?;
    let date = read.to_date().map_err(said)?;
    let time = read.to_time().unwrap_or(jiff::civil::Time::midnight());
    Ok(moment(of_local(DateTime::from_parts(date, time))?))
}

fn from_iso8601_timestamp(row: Row<'_>) -> Result<ScalarValue, String> {
    let of = text(&row[0]);
    if let Ok(exact) = of.parse::<Timestamp>() {
        return Ok(moment(exact.as_microsecond()));
    }
    Ok(moment(of_local(of.parse::<DateTime>().map_err(said)?)?))
}

fn from_unixtime(row: Row<'_>) -> Result<ScalarValue, String> {
    let seconds = match row[0] {
        ScalarValue::Float64(Some(seconds)) if seconds.is_finite() => seconds,
        _ => return Err("it takes a number of seconds".to_owned()),
    };
    let exact = jiff::SignedDuration::try_from_secs_f64(seconds).map_err(said)?;
    Ok(moment(Timestamp::from_duration(exact).map_err(said)?.as_microsecond()))
}

fn to_unixtime(row: Row<'_>) -> Result<ScalarValue, String> {
    let exact = Timestamp::from_microsecond(micros(&row[0])).map_err(said)?;
    Ok(ScalarValue::Float64(Some(exact.as_duration().as_secs_f64())))
}

fn to_iso8601(row: Row<'_>) -> Result<ScalarValue, String> {
    let written = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S.%3f", local(micros(&row[0]))?).map_err(said)?;
    string(Some(written))
}

fn last_day_of_month(row: Row<'_>) -> Result<ScalarValue, String> {
    days(local(micros(&row[0]))?.date().last_of_month())
}

#[cfg(test)]
mod tests {
    use super::super::udf::called;
    use super::*;

    fn at(text: &str) -> ScalarValue {
        moment(of_local(text.parse().unwrap()).unwrap())
    }

    fn call(name: &str, arguments: &[ScalarValue]) -> Result<ScalarValue, String> {
        called(&made().into_iter().find(|made| made.name == name).unwrap(), arguments)
    }

    #[test]
    fn functions_of_time_follow_trino() {
        let text = |text: &str| ScalarValue::from(text);
        let number = |number: i64| ScalarValue::from(number);
        for (name, arguments, expected) in [
            ("date_add", vec![text("month"), number(1), at("2024-01-31T10:00")], at("2024-02-29T10:00")),
            ("date_add", vec![text("hour"), number(-1), at("2024-01-01T00:30")], at("2023-12-31T23:30")),
            ("date_diff", vec![text("day"), at("2024-01-01T12:00"), at("2024-01-03T11:00")], number(1)),
            ("date_diff", vec![text("month"), at("2024-01-31T00:00"), at("2024-03-01T00:00")], number(1)),
            ("date_diff", vec![text("hour"), at("2024-01-02T00:00"), at("2024-01-01T00:00")], number(-24)),
            (
                "date_format",
                vec![at("2024-03-05T07:08:09.5"), text("%Y-%m-%d %H:%i:%s.%f")],
                text("2024-03-05 07:08:09.500000"),
            ),
            ("date_parse", vec![text("2022-03-02 11:34:01"), text("%Y-%m-%d %H:%i:%s")], at("2022-03-02T11:34:01")),
            ("date_parse", vec![text("02/03/2022"), text("%d/%m/%Y")], at("2022-03-02T00:00")),
            (
                "format_datetime",
                vec![at("2024-03-05T17:08:09.5"), text("EEE, d MMM yyyy 'at' h:mm a ''SSS")],
                text("Tue, 5 Mar 2024 at 5:08 PM '500"),
            ),
            ("format_datetime", vec![at("2024-03-05T17:08:09"), text("%%%%%%d")], text("%%%%%%5")),
            ("parse_datetime", vec![text("2022-03-02T11:34"), text("yyyy-MM-dd'T'HH:mm")], at("2022-03-02T11:34")),
            ("from_iso8601_timestamp", vec![text("2024-01-01T10:00:00+02:00")], at("2024-01-01T08:00")),
            ("from_unixtime", vec![ScalarValue::from(1.5)], at("1970-01-01T00:00:01.5")),
            ("to_unixtime", vec![at("1970-01-01T00:00:01.5")], ScalarValue::from(1.5)),
            ("to_iso8601", vec![at("2024-03-05T07:08:09")], text("2024-03-05T07:08:09.000")),
            ("last_day_of_month", vec![at("2024-02-05T07:08:09")], ScalarValue::Date32(Some(19782))),
        ] {
            assert_eq!(call(name, &arguments), Ok(expected), "{name} {arguments:?}");
        }
        assert!(call("date_add", &[text("fortnight"), number(1), at("2024-01-31T10:00")]).is_err());
        assert!(call("date_format", &[at("2024-01-31T10:00"), text("%Q")]).is_err());
        assert!(call("format_datetime", &[at("2024-01-31T10:00"), text("yyyy QQ")]).is_err());
        assert!(call("format_datetime", &[at("2024-01-31T10:00"), text("yyyy 'open")]).is_err());
    }
}
