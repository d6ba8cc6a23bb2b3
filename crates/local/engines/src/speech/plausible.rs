//! Tells words from what a recogniser hears in music: it always finds some word, drawn out over
//! seconds of sound.

use pocketsphinx::Word;

/// Letters of a second of sound: read speech has 10 to 14, dictation 8; words found in music had 2 to 5.
const FEWEST_LETTERS_A_SECOND: f64 = 6.0;

/// Below this much sound a single short word may be all there is.
const SHORTEST_MUSIC_SECONDS: f64 = 1.5;

/// No word takes longer for each of its letters.
const SLOWEST_SECONDS_A_LETTER: f64 = 0.35;

/// A short word may be drawn out to this and still be one.
const LONGEST_SHORT_WORD_SECONDS: f64 = 1.0;

/// Mean posterior below which an utterance is a guess as a whole.
const LEAST_MEAN_CONFIDENCE: f64 = 0.15;

/// The words that can have been spoken in `sound_seconds` of sound (silence not counted); none where
/// the utterance as a whole cannot.
pub(super) fn spoken(words: Vec<Word>, sound_seconds: f64) -> Vec<Word> {
    let letters: f64 = words.iter().map(letters_of).sum();
    let believed: f64 = words.iter().map(|word| word.confidence * letters_of(word)).sum();
    let is_music = sound_seconds >= SHORTEST_MUSIC_SECONDS && letters < FEWEST_LETTERS_A_SECOND * sound_seconds;
    if is_music || believed < LEAST_MEAN_CONFIDENCE * letters {
        return Vec::new();
    }
    words.into_iter().filter(is_word).collect()
}

fn is_word(word: &Word) -> bool {
    length(word) <= (SLOWEST_SECONDS_A_LETTER * letters_of(word)).max(LONGEST_SHORT_WORD_SECONDS)
}

fn length(word: &Word) -> f64 {
    word.end - word.start
}

#[expect(clippy::cast_precision_loss, reason = "a word has far fewer letters than 2^52")]
fn letters_of(word: &Word) -> f64 {
    word.text.chars().count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, start: f64, end: f64) -> Word {
        Word { text: text.to_owned(), start, end, confidence: 0.9 }
    }

    #[test]
    fn speech_stays() {
        let said = vec![word("cold", 1.61, 1.99), word("hearted", 1.99, 2.47), word("and", 2.47, 2.63)];
        assert_eq!(spoken(said.clone(), 1.0), said);
        assert_eq!(spoken(vec![word("yes", 0.2, 0.9)], 0.7).len(), 1);
    }

    #[test]
    fn few_words_in_much_sound_are_music() {
        let heard = || vec![word("good", 0.57, 1.24), word("and", 1.25, 2.11), word("it's", 2.11, 2.24)];
        assert_eq!(spoken(heard(), 2.8), []);
        assert_eq!(spoken(heard(), 1.2).len(), 3);
    }

    #[test]
    fn one_drawn_out_word_among_others_goes_alone() {
        let said = vec![
            word("and", 0.0, 0.2),
            word("consequently", 0.2, 0.9),
            word("up", 1.0, 2.2),
            word("everything", 2.2, 2.9),
        ];
        let left = spoken(said, 2.9);
        assert_eq!(
            left.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(),
            ["and", "consequently", "everything"]
        );
    }

    #[test]
    fn guesses_are_not_reported() {
        let guess = |text: &str, start: f64| Word { confidence: 0.02, ..word(text, start, start + 0.3) };
        assert_eq!(spoken(vec![guess("maybe", 0.0), guess("other", 0.3)], 0.6), []);
    }
}
