//! Check digits: the arithmetic that tells a number that somebody issued from any other number.

/// Luhn's formula (ISO/IEC 7812-1): payment cards, Canadian social insurance numbers.
pub(super) fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { *digit } else { (digit * 2) / 10 + (digit * 2) % 10 })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// ISO 13616: the IBAN, first four characters moved to the end, is 1 modulo 97.
pub(super) fn iban(characters: &str) -> bool {
    let Some((head, tail)) = characters.split_at_checked(4) else {
        return false;
    };
    let remainder = tail.chars().chain(head.chars()).try_fold(0_u32, |rest, character| {
        let value = character.to_digit(36)?;
        let shift = if value > 9 { 100 } else { 10 };
        Some((rest * shift + value) % 97)
    });
    remainder == Some(1)
}

/// United States bank routing numbers: weights 3, 7, 1 give a multiple of 10.
pub(super) fn routing(digits: &[u32]) -> bool {
    weighted(digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_some_and(|sum| sum > 0 && sum.is_multiple_of(10))
}

/// NHS numbers: weights 10 down to 2, the last digit completes a multiple of 11.
pub(super) fn nhs(digits: &[u32]) -> bool {
    weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_some_and(|sum| sum > 0 && sum.is_multiple_of(11))
}

fn weighted(digits: &[u32], weights: &[u32]) -> Option<u32> {
    (digits.len() == weights.len()).then(|| digits.iter().zip(weights).map(|(d, w)| d * w).sum())
}

/// Verhoeff's scheme in the dihedral group D5: Indian Aadhaar numbers.
pub(super) fn verhoeff(digits: &[u32]) -> bool {
    const TURN: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permute = |digit: u32, times: usize| (0..times).fold(digit, |d, _| TURN[d as usize % 10]);
    let end =
        digits.iter().rev().enumerate().fold(0, |state, (place, digit)| dihedral(state, permute(*digit, place % 8)));
    !digits.is_empty() && end == 0
}

/// Multiplication in D5, where 0 to 4 are rotations and 5 to 9 reflections.
fn dihedral(left: u32, right: u32) -> u32 {
    match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => 5 + (left + right) % 5,
        (false, true) => 5 + (left + 10 - 5 - right) % 5,
        (false, false) => (left + 5 - right) % 5,
    }
}

/// Vehicle identification numbers (49 CFR 565.15): the ninth character is a sum modulo 11.
pub(super) fn vin(characters: &str) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let values: Option<Vec<u32>> = characters.chars().map(vin_value).collect();
    let Some(sum) = values.and_then(|values| weighted(&values, &WEIGHTS)) else {
        return false;
    };
    let check = if sum % 11 == 10 { Some('X') } else { char::from_digit(sum % 11, 10) };
    characters.chars().nth(8) == check
}

fn vin_value(character: char) -> Option<u32> {
    match character {
        '0'..='9' => character.to_digit(10),
        'A'..='H' => Some(u32::from(character) - u32::from('A') + 1),
        'J'..='N' => Some(u32::from(character) - u32::from('J') + 1),
        'P' => Some(7),
        'R' => Some(9),
        'S'..='Z' => Some(u32::from(character) - u32::from('S') + 2),
        _ => None,
    }
}

/// The decimal digits of `text`, everything else left out.
pub(super) fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|character| character.to_digit(10)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published examples of each scheme; every one stops being right when one digit changes.
    #[test]
    fn one_wrong_digit_is_noticed() {
        type Check = fn(&[u32]) -> bool;
        let cases: [(&str, Check); 7] = [
            ("4111111111111111", luhn),
            ("378282246310005", luhn),
            ("046454286", luhn),
            ("021000021", routing),
            ("9434765919", nhs),
            ("2363", verhoeff),
            ("123451", verhoeff),
        ];
        for (number, check) in cases {
            let right = digits(number);
            assert!(check(&right), "{number}");
            for place in 0..right.len() {
                let mut wrong = right.clone();
                wrong[place] = (wrong[place] + 1) % 10;
                assert!(!check(&wrong), "{number} with a wrong digit at {place}");
            }
        }
    }

    #[test]
    fn iban_and_vin_examples() {
        for iban_example in ["GB82WEST12345698765432", "DE89370400440532013000", "FR1420041010050500013M02606"] {
            assert!(iban(iban_example));
        }
        assert!(!iban("DE89370400440532013001") && !iban("DE8") && !iban("DE89 3704"));
        assert!(vin("1M8GDM9AXKP042788") && vin("11111111111111111"));
        assert!(!vin("1M8GDM9A0KP042788") && !vin("short"));
    }
}
