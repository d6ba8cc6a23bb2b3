//! Pages of lists: how many entries, and where the next page begins.

use super::refusal::{VALIDATION, invalid};
use crate::ai::token;
use crate::wire::ServiceError;

/// How many entries a page may hold: what the caller asks for, or the most.
pub(super) fn size(asked: Option<i64>, most: i64) -> Result<usize, ServiceError> {
    let asked = asked.unwrap_or(most);
    VALIDATION.range(asked, "maxResults", 1, most)?;
    Ok(usize::try_from(asked).unwrap_or(1))
}

/// The place that a token of the list `list` stands for.
pub(super) fn place<T: serde::de::DeserializeOwned>(
    list: &str,
    token: Option<&str>,
) -> Result<Option<T>, ServiceError> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    match token::open::<(String, T)>(token) {
        Ok((of, place)) if of == list => Ok(Some(place)),
        _ => Err(invalid("NextToken is invalid: it is not of this list")),
    }
}

pub(super) fn token<T: serde::Serialize>(list: &str, place: &T) -> String {
    token::seal(&(list, place))
}

/// The page of a list that is in memory whole, sorted by name, behind the token's name; and the next token.
pub(super) fn by_name<T>(
    list: &str,
    entries: Vec<(String, T)>,
    asked: Option<i64>,
    next: Option<&str>,
) -> Result<(Vec<T>, Option<String>), ServiceError> {
    let size = size(asked, 50)?;
    let behind: Option<String> = place(list, next)?;
    let rest = entries.into_iter().filter(|(name, _)| behind.as_ref().is_none_or(|behind| name > behind));
    let mut page: Vec<(String, T)> = rest.take(size + 1).collect();
    let more = page.len() > size;
    page.truncate(size);
    let next = page.last().filter(|_| more).map(|(name, _)| token(list, name));
    Ok((page.into_iter().map(|(_, entry)| entry).collect(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another() {
        let entries = || ["a", "b", "c"].map(|name| (name.to_owned(), name)).to_vec();
        let (first, next) = by_name("l", entries(), Some(2), None).unwrap();
        assert_eq!(first, ["a", "b"]);
        let (second, end) = by_name("l", entries(), Some(2), next.as_deref()).unwrap();
        assert_eq!((second, end), (vec!["c"], None));
        assert_eq!(by_name("m", entries(), None, next.as_deref()).unwrap_err().code, "InvalidRequestException");
        assert_eq!(by_name("l", entries(), Some(51), None).unwrap_err().code, "InvalidRequestException");
    }
}
