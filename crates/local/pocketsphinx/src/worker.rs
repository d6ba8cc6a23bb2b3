//! The worker's side of the pipe: utterances in, one JSON line each out.
//!
//! A request is a little-endian `u32` count of samples and then the samples (`s16le`, 16 kHz, mono).
//! The first line out is a [`Hello`], each following one an [`Answer`]. The end of the input ends the
//! worker. It refuses utterances above [`MAX_SAMPLES`].

use std::io::{self, BufReader, Read, Write};

use serde::{Deserialize, Serialize};

use crate::{Decoder, ENGINE, Error, Model, SAMPLE_RATE, Word};

/// Longest utterance: a minute. Callers cut well below that.
pub const MAX_SAMPLES: u32 = 60 * SAMPLE_RATE;

/// The first line: which engine is ready, or why it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hello {
    /// Name and version of the engine.
    Ready(String),
    /// What is missing.
    Failed(String),
}

/// What one utterance gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The words.
    Words(Vec<Word>),
    /// Why there are none.
    Failed(String),
}

/// Serves until the input ends.
///
/// # Errors
/// When a pipe breaks or a request is too large.
pub fn serve(model: &Model, input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut decoder = match Decoder::open(model) {
        Ok(decoder) => decoder,
        Err(error) => return write_line(&mut output, &Hello::Failed(describe(&error))),
    };
    write_line(&mut output, &Hello::Ready(ENGINE.to_owned()))?;
    while let Some(samples) = read_request(&mut input)? {
        let answer = decoder.decode(&samples).map_or_else(|error| Answer::Failed(describe(&error)), Answer::Words);
        write_line(&mut output, &answer)?;
    }
    Ok(())
}

/// Writes one request.
///
/// # Errors
/// When the pipe breaks or the utterance is too long.
pub fn write_request(mut output: impl Write, samples: &[i16]) -> io::Result<()> {
    let count = u32::try_from(samples.len()).ok().filter(|count| *count <= MAX_SAMPLES).ok_or_else(too_long)?;
    output.write_all(&count.to_le_bytes())?;
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    output.write_all(&bytes)?;
    output.flush()
}

fn read_request(input: &mut impl Read) -> io::Result<Option<Vec<i16>>> {
    let mut count = [0; 4];
    match input.read_exact(&mut count) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let count = u32::from_le_bytes(count);
    if count > MAX_SAMPLES {
        return Err(too_long());
    }
    let mut bytes = vec![0; 2 * count as usize];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()))
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the utterance is longer than a minute")
}

fn write_line(output: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    output.write_all(&text)?;
    output.flush()
}

fn describe(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_there_and_back() {
        let mut pipe = Vec::new();
        write_request(&mut pipe, &[1, -2, i16::MAX]).unwrap();
        let mut input = pipe.as_slice();
        assert_eq!(read_request(&mut input).unwrap(), Some(vec![1, -2, i16::MAX]));
        assert_eq!(read_request(&mut input).unwrap(), None);
    }

    #[test]
    fn oversized_and_cut_requests_are_errors() {
        assert!(read_request(&mut [0xff; 4].as_slice()).is_err());
        assert!(read_request(&mut [2, 0, 0, 0, 1].as_slice()).is_err());
        assert!(write_request(Vec::new(), &vec![0; MAX_SAMPLES as usize + 1]).is_err());
    }

    #[test]
    fn a_missing_model_is_told_in_the_first_line() {
        let model = Model { acoustic: "/nowhere".to_owned(), ..Model::debian() };
        let mut output = Vec::new();
        serve(&model, [].as_slice(), &mut output).unwrap();
        let Hello::Failed(reason) = serde_json::from_slice(&output).unwrap() else { panic!("it cannot be ready") };
        assert!(reason.contains("pocketsphinx-en-us"), "{reason}");
    }
}
