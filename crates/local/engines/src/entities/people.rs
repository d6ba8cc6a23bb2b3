//! Names of people, only where something says that they are: a title, a mail header, a greeting,
//! a signature, a label, a birth date. A full name that was found once is found again wherever the
//! same words come back. No list of first names, no guess from capitals alone.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::text::hits::{Hit, regex};
use crate::text::words::Words;

const BY_TITLE: f64 = 0.93;
const BY_HEADER: f64 = 0.92;
const BY_BIRTH: f64 = 0.92;
const BY_LABEL: f64 = 0.88;
const BY_GREETING: f64 = 0.85;
const AGAIN: f64 = 0.85;

/// The most words that a name has.
const MOST_WORDS: usize = 4;

const TITLES: [&str; 40] = [
    "Mr",
    "Mrs",
    "Ms",
    "Miss",
    "Mx",
    "Dr",
    "Prof",
    "Professor",
    "Sir",
    "Dame",
    "Lord",
    "Lady",
    "Senator",
    "Judge",
    "Captain",
    "Prince",
    "Princess",
    "President",
    "Herr",
    "Herrn",
    "Frau",
    "Señor",
    "Señora",
    "Señorita",
    "Sr",
    "Sra",
    "Srta",
    "Don",
    "Doña",
    "Monsieur",
    "Madame",
    "Mademoiselle",
    "Mme",
    "Mlle",
    "Signor",
    "Signora",
    "Dott",
    "Dra",
    "Senhor",
    "Senhora",
];

const PARTICLES: [&str; 14] =
    ["von", "van", "de", "der", "den", "la", "le", "del", "della", "di", "da", "dos", "bin", "al"];

/// Capital words that follow a title or a label without being a name.
const NO_NAMES: [&str; 65] = [
    "Street",
    "Road",
    "Avenue",
    "Square",
    "Island",
    "Hall",
    "Park",
    "School",
    "House",
    "Office",
    "The",
    "And",
    "Of",
    "In",
    "All",
    "Team",
    "Sir",
    "Madam",
    "Customer",
    "Customers",
    "Support",
    "Service",
    "Services",
    "Sales",
    "Info",
    "Newsletter",
    "Hiring",
    "Manager",
    "Friend",
    "Friends",
    "Colleague",
    "Colleagues",
    "Members",
    "Member",
    "Everyone",
    "Department",
    "Company",
    "Human",
    "Resources",
    "Bank",
    "Inc",
    "Ltd",
    "GmbH",
    "Group",
    "University",
    "Admin",
    "Administrator",
    "Notification",
    "Notifications",
    "Reply",
    "Subject",
    "Date",
    "Page",
    "Committee",
    "Board",
    "Director",
    "Damen",
    "Herren",
    "Editor",
    "Reader",
    "Client",
    "User",
    "Valued",
    "Recipient",
    "Jury",
];

/// All names, which may overlap.
pub(crate) fn find(words: &Words<'_>) -> Vec<Hit<()>> {
    let mut hits: Vec<Hit<()>> = (0..words.len()).filter_map(|at| by_title(words, at)).collect();
    hits.extend(CUES.iter().flat_map(|cue| cue.find(words)));
    hits.extend(again(words, &hits));
    hits
}

fn by_title(words: &Words<'_>, at: usize) -> Option<Hit<()>> {
    let joined = matches!(words.gap(at + 1), " " | ". " | ".\u{a0}" | "\u{a0}");
    if !joined || !TITLES.contains(&words.str(at)) || TITLES.contains(&words.str(at + 1)) {
        return None;
    }
    let end = name_end(words, at + 1);
    (end > at + 1).then(|| Hit { range: words.range(at + 1..end), kind: (), score: BY_TITLE })
}

/// One past the last word of the name that begins at `start`; `start` itself where none does.
fn name_end(words: &Words<'_>, start: usize) -> usize {
    let mut end = start;
    let mut next = start;
    while next - start < MOST_WORDS + 1 && (next == start || joins(words, next)) {
        if is_name(words, next) {
            end = next + 1;
        } else if next == start || !PARTICLES.contains(&words.str(next)) {
            break;
        }
        next += 1;
    }
    end
}

fn is_name(words: &Words<'_>, at: usize) -> bool {
    let word = words.str(at);
    let digits = word.contains(|c: char| c.is_ascii_digit());
    words.capital(at) && !digits && !NO_NAMES.contains(&word)
}

/// Words of one name are a space apart; an initial has a full stop.
fn joins(words: &Words<'_>, at: usize) -> bool {
    let initial = words.str(at.wrapping_sub(1)).chars().count() == 1;
    match words.gap(at) {
        " " | "\u{a0}" => true,
        ". " | "." => initial,
        _ => false,
    }
}

/// A pattern after which a name stands, or before which it stood.
struct Cue {
    pattern: Regex,
    least_words: usize,
    score: f64,
    /// What must follow the name directly.
    followed_by: fn(&str) -> bool,
}

static CUES: LazyLock<Vec<Cue>> = LazyLock::new(|| {
    let cue = |pattern: &str, least_words, score, followed_by| Cue {
        pattern: regex(pattern),
        least_words,
        score,
        followed_by,
    };
    let whole_line: fn(&str) -> bool = |rest| {
        rest.is_empty()
            || rest.starts_with(['\n', '\r', '<', ';', '|', ',', '('])
            || rest.starts_with(" <")
            || rest.starts_with(" (")
            || rest.starts_with("\" <")
    };
    let comma: fn(&str) -> bool = |rest| rest.starts_with([',', '!', ':', '\n', '\r']) || rest.starts_with(" -");
    let anything: fn(&str) -> bool = |_| true;
    let address: fn(&str) -> bool = |rest| {
        let rest = rest.strip_prefix('"').unwrap_or(rest);
        rest.trim_start_matches(' ').starts_with('<') && rest.chars().take(70).any(|c| c == '@')
    };
    let born: fn(&str) -> bool = |rest| {
        ["(born ", "(b. ", "(* ", "(né ", "(née ", "(geboren ", "(nacido "]
            .iter()
            .any(|cue| rest.trim_start_matches(' ').starts_with(cue))
    };
    vec![
        cue(r#"(?m)^(?:From|To|Cc|Bcc|Sender|Reply-To|Von|An|De|Para|À)\s?:[ \t]{0,4}"?"#, 2, BY_HEADER, whole_line),
        cue(r#"(?m)(?:^|[:,;>] ?)[ \t]{0,4}"?"#, 2, BY_HEADER, address),
        cue(
            r"(?mi)^[ \t*-]{0,4}(?:full name|name|author|contact|contact person|attn|attention|employee|patient|signed|signed by|prepared by|written by|nombre|autor|vollständiger name)\s?:[ \t]{0,4}",
            2,
            BY_LABEL,
            whole_line,
        ),
        cue(r"(?mi)^full name[ \t]{1,4}", 2, BY_LABEL, whole_line),
        cue(
            r"\b(?:Dear|Hi|Hello|Liebe|Lieber|Hallo|Estimado|Estimada|Querido|Querida|Cher|Chère|Caro|Cara|Prezado|Prezada) ",
            1,
            BY_GREETING,
            comma,
        ),
        cue(
            r"(?mi)^(?:(?:best|kind|warm|with kind) regards|regards|sincerely|sincerely yours|yours (?:sincerely|truly|faithfully)|best(?: wishes)?|cheers|many thanks|thanks|mit freundlichen grüßen|viele grüße|saludos|atentamente|cordialement|bien à vous|cordiali saluti|atenciosamente)[,.!]?[ \t]{0,4}\r?\n(?:[ \t]{0,4}\r?\n){0,2}[ \t]{0,4}",
            1,
            BY_GREETING,
            whole_line,
        ),
        cue(
            r"(?i)\b(?:my name is|me llamo|mi nombre es|ich heiße|mein name ist|je m'appelle|mi chiamo|meu nome é) ",
            1,
            BY_LABEL,
            anything,
        ),
        cue(r"(?m)(?:^|[.!?] )", 2, BY_BIRTH, born),
    ]
});

impl Cue {
    fn find(&self, words: &Words<'_>) -> Vec<Hit<()>> {
        let mut at = 0;
        let places = self.pattern.find_iter(words.text).map(|cue| cue.end());
        places.filter_map(|byte| self.name_at(words, byte, &mut at)).collect()
    }

    /// `at` walks on with the cues, so that all of them together read the words once.
    fn name_at(&self, words: &Words<'_>, byte: usize, at: &mut usize) -> Option<Hit<()>> {
        while words.get(*at).is_some_and(|word| word.range.start < byte) {
            *at += 1;
        }
        let starts_here = words.get(*at)?.range.start == byte;
        let mut start = *at;
        if starts_here && TITLES.contains(&words.str(start)) {
            start += 1;
        }
        let end = name_end(words, start);
        let range = words.range(start..end);
        let rest = words.text.get(range.end..)?;
        let enough = starts_here && end >= start + self.least_words;
        (enough && (self.followed_by)(rest)).then_some(Hit { range, kind: (), score: self.score })
    }
}

/// Other places where a full name that was found stands again, or its first and last word.
fn again(words: &Words<'_>, hits: &[Hit<()>]) -> Vec<Hit<()>> {
    let names = full_names(words, hits);
    let found = |at: usize| {
        let lengths = names.get(words.str(at))?;
        let same = |length: &&Vec<&str>| {
            length.iter().enumerate().all(|(i, word)| words.str(at + i) == *word && (i == 0 || joins(words, at + i)))
        };
        lengths.iter().find(same).map(|name| at..at + name.len())
    };
    let hit = |range: Range<usize>| Hit { range: words.range(range), kind: (), score: AGAIN };
    (0..words.len()).filter_map(found).map(hit).collect()
}

/// Names of two words or more, by their first word.
fn full_names<'t>(words: &Words<'t>, hits: &[Hit<()>]) -> HashMap<&'t str, Vec<Vec<&'t str>>> {
    let distinct: BTreeSet<&str> = hits.iter().map(|hit| &words.text[hit.range.clone()]).collect();
    let mut names: HashMap<&str, Vec<Vec<&str>>> = HashMap::new();
    for name in distinct {
        let parts: Vec<&str> = name.split([' ', '.']).filter(|part| !part.is_empty()).collect();
        // A text with hundreds of names under one first word is a list, and needs no second look.
        let list = names.entry(parts.first().copied().unwrap_or_default()).or_default();
        if parts.len() > 1 && list.len() < 20 {
            // `Iwan Wyn Roberts` comes back as `Iwan Roberts`.
            list.extend((parts.len() > 2).then(|| vec![parts[0], parts[parts.len() - 1]]));
            list.push(parts);
        }
    }
    for list in names.values_mut() {
        list.sort_by_key(|parts| std::cmp::Reverse(parts.len()));
    }
    names
}
