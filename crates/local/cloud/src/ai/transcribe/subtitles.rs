//! Subtitle files: `WebVTT` (<https://www.w3.org/TR/webvtt1/>) and `SubRip`.

use engines::speech::{Transcript, Word};

use super::request::Subtitles;

/// Most characters of one subtitle: two lines of 42.
const MOST_CHARACTERS: usize = 84;

/// Longest time that one subtitle stands, in seconds.
const MOST_SECONDS: f64 = 7.0;

/// One subtitle file.
pub(super) struct File {
    pub(super) extension: &'static str,
    pub(super) content_type: &'static str,
    pub(super) text: String,
}

struct Cue {
    start: f64,
    end: f64,
    text: String,
}

/// One file for each format that was asked for.
pub(super) fn files(transcript: &Transcript, asked: &Subtitles) -> Vec<File> {
    let cues = cues(transcript);
    let first = asked.output_start_index.unwrap_or(0);
    let is_asked = |format: &str| asked.formats.iter().any(|asked| asked == format);
    let vtt = is_asked("vtt").then(|| File {
        extension: "vtt",
        content_type: "text/vtt",
        text: format!("WEBVTT\n\n{}", body(&cues, first, '.')),
    });
    let srt = is_asked("srt").then(|| File {
        extension: "srt",
        content_type: "application/x-subrip",
        text: body(&cues, first, ','),
    });
    vtt.into_iter().chain(srt).collect()
}

/// Words by utterance, cut where a subtitle would be too long.
fn cues(transcript: &Transcript) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    for utterance in &transcript.utterances {
        let mut is_first = true;
        for word in transcript.words_of(utterance) {
            match cues.last_mut().filter(|cue| !is_first && has_room(cue, word)) {
                Some(cue) => {
                    cue.text.push(' ');
                    cue.text.push_str(&word.text);
                    cue.end = word.end;
                }
                None => cues.push(Cue { start: word.start, end: word.end, text: word.text.clone() }),
            }
            is_first = false;
        }
    }
    cues
}

fn has_room(cue: &Cue, word: &Word) -> bool {
    cue.text.chars().count() + 1 + word.text.chars().count() <= MOST_CHARACTERS && word.end - cue.start <= MOST_SECONDS
}

fn body(cues: &[Cue], first: i64, decimal: char) -> String {
    let cue = |(index, cue): (i64, &Cue)| {
        format!("{index}\n{} --> {}\n{}\n", clock(cue.start, decimal), clock(cue.end, decimal), cue.text)
    };
    (first..).zip(cues).map(cue).collect::<Vec<_>>().join("\n")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates, and no time is negative"
)]
fn clock(seconds: f64, decimal: char) -> String {
    let milliseconds = (seconds * 1000.0).round() as u64;
    let (whole, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{:02}:{:02}:{:02}{decimal}{rest:03}", whole / 3600, whole / 60 % 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engines::speech::Utterance;

    fn transcript(count: u32) -> Transcript {
        let words: Vec<Word> = (0..count)
            .map(|index| Word {
                text: "letters".to_owned(),
                start: f64::from(index),
                end: f64::from(index) + 0.5,
                confidence: 1.0,
            })
            .collect();
        let utterance = Utterance { start: 0.0, end: f64::from(count), first_word: 0, word_count: words.len() };
        Transcript {
            engine: String::new(),
            duration_seconds: f64::from(count),
            words,
            utterances: vec![utterance],
            lost: Vec::new(),
        }
    }

    fn asked(formats: &[&str]) -> Subtitles {
        Subtitles { formats: formats.iter().map(|format| (*format).to_owned()).collect(), output_start_index: Some(1) }
    }

    #[test]
    fn each_format_has_its_own_clock() {
        let files = files(&transcript(2), &asked(&["srt", "vtt"]));
        let texts: Vec<&str> = files.iter().map(|file| file.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.500\nletters letters\n",
                "1\n00:00:00,000 --> 00:00:01,500\nletters letters\n",
            ]
        );
    }

    #[test]
    fn long_speech_is_cut_into_cues_that_can_be_read() {
        let cues = cues(&transcript(100));
        assert!(cues.iter().all(|cue| cue.end - cue.start <= MOST_SECONDS && cue.text.len() <= MOST_CHARACTERS));
        assert_eq!(cues.iter().map(|cue| cue.text.split(' ').count()).sum::<usize>(), 100);
    }

    #[test]
    fn an_hour_shows_on_the_clock() {
        assert_eq!(clock(3_723.045_6, ','), "01:02:03,046");
    }
}
