//! The settings' languages in Transcribe's codes.
//!
//! <https://docs.aws.amazon.com/transcribe/latest/dg/supported-languages.html>

use aws_sdk_transcribe::types::LanguageCode;

/// The dialect that stands for a language: the one with the most speakers that Transcribe knows.
const DIALECTS: &[(&str, &str)] = &[
    ("af", "af-ZA"),
    ("ar", "ar-SA"),
    ("bg", "bg-BG"),
    ("bn", "bn-IN"),
    ("ca", "ca-ES"),
    ("cs", "cs-CZ"),
    ("da", "da-DK"),
    ("de", "de-DE"),
    ("el", "el-GR"),
    ("en", "en-US"),
    ("es", "es-US"),
    ("et", "et-EE"),
    ("eu", "eu-ES"),
    ("fa", "fa-IR"),
    ("fi", "fi-FI"),
    ("fr", "fr-FR"),
    ("gl", "gl-ES"),
    ("he", "he-IL"),
    ("hi", "hi-IN"),
    ("hr", "hr-HR"),
    ("hu", "hu-HU"),
    ("id", "id-ID"),
    ("is", "is-IS"),
    ("it", "it-IT"),
    ("ja", "ja-JP"),
    ("ko", "ko-KR"),
    ("lt", "lt-LT"),
    ("lv", "lv-LV"),
    ("mk", "mk-MK"),
    ("ms", "ms-MY"),
    ("nl", "nl-NL"),
    ("no", "no-NO"),
    ("pl", "pl-PL"),
    ("pt", "pt-BR"),
    ("ro", "ro-RO"),
    ("ru", "ru-RU"),
    ("sk", "sk-SK"),
    ("sl", "sl-SI"),
    ("sr", "sr-RS"),
    ("sv", "sv-SE"),
    ("ta", "ta-IN"),
    ("te", "te-IN"),
    ("th", "th-TH"),
    ("tl", "tl-PH"),
    ("tr", "tr-TR"),
    ("uk", "uk-UA"),
    ("vi", "vi-VN"),
    ("zh", "zh-CN"),
    ("zu", "zu-ZA"),
];

/// The languages to choose from, each once: Transcribe refuses two dialects of one language.
pub(super) fn options(languages: &[String]) -> Vec<LanguageCode> {
    let mut options: Vec<&str> = Vec::new();
    for code in languages.iter().filter_map(|language| code(language)) {
        if !options.iter().any(|option| main_part(option) == main_part(code)) {
            options.push(code);
        }
    }
    options.into_iter().map(LanguageCode::from).collect()
}

/// Transcribe's code for a language of the settings, which may name the dialect.
fn code(language: &str) -> Option<&'static str> {
    let dialect = LanguageCode::values().iter().find(|known| known.eq_ignore_ascii_case(language)).copied();
    let of_language =
        || DIALECTS.iter().find(|(main, _)| main.eq_ignore_ascii_case(language)).map(|(_, dialect)| *dialect);
    dialect.or_else(of_language)
}

/// `en` of `en-US`.
pub(super) fn main_part(code: &str) -> &str {
    code.split('-').next().unwrap_or(code)
}
