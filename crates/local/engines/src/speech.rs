//! Speech to text: any audio or video file → words with times and confidence.
//!
//! The sound is decoded and cut at silences as it streams, so a long recording is never held whole;
//! each utterance goes to a warm worker process. It knows English only, tells no speakers apart, and
//! refuses to report words where there is music.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::media::{self, MediaError};

mod plausible;
mod pool;
mod segmenter;

pub use pool::{Pool, PoolError, Settings};

/// The language of every transcript.
pub const LANGUAGE: &str = pocketsphinx::LANGUAGE;

/// Wall-clock seconds that one second of sound may take, waiting for a worker not counted: speech
/// takes half a second on one core, music one and a half; the rest is for a busy machine.
const WALL_PER_SECOND: f64 = 20.0;

/// Longest recording: Transcribe's limit of four hours.
pub const MAX_SECONDS: f64 = 4.0 * 3600.0;

/// One word; times are seconds from the start of the recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Word {
    /// The word, in lower case.
    pub text: String,
    /// Where it begins.
    pub start: f64,
    /// Where it ends.
    pub end: f64,
    /// 0 to 1, the engine's posterior.
    pub confidence: f64,
}

/// What was spoken between two silences.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Utterance {
    /// Where the sound begins.
    pub start: f64,
    /// Where the sound ends.
    pub end: f64,
    /// Index of the first word in [`Transcript::words`].
    pub first_word: usize,
    /// Number of words, one at least.
    pub word_count: usize,
}

/// A recording in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transcript {
    /// Which engines gave it.
    pub engine: String,
    /// Length of the decoded sound.
    pub duration_seconds: f64,
    /// All words in order.
    pub words: Vec<Word>,
    /// Runs of words between silences.
    pub utterances: Vec<Utterance>,
    /// Utterances that a worker crashed or ran out of time on, as start and end.
    pub lost: Vec<(f64, f64)>,
}

/// Why there is no transcript.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The file gave no sound.
    #[error("failed to get sound from the media file")]
    Media(#[from] MediaError),
    /// No worker could be had.
    #[error("failed to recognise speech")]
    Pool(#[from] PoolError),
    /// Longer than [`MAX_SECONDS`].
    #[error("failed to accept the recording: longer than 4 hours")]
    TooLong,
    /// Told to stop.
    #[error("failed to finish the recording: told to stop")]
    Stopped,
}

/// The engine: a pool of workers and a place for temporary files.
#[derive(Debug)]
pub struct Speech {
    pool: Pool,
    scratch: PathBuf,
}

impl Speech {
    /// Makes the pool; workers start when they are first needed.
    #[must_use]
    pub fn new(settings: Settings, scratch: &Path) -> Self {
        Self { pool: Pool::new(settings), scratch: scratch.to_owned() }
    }

    /// Finds the decoder and starts a worker, so that what is missing is known before a job begins.
    ///
    /// # Errors
    /// When a tool, the library or the model is not installed; the message says what to install.
    pub fn ready(&self) -> Result<(), SpeechError> {
        media::engine(&self.scratch).map_err(MediaError::Tool)?;
        Ok(self.pool.warm()?)
    }

    /// Recognises the speech in a file. Between utterances it looks at `stop`, and ends when it is set.
    ///
    /// # Errors
    /// When the file gives no sound, no worker can be started, or it was told to stop.
    pub fn transcribe(&self, file: &Path, stop: &AtomicBool) -> Result<Transcript, SpeechError> {
        let info = media::inspect(file, &self.scratch)?;
        if info.audio_channels.is_none() {
            return Err(MediaError::NoAudio.into());
        }
        let seconds = info.duration_seconds.unwrap_or(MAX_SECONDS);
        if seconds > MAX_SECONDS {
            return Err(SpeechError::TooLong);
        }
        self.listen(file, Duration::from_secs_f64(60.0 + seconds * WALL_PER_SECOND), stop)
    }

    fn listen(&self, file: &Path, wall: Duration, stop: &AtomicBool) -> Result<Transcript, SpeechError> {
        let mut transcript = Transcript {
            engine: pocketsphinx::ENGINE.to_owned(),
            duration_seconds: 0.0,
            words: Vec::new(),
            utterances: Vec::new(),
            lost: Vec::new(),
        };
        let mut segmenter = segmenter::Segmenter::default();
        media::decode(file, &self.scratch, wall, |samples| {
            if stop.load(Ordering::Relaxed) {
                return Err(SpeechError::Stopped);
            }
            segmenter.push(samples);
            while let Some(piece) = segmenter.next_utterance() {
                self.recognise(&piece, &mut transcript)?;
            }
            if segmenter.seconds() > MAX_SECONDS { Err(SpeechError::TooLong) } else { Ok(()) }
        })?;
        if let Some(piece) = segmenter.finish() {
            self.recognise(&piece, &mut transcript)?;
        }
        transcript.duration_seconds = segmenter.seconds();
        Ok(transcript)
    }

    fn recognise(&self, piece: &segmenter::Piece, transcript: &mut Transcript) -> Result<(), SpeechError> {
        let (start, end) = (piece.start_seconds(), piece.end_seconds());
        let words = match self.pool.decode(&piece.samples) {
            Ok(words) => plausible::spoken(words, piece.sound_seconds()),
            Err(PoolError::Utterance) => {
                transcript.lost.push((start, end));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if !words.is_empty() {
            transcript.utterances.push(Utterance {
                start,
                end,
                first_word: transcript.words.len(),
                word_count: words.len(),
            });
        }
        transcript.words.extend(words.into_iter().map(|word| moved(word, start)));
        Ok(())
    }
}

impl Transcript {
    /// The words of an utterance.
    #[must_use]
    pub fn words_of(&self, utterance: &Utterance) -> &[Word] {
        &self.words[utterance.first_word..utterance.first_word + utterance.word_count]
    }

    /// The whole text, words joined by single spaces.
    #[must_use]
    pub fn text(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

fn moved(word: pocketsphinx::Word, offset: f64) -> Word {
    let pocketsphinx::Word { text, start, end, confidence } = word;
    // To the millisecond: sums of hundredths would otherwise show their binary tails.
    let at = |seconds: f64| ((seconds + offset) * 1000.0).round() / 1000.0;
    Word { text, start: at(start), end: at(end), confidence }
}
