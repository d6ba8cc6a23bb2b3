//! Numbers of bytes as people type and read them: `500`, `10K`, `3M`; a K is 1,024.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const UNITS: [(char, u64); 4] = [('K', 1 << 10), ('M', 1 << 20), ('G', 1 << 30), ('T', 1 << 40)];

/// A number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Size(pub(crate) u64);

/// Why a size cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("write a number of bytes, such as 500, 10K, 3M or 1G")]
pub(crate) struct SizeError;

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let upper = text.to_ascii_uppercase();
        let plain = upper.strip_suffix("IB").or_else(|| upper.strip_suffix('B')).unwrap_or(&upper);
        let unit = UNITS.iter().find_map(|(unit, bytes)| Some((plain.strip_suffix(*unit)?, *bytes)));
        let (number, bytes) = unit.unwrap_or((plain, 1));
        let number: u64 = number.parse().map_err(|_| SizeError)?;
        number.checked_mul(bytes).map(Self).ok_or(SizeError)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().rev().find(|(_, bytes)| self.0 >= *bytes) {
            Some((unit, bytes)) => {
                let (whole, rest) = (self.0 / bytes, self.0 % bytes);
                write!(f, "{whole}.{} {unit}iB", rest * 10 / bytes)
            }
            None => write!(f, "{} B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        let cases = [
            ("500", 500, "500 B"),
            ("10k", 10_240, "10.0 KiB"),
            ("3MiB", 3 << 20, "3.0 MiB"),
            ("1G", 1 << 30, "1.0 GiB"),
        ];
        for (text, bytes, shown) in cases {
            let size: Size = text.parse().unwrap();
            assert_eq!((size, size.to_string().as_str()), (Size(bytes), shown), "{text}");
        }
        assert_eq!(Size(1_600).to_string(), "1.5 KiB");
        for text in ["", "K", "-1", "1.5M", "99999999999T", "ten"] {
            assert_eq!(text.parse::<Size>(), Err(SizeError), "{text}");
        }
    }
}
