//! What Transcribe takes: formats by media type, and how long a recording lasts where its header says.
//!
//! <https://docs.aws.amazon.com/transcribe/latest/dg/how-input.html>

use aws_sdk_transcribe::types::MediaFormat;

/// The first bytes in which a WAV or FLAC header says how long the recording lasts.
pub(super) const HEADER_BYTES: u64 = 4096;

/// Transcribe's name for a media type; other formats it does not take.
pub(super) fn format(media_type: &str) -> Option<MediaFormat> {
    match media_type {
        "audio/amr" | "audio/amr-wb" => Some(MediaFormat::Amr),
        "audio/flac" | "audio/x-flac" => Some(MediaFormat::Flac),
        "audio/mp4" | "audio/m4a" | "audio/x-m4a" => Some(MediaFormat::M4A),
        "audio/mpeg" | "audio/mp3" | "audio/x-mp3" => Some(MediaFormat::Mp3),
        "video/mp4" | "video/x-m4v" => Some(MediaFormat::Mp4),
        "audio/ogg" | "audio/opus" | "audio/vorbis" => Some(MediaFormat::Ogg),
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Some(MediaFormat::Wav),
        "audio/webm" | "video/webm" => Some(MediaFormat::Webm),
        _ => None,
    }
}

/// How long the recording lasts, by the header in its first bytes; unknown for other formats.
pub(super) fn seconds(head: &[u8], size_bytes: u64) -> Option<f64> {
    match head.get(..4)? {
        b"RIFF" => wav_seconds(head, size_bytes),
        b"fLaC" => flac_seconds(head),
        _ => None,
    }
}

/// Size of the data by the average bytes a second: <http://soundfile.sapp.org/doc/WaveFormat/>.
fn wav_seconds(head: &[u8], size_bytes: u64) -> Option<f64> {
    let mut at = 12;
    let mut bytes_a_second = None;
    loop {
        let id = head.get(at..at + 4)?;
        let size = little_endian(head, at + 4)?;
        let start = at + 8;
        match id {
            b"fmt " => bytes_a_second = little_endian(head, start + 8).filter(|rate| *rate > 0),
            b"data" => {
                // A recorder that wrote to a pipe could not go back and leaves 0 or the highest number.
                let there = size_bytes.saturating_sub(start as u64);
                let data = if size == 0 { there } else { u64::from(size).min(there) };
                return Some(ratio(data, u64::from(bytes_a_second?)));
            }
            _ => {}
        }
        let padded = usize::try_from(size).ok()?.checked_add(usize::try_from(size % 2).ok()?)?;
        at = start.checked_add(padded)?;
    }
}

fn little_endian(head: &[u8], at: usize) -> Option<u32> {
    let bytes = head.get(at..at.checked_add(4)?)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

/// Samples by the sample rate, from STREAMINFO: <https://www.rfc-editor.org/rfc/rfc9639#section-8.2>.
fn flac_seconds(head: &[u8]) -> Option<f64> {
    let packed: [u8; 8] = head.get(18..26)?.try_into().ok()?;
    let packed = u64::from_be_bytes(packed);
    let (rate, samples) = (packed >> 44, packed & 0xF_FFFF_FFFF);
    (rate > 0 && samples > 0).then(|| ratio(samples, rate))
}

#[expect(clippy::cast_precision_loss, reason = "sizes stay below 2^52")]
fn ratio(whole: u64, rate: u64) -> f64 {
    whole as f64 / rate as f64
}
