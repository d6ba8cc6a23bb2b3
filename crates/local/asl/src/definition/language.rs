//! The two query languages, and which one a state is written in.
//!
//! Spec: <https://states-language.net/#query-language>. A machine in JSONata holds no state in
//! `JSONPath`; a machine in `JSONPath` may hold states in JSONata.

/// What the expressions of a state are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    #[default]
    JsonPath,
    Jsonata,
}

impl Language {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "JSONPath" => Some(Self::JsonPath),
            "JSONata" => Some(Self::Jsonata),
            _ => None,
        }
    }
}
