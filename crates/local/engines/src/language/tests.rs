//! Tables of texts: the right language first, and no certainty out of nothing.

use super::*;

fn top(text: &str) -> Option<LanguageScore> {
    detect(text).items.first().copied()
}

#[test]
fn sentences_are_named() {
    let cases = [
        ("en", "The committee will meet again on Thursday to discuss the budget."),
        ("de", "Der Ausschuss tritt am Donnerstag wieder zusammen, um über den Haushalt zu beraten."),
        ("es", "El comité se reunirá de nuevo el jueves para hablar del presupuesto."),
        ("fr", "Le comité se réunira de nouveau jeudi pour discuter du budget."),
        ("it", "Il comitato si riunirà di nuovo giovedì per discutere del bilancio."),
        ("pt", "O comité voltará a reunir-se na quinta-feira para discutir o orçamento."),
        ("nl", "De commissie komt donderdag opnieuw bijeen om de begroting te bespreken."),
        ("no", "Komiteen møtes igjen på torsdag for å diskutere budsjettet."),
        ("ja", "委員会は木曜日に再び集まって予算について話し合います。"),
        ("ko", "위원회는 목요일에 다시 모여 예산을 논의할 것입니다."),
        ("zh", "委员会将于星期四再次开会讨论预算问题，这是我们国家的事情。"),
        ("zh-TW", "委員會將於星期四再次開會討論預算問題，這是我們國家的事情。"),
        ("ar", "ستجتمع اللجنة مرة أخرى يوم الخميس لمناقشة الميزانية."),
        ("he", "הוועדה תתכנס שוב ביום חמישי כדי לדון בתקציב."),
        ("hi", "समिति बजट पर चर्चा करने के लिए गुरुवार को फिर मिलेगी।"),
        ("ru", "Комитет снова соберётся в четверг, чтобы обсудить бюджет."),
        ("th", "คณะกรรมการจะประชุมอีกครั้งในวันพฤหัสบดีเพื่อหารือเรื่องงบประมาณ"),
    ];
    for (code, text) in cases {
        let found = top(text).unwrap_or_else(|| panic!("nothing for {code}"));
        assert_eq!(found.code, code, "{text}: {:?}", detect(text).items);
        assert!(found.score > 0.5, "{text}: {found:?}");
    }
}

#[test]
fn nothing_is_answered_with_nothing() {
    for text in [
        "",
        "   ",
        "12345 67.89",
        "2024-01-01T00:00:00Z",
        "🦀🦀🦀",
        "!!! ??? ...",
        "a1b2c3 x_y foo@bar.com https://example.com/",
    ] {
        assert_eq!(detect(text).items, [], "{text}");
    }
}

#[test]
fn little_is_answered_with_little_certainty() {
    for text in ["OK", "no", "aaa aaa aaa aaa aaa aaa", "ß", "Total: 12.50"] {
        let best = top(text).map_or(0.0, |found| found.score);
        assert!(best < 0.7, "{text}: {best}");
    }
}

#[test]
fn a_text_in_two_languages_is_answered_with_two() {
    let english = "The committee will meet again on Thursday to discuss the budget for the coming year, and all members are asked to read the papers before they come. ";
    let spanish = "El comité se reunirá de nuevo el jueves para hablar del presupuesto del año que viene, y se ruega a todos los miembros que lean los papeles. ";
    let found = detect(&format!("{english}{spanish}")).items;
    let mut codes: Vec<&str> =
        found.iter().filter(|language| language.score > 0.3).map(|language| language.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["en", "es"], "{found:?}");
}

#[test]
fn addresses_and_code_do_not_hide_the_language() {
    let text = "https://example.org/a/b?c=d 0x7fff SELECT_1 The invoice is attached to this message, please pay within thirty days. user@example.org";
    assert_eq!(top(text).unwrap().code, "en");
}

#[test]
fn hostile_texts_end_and_stay_within_bounds() {
    for text in [
        "a".repeat(100_000),
        "🦀".repeat(25_000),
        "א ".repeat(33_000),
        "1".repeat(100_000),
        "漢".repeat(33_000),
        "ab ".repeat(33_000),
    ] {
        let found = detect(&text).items;
        assert!(found.len() <= MOST_LANGUAGES);
        assert!(found.iter().all(|language| (0.0..=1.0).contains(&language.score)), "{found:?}");
    }
}

#[test]
fn a_long_text_is_sampled() {
    let text = "Every sentence here is a little different from number to number. ".repeat(2_000);
    assert!(sample(passages(&text)).len() <= MOST_PASSAGES);
    assert!(top(&text).unwrap().score > 0.8);
}
