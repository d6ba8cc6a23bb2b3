//! Tokens of paged answers: a place in a list, opaque to the caller, good at any time and after a restart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A token that is none of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadToken;

pub(crate) fn seal<T: Serialize>(place: &T) -> String {
    // Places are tuples of numbers and strings, which always have a JSON form.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

pub(crate) fn open<T: DeserializeOwned>(token: &str) -> Result<T, BadToken> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadToken)?;
    serde_json::from_slice(&bytes).map_err(|_| BadToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_and_nonsense_does_not() {
        assert_eq!(open::<(i64, String)>(&seal(&(7, "job"))), Ok((7, "job".to_owned())));
        for nonsense in ["", "x", "!!", &seal(&"only a name")] {
            assert_eq!(open::<(i64, String)>(nonsense), Err(BadToken), "{nonsense}");
        }
    }
}
