//! Subtitles (`WebVTT`, `SubRip`): the words as text, each cue a segment with its times.

use super::{Input, plain};
use crate::draft::Draft;

/// Reads subtitles.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    let text = plain::decode(input, draft);
    let text = text.replace("\r\n", "\n");
    let mut cues = 0;
    for block in text.split("\n\n") {
        cues += usize::from(read_cue(block, draft));
    }
    if cues == 0 {
        draft.push(&text);
    }
}

fn read_cue(block: &str, draft: &mut Draft<'_>) -> bool {
    let mut lines = block.lines().skip_while(|line| !line.contains("-->"));
    let Some(times) = lines.next().and_then(times) else { return false };
    draft.end_line();
    let start = draft.position();
    let words: Vec<String> = lines.map(without_tags).filter(|line| !line.is_empty()).collect();
    draft.push(&words.join("\n"));
    if draft.position() > start {
        draft.timed_segment(start, times);
    }
    true
}

fn times(line: &str) -> Option<(f64, f64)> {
    let (start, end) = line.split_once("-->")?;
    Some((seconds(start)?, seconds(end.split_whitespace().next()?)?))
}

/// `[hh:]mm:ss[.,]fff` in seconds.
fn seconds(clock: &str) -> Option<f64> {
    let mut total = 0.0;
    for part in clock.trim().replace(',', ".").split(':') {
        total = total * 60.0 + part.trim().parse::<f64>().ok()?;
    }
    (total.is_finite() && total >= 0.0).then_some(total)
}

/// A line without `<v Name>` and `<i>` tags.
fn without_tags(line: &str) -> String {
    let mut depth = 0_u32;
    let keep = |c: &char| {
        match c {
            '<' => depth += 1,
            '>' if depth > 0 => {
                depth -= 1;
                return false;
            }
            _ => {}
        }
        depth == 0
    };
    line.chars().filter(keep).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_seconds() {
        let cases =
            [("00:01:02.500", Some(62.5)), ("01:02,25", Some(62.25)), ("1:00:00.000", Some(3600.0)), ("x", None)];
        for (clock, expected) in cases {
            assert_eq!(seconds(clock), expected, "{clock}");
        }
    }

    #[test]
    fn tags_go_and_comparisons_stay() {
        assert_eq!(without_tags("<v Ann>Hello <i>there</i>"), "Hello there");
        assert_eq!(without_tags("2 > 1"), "2 > 1");
    }
}
