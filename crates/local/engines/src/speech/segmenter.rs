//! Cuts a stream of samples into utterances at silences.
//!
//! It holds one utterance at most. Loudness is judged against the quietest sound heard lately, so
//! that a noisy room has silences too.

use pocketsphinx::SAMPLE_RATE;

/// Samples in a frame: 20 ms.
const FRAME: usize = SAMPLE_RATE as usize / 50;

/// Frames in a second.
const FRAMES_PER_SECOND: usize = 50;

/// An utterance this long ends at the next long silence; shorter ones give the recogniser no context.
const SHORTEST_FRAMES: usize = 2 * FRAMES_PER_SECOND;

/// An utterance this long ends at the next short silence.
const LONG_FRAMES: usize = 10 * FRAMES_PER_SECOND;

/// An utterance this long ends at the quietest frame of its second half.
const LONGEST_FRAMES: usize = 18 * FRAMES_PER_SECOND;

/// A long silence: between sentences, 0.5 s.
const LONG_SILENCE_FRAMES: usize = 25;

/// A short silence: between phrases, 0.16 s.
const SHORT_SILENCE_FRAMES: usize = 8;

/// Silence kept before a sound, 0.2 s: consonants begin quietly.
const LEAD_FRAMES: usize = 10;

/// Below this root mean square nothing can be understood, however quiet the room.
const LEAST_LOUDNESS: f64 = 40.0;

/// How much louder than the room a sound is: 6 dB, so that speech over quiet music still is one.
const ABOVE_ROOM: f64 = 2.0;

/// How fast the idea of the room's loudness rises where no frame is quiet: doubles in ten seconds.
const ROOM_RISES: f64 = 1.0014;

/// Part of the room's loudness that a first frame sets: it may be speech already.
const FIRST_ROOM: f64 = 0.25;

/// One utterance.
#[derive(Debug, PartialEq)]
pub(super) struct Piece {
    /// Index of the first sample in the recording.
    pub(super) first_sample: u64,
    pub(super) samples: Vec<i16>,
    /// Frames that are not silent.
    sound_frames: usize,
}

#[expect(clippy::cast_precision_loss, reason = "four hours have 2^28 samples")]
impl Piece {
    pub(super) fn start_seconds(&self) -> f64 {
        self.first_sample as f64 / f64::from(SAMPLE_RATE)
    }

    pub(super) fn end_seconds(&self) -> f64 {
        (self.first_sample + self.samples.len() as u64) as f64 / f64::from(SAMPLE_RATE)
    }

    /// Seconds that are not silent.
    pub(super) fn sound_seconds(&self) -> f64 {
        self.sound_frames as f64 / FRAMES_PER_SECOND as f64
    }
}

#[derive(Debug, Default)]
pub(super) struct Segmenter {
    /// Samples not yet given out; the first is number `first_sample`.
    held: Vec<i16>,
    first_sample: u64,
    /// Loudness of each whole frame of `held`, and whether it is a sound.
    frames: Vec<(f64, bool)>,
    room: Option<f64>,
}

impl Segmenter {
    pub(super) fn push(&mut self, samples: &[i16]) {
        self.held.extend_from_slice(samples);
        let known = self.frames.len() * FRAME;
        let loudness: Vec<f64> = self.held[known..].chunks_exact(FRAME).map(root_mean_square).collect();
        for loud in loudness {
            let frame = (loud, self.is_sound(loud));
            self.frames.push(frame);
        }
    }

    /// The next whole utterance, where there is one.
    pub(super) fn next_utterance(&mut self) -> Option<Piece> {
        self.skip_silence();
        let length = self.cut()?;
        Some(self.take(length * FRAME))
    }

    /// What is left at the end of the recording, where there is a sound in it.
    pub(super) fn finish(&mut self) -> Option<Piece> {
        self.skip_silence();
        let is_sound = self.frames.iter().any(|(_, sound)| *sound);
        let rest = self.take(self.held.len());
        is_sound.then_some(rest)
    }

    /// Seconds pushed so far.
    #[expect(clippy::cast_precision_loss, reason = "four hours have 2^28 samples")]
    pub(super) fn seconds(&self) -> f64 {
        (self.first_sample + self.held.len() as u64) as f64 / f64::from(SAMPLE_RATE)
    }

    fn is_sound(&mut self, loud: f64) -> bool {
        let room = self.room.map_or(loud * FIRST_ROOM, |room| (room * ROOM_RISES).min(loud)).max(1.0);
        self.room = Some(room);
        loud > (room * ABOVE_ROOM).max(LEAST_LOUDNESS)
    }

    /// Drops silent frames at the start, but for a short lead.
    fn skip_silence(&mut self) {
        let silent = self.frames.iter().take_while(|(_, sound)| !sound).count();
        let dropped = silent.saturating_sub(LEAD_FRAMES);
        if dropped > 0 {
            self.take(dropped * FRAME);
        }
    }

    /// Where the utterance ends, in frames.
    fn cut(&self) -> Option<usize> {
        let mut silence = 0;
        for (index, (_, sound)) in self.frames.iter().enumerate().take(LONGEST_FRAMES) {
            silence = if *sound { 0 } else { silence + 1 };
            let length = index + 1;
            let long_enough = silence >= LONG_SILENCE_FRAMES && length >= SHORTEST_FRAMES;
            let overdue = silence >= SHORT_SILENCE_FRAMES && length >= LONG_FRAMES;
            if long_enough || overdue {
                return Some(length);
            }
        }
        (self.frames.len() >= LONGEST_FRAMES).then(|| self.quietest())
    }

    fn quietest(&self) -> usize {
        let half = LONGEST_FRAMES / 2;
        let second_half = self.frames[half..LONGEST_FRAMES].iter().enumerate();
        let quietest = second_half.min_by(|a, b| a.1.0.total_cmp(&b.1.0));
        quietest.map_or(LONGEST_FRAMES, |(index, _)| half + index + 1)
    }

    fn take(&mut self, samples: usize) -> Piece {
        let frames = (samples / FRAME).min(self.frames.len());
        let sound_frames = self.frames.drain(..frames).filter(|(_, sound)| *sound).count();
        let piece =
            Piece { first_sample: self.first_sample, samples: self.held.drain(..samples).collect(), sound_frames };
        self.first_sample += samples as u64;
        piece
    }
}

#[expect(clippy::cast_precision_loss, reason = "a frame has 320 samples")]
fn root_mean_square(frame: &[i16]) -> f64 {
    let sum: f64 = frame.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / frame.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tenths of a second of sound (positive) and silence (negative), one after the other.
    fn recording(tenths: &[i32]) -> Vec<i16> {
        let part = |length: &i32| {
            let count = length.unsigned_abs() * SAMPLE_RATE / 10;
            let level: i16 = if *length > 0 { 3000 } else { 5 };
            (0..count).map(move |index| if index % 2 == 0 { level } else { -level })
        };
        tenths.iter().flat_map(part).collect()
    }

    fn pieces(samples: &[i16]) -> (Vec<(f64, f64)>, f64) {
        let mut segmenter = Segmenter::default();
        let mut pieces = Vec::new();
        for part in samples.chunks(8000) {
            segmenter.push(part);
            while let Some(piece) = segmenter.next_utterance() {
                pieces.push(piece);
            }
        }
        pieces.extend(segmenter.finish());
        (pieces.iter().map(|piece| (piece.start_seconds(), piece.end_seconds())).collect(), segmenter.seconds())
    }

    #[test]
    fn sounds_are_cut_at_silences_with_their_offsets() {
        let (found, total) = pieces(&recording(&[-10, 30, -10, 40, -20]));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!((found[0].0 - 0.8).abs() < 0.05 && (found[1].0 - 4.8).abs() < 0.05, "{found:?}");
        assert!((total - 11.0).abs() < 1e-9, "{total}");
    }

    #[test]
    fn short_pauses_do_not_part_an_utterance() {
        assert_eq!(pieces(&recording(&[-5, 10, -2, 10, -2, 10])).0.len(), 1);
    }

    #[test]
    fn endless_sound_is_cut_all_the_same_and_nothing_is_lost() {
        let mut samples = recording(&[-2]);
        samples.extend(recording(&[1000]));
        // Voices dip a little all the time, for less than a pause.
        samples
            .iter_mut()
            .skip(3200)
            .enumerate()
            .filter(|(index, _)| index % 16_000 < 960)
            .for_each(|(_, sample)| *sample /= 3);
        let (found, total) = pieces(&samples);
        assert!(found.iter().all(|(start, end)| end - start <= 18.0), "{found:?}");
        assert!(found.windows(2).all(|pair| (pair[0].1 - pair[1].0).abs() < 1e-9), "{found:?}");
        assert!((found.last().unwrap().1 - total).abs() < 1e-9);
    }

    #[test]
    fn silence_gives_nothing() {
        assert_eq!(pieces(&recording(&[-300])).0, []);
        assert_eq!(pieces(&vec![0; 100_000]).0, []);
        assert_eq!(pieces(&[]).0, []);
    }

    #[test]
    fn a_scrap_at_the_end_is_not_lost() {
        let (found, _) = pieces(&recording(&[-5, 7]));
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
