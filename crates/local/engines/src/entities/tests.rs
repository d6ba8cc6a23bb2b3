//! Tables of texts with the entities that must be found, and the traps that must not.

use super::*;

fn found(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let cut = |span: Span| chars[span.begin..span.end].iter().collect::<String>();
    let items = detect(text, "en").unwrap().items;
    items.iter().map(|item| format!("{}:{}", item.kind.as_str(), cut(item.span))).collect()
}

fn check(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(&found(text), expected, "in `{text}`");
    }
}

#[test]
fn dates() {
    check(&[
        ("on 2024-05-01T10:20:30Z and 1 May 2024", &["DATE:2024-05-01T10:20:30Z", "DATE:1 May 2024"]),
        ("Friday, May 3rd, 2024 at 5:30 pm", &["DATE:Friday, May 3rd, 2024 at 5:30 pm"]),
        ("am 3. März 2024, 03.04.2024", &["DATE:3. März 2024", "DATE:03.04.2024"]),
        ("el 3 de mayo de 2024; le 14 juillet 1789", &["DATE:3 de mayo de 2024", "DATE:14 juillet 1789"]),
        ("in 1999, 1986–1990, since June 2010", &["DATE:1999", "DATE:1986–1990", "DATE:June 2010"]),
        ("12/31/2024 and 31/12/24 at 09:30", &["DATE:12/31/2024", "DATE:31/12/24", "DATE:09:30"]),
        ("yesterday and next Monday", &["DATE:yesterday", "DATE:next Monday"]),
        ("May I march? It may be 99/99/2024, 1.2.2024.5, 13/13/2024, 2024-13-01.", &[]),
        ("a ratio of 3:15, room 2024, Sunrise", &[]),
    ]);
}

#[test]
fn quantities() {
    check(&[
        ("$1,234.50 or €5 million or 20 EUR", &["QUANTITY:$1,234.50", "QUANTITY:€5 million", "QUANTITY:20 EUR"]),
        ("up 3.5% or 12 percent", &["QUANTITY:3.5%", "QUANTITY:12 percent"]),
        (
            "6 ft 3 in tall, 80 kg, 5 km/h, 20 °C",
            &["QUANTITY:6 ft 3 in", "QUANTITY:80 kg", "QUANTITY:5 km/h", "QUANTITY:20 °C"],
        ),
        ("30 days and 1.500,00 €", &["QUANTITY:30 days", "QUANTITY:1.500,00 €"]),
        ("page 5, 5 in the list, A4, 3D, 2x, version 1.2", &[]),
    ]);
}

#[test]
fn people() {
    check(&[
        ("Mr. J. R. Smith met Professor Maria van der Berg.", &["PERSON:J. R. Smith", "PERSON:Maria van der Berg"]),
        ("Mr Smith's car", &["PERSON:Smith"]),
        (
            "Iwan Roberts (born 1968) is a player. Later Iwan Roberts coached.",
            &["PERSON:Iwan Roberts", "PERSON:Iwan Roberts"],
        ),
        ("Ann May Lee (born 1968). Ann Lee plays; Lee too.", &["PERSON:Ann May Lee", "PERSON:Ann Lee"]),
        (
            "From: Ann Lee\nTo: \"Bo Kim\" <bo@x.org>, Cy Day <cy@x.org>\n",
            &["PERSON:Ann Lee", "PERSON:Bo Kim", "OTHER:bo@x.org", "PERSON:Cy Day", "OTHER:cy@x.org"],
        ),
        ("Name: Ann Lee\nDear Bo,", &["PERSON:Ann Lee", "PERSON:Bo"]),
        ("Lord Street, Dr., Mr. and Mrs., President of the board, To: Human Resources", &[]),
        ("Thanks\nThe Team", &[]),
    ]);
}

#[test]
fn organizations_and_places() {
    check(&[
        (
            "Acme Widgets, Inc. and Müller & Söhne GmbH",
            &["ORGANIZATION:Acme Widgets, Inc.", "ORGANIZATION:Müller & Söhne GmbH"],
        ),
        (
            "at the University of East Anglia and Oxford University",
            &["ORGANIZATION:University of East Anglia", "ORGANIZATION:Oxford University"],
        ),
        ("Siemens AG, SUCH AS, The Company, Limited", &["ORGANIZATION:Siemens AG"]),
        (
            "from France to New Zealand, Washington, D.C. and the U.S. border",
            &["LOCATION:France", "LOCATION:New Zealand", "LOCATION:Washington, D.C.", "LOCATION:U.S."],
        ),
        ("Michael Jordan went to Jordan", &["LOCATION:Jordan"]),
        ("Lord London lives in London", &["PERSON:London", "LOCATION:London"]),
        ("turkey and china plates, the chad", &[]),
    ]);
}

#[test]
fn other_languages_are_refused_by_name() {
    for language in ["ja", "ko", "hi", "ar", "zh", "zh-TW", ""] {
        assert_eq!(detect("x", language).unwrap_err().engine, ENGINE);
    }
}

#[test]
fn hostile_texts_end() {
    for text in crate::pii::tests::hostile() {
        let length = text.chars().count();
        let items = detect(&text, "en").unwrap().items;
        assert!(items.iter().all(|item| item.span.begin < item.span.end && item.span.end <= length));
    }
}
