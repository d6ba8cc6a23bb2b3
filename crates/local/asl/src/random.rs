//! Randomness that is not the caller's own: sequences from a seed, and what is made of numbers.
//!
//! The service runs on Java, and its seeded functions give what `java.util.Random` gives:
//! <https://docs.oracle.com/javase/8/docs/api/java/util/Random.html>.

/// The sequence of `java.util.Random` for a seed.
#[derive(Debug)]
pub(crate) struct JavaRandom(u64);

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

impl JavaRandom {
    pub(crate) fn new(seed: i64) -> Self {
        Self((seed.cast_unsigned() ^ MULTIPLIER) & MASK)
    }

    /// The next bits, at most 32 of them.
    fn bits(&mut self, count: u32) -> u32 {
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        u32::try_from(self.0 >> (48 - count)).expect("at most 32 bits are asked for")
    }

    /// The next whole number from 0 up to the bound, which is positive.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        if bound.is_power_of_two() {
            let scaled = u64::from(bound) * u64::from(self.bits(31));
            return u32::try_from(scaled >> 31).expect("a fraction of the bound");
        }
        // Numbers above the last whole multiple of the bound would favour small results.
        let last = (1_u32 << 31) - (1_u32 << 31) % bound;
        loop {
            let bits = self.bits(31);
            if bits < last {
                return bits % bound;
            }
        }
    }

    /// The next number in `0.0..1.0`.
    pub(crate) fn fraction(&mut self) -> f64 {
        let (high, low) = (f64::from(self.bits(26)), f64::from(self.bits(27)));
        high.mul_add(134_217_728.0, low) / 9_007_199_254_740_992.0
    }
}

/// A version 4 UUID from numbers in `0.0..1.0`.
pub(crate) fn uuid(random: &mut dyn FnMut() -> f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of 65,536 fits 16 bits")]
    let mut word = || (random().clamp(0.0, 0.999_999) * 65_536.0) as u16;
    let words: [u16; 8] = std::array::from_fn(|_| word());
    let (version, variant) = (0x4000 | (words[3] & 0x0fff), 0x8000 | (words[4] & 0x3fff));
    format!(
        "{:04x}{:04x}-{:04x}-{version:04x}-{variant:04x}-{:04x}{:04x}{:04x}",
        words[0], words[1], words[2], words[5], words[6], words[7]
    )
}

#[cfg(test)]
mod tests {
    use super::JavaRandom;

    #[test]
    fn a_seed_gives_the_sequence_of_java() {
        let mut random = JavaRandom::new(42);
        let found = [random.fraction(), random.fraction()].map(|fraction| fraction.to_string());
        assert_eq!(found, ["0.7275636800328681", "0.6832234717598454"]);
        let mut random = JavaRandom::new(42);
        assert_eq!([random.below(10), random.below(10), random.below(10)], [0, 3, 8]);
    }
}
