//! Pages of lists: how many entries, and where the next page begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::refusal;
use crate::wire::ServiceError;

/// Entries of a page when the caller does not say.
const USUAL: usize = 100;

/// The most entries that a caller may ask for.
const MOST: i64 = 1000;

/// How many entries the next page may hold.
pub(super) fn size(asked: Option<i64>) -> Result<usize, ServiceError> {
    match asked {
        None | Some(0) => Ok(USUAL),
        Some(asked @ 1..=MOST) => Ok(usize::try_from(asked).unwrap_or(USUAL)),
        Some(above) if above > MOST => {
            Err(refusal::out_of_bounds("maxResults", above, "have value less than or equal to 1000"))
        }
        Some(below) => Err(refusal::out_of_bounds("maxResults", below, "have value greater than or equal to 0")),
    }
}

/// A token that leads on `behind` an entry in the list that `list` names with all its filters.
pub(super) fn lead_on(list: &str, behind: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\n{behind}"))
}

/// Where the page of `token` begins; a token of another list is refused.
pub(super) fn place(list: &str, token: Option<&str>) -> Result<Option<String>, ServiceError> {
    let Some(token) = token else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| refusal::invalid_token())?;
    let text = String::from_utf8(bytes).map_err(|_| refusal::invalid_token())?;
    match text.rsplit_once('\n') {
        Some((of, behind)) if of == list => Ok(Some(behind.to_owned())),
        _ => Err(refusal::invalid_token()),
    }
}

/// As [`place`], for a list whose entries are numbered.
pub(super) fn number(list: &str, token: Option<&str>) -> Result<Option<i64>, ServiceError> {
    let found = place(list, token)?;
    found.map(|last| last.parse().map_err(|_| refusal::invalid_token())).transpose()
}

/// As [`place`], for a list that is sorted by a time and a number.
pub(super) fn moment(list: &str, token: Option<&str>) -> Result<Option<(i64, i64)>, ServiceError> {
    let Some(last) = place(list, token)? else { return Ok(None) };
    let (time, number) = last.split_once(' ').ok_or_else(refusal::invalid_token)?;
    match (time.parse(), number.parse()) {
        (Ok(time), Ok(number)) => Ok(Some((time, number))),
        _ => Err(refusal::invalid_token()),
    }
}

/// Cuts off what was read beyond the page of `size`; gives the token behind its last entry when there was more.
pub(super) fn cut<T>(entries: &mut Vec<T>, size: usize, list: &str, place: impl Fn(&T) -> String) -> Option<String> {
    let more = entries.len() > size;
    entries.truncate(size);
    entries.last().filter(|_| more).map(|entry| lead_on(list, &place(entry)))
}

#[cfg(test)]
mod tests {
    use super::{cut, lead_on, number, size};

    #[test]
    fn a_token_leads_on_in_its_own_list_only() {
        let mut entries = vec![5, 4, 3];
        let token = cut(&mut entries, 2, "executions RUNNING", ToString::to_string).unwrap();
        assert_eq!(entries, [5, 4]);
        assert_eq!(number("executions RUNNING", Some(&token)).unwrap(), Some(4));
        assert_eq!(number("executions FAILED", Some(&token)).unwrap_err().code, "InvalidToken");
        assert_eq!(number("executions", Some("?")).unwrap_err().code, "InvalidToken");
        assert_eq!(number("executions", Some(&lead_on("executions", "x"))).unwrap_err().code, "InvalidToken");
        assert!(cut(&mut entries, 2, "executions", ToString::to_string).is_none());
        assert!(!token.is_empty());
    }

    #[test]
    fn a_page_is_bounded() {
        assert_eq!((size(None).unwrap(), size(Some(0)).unwrap(), size(Some(7)).unwrap()), (100, 100, 7));
        assert_eq!(size(Some(1001)).unwrap_err().code, "ValidationException");
        assert_eq!(size(Some(-1)).unwrap_err().code, "ValidationException");
    }

    #[test]
    fn tokens_are_plain_text() {
        assert!(lead_on("executions", "1").chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    }
}
