//! Audio out of any audio or video file, by the `ffmpeg` commands.
//!
//! Only containers that hold their own streams are opened: a playlist could name other files of this
//! machine. Nothing is fetched.

use std::io::Read;
use std::path::Path;
use std::process::ChildStdout;
use std::time::Duration;

use serde::Deserialize;

use crate::command::{self, CommandError, Invocation, Limits, Tool, arguments};

const FFMPEG: Tool = Tool { program: "ffmpeg", package: "ffmpeg" };
const FFPROBE: Tool = Tool { program: "ffprobe", package: "ffmpeg" };

/// Demuxers that read one file and nothing else (no `hls`, `concat`, `dash`, `image2`).
const CONTAINERS: &str = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,gsm,matroska,webm,matroska,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mpegvideo,mxf,ogg,rm,tta,voc,w64,wav,wv";

/// What is known about a media file before it is decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// Length in seconds; `None` where the container does not tell.
    pub duration_seconds: Option<f64>,
    /// The container's name.
    pub container: String,
    /// Channels of the first audio stream; `None` without one.
    pub audio_channels: Option<u32>,
    /// Samples a second of the first audio stream.
    pub sample_rate: Option<u32>,
    /// Whether there is a moving picture (cover art does not count).
    pub has_video: bool,
}

/// Why a media file gave no sound.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// It is no media file, or damaged.
    #[error("failed to read the media file: {0}")]
    Damaged(String),
    /// It holds no audio stream.
    #[error("failed to find an audio stream in the media file")]
    NoAudio,
    /// The tool is missing or passed its bounds.
    #[error("failed to read the media file")]
    Tool(#[source] CommandError),
    /// The decoded samples could not be read.
    #[error("failed to read the decoded samples")]
    Io(#[from] std::io::Error),
}

impl From<CommandError> for MediaError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Failed { complaint, .. } => Self::Damaged(without_path(&complaint)),
            other => Self::Tool(other),
        }
    }
}

/// Name and version of the decoder.
///
/// # Errors
/// When it is not installed.
pub fn engine(scratch: &Path) -> Result<String, CommandError> {
    let line = command::version_line(FFMPEG, "-version", scratch)?;
    let version = line.split_whitespace().nth(2).unwrap_or_default();
    Ok(format!("ffmpeg {version}"))
}

/// Looks at the headers of a media file.
///
/// # Errors
/// When it is none, or damaged.
pub fn inspect(file: &Path, scratch: &Path) -> Result<Info, MediaError> {
    let mut list = arguments([
        "-v",
        "error",
        "-show_entries",
        "stream=codec_type,channels,sample_rate:stream_disposition=attached_pic:format=duration,format_name",
        "-of",
        "json",
    ]);
    list.extend(input(file)?);
    let limits = Limits { output_bytes: 1 << 20, ..Limits::seconds(60) };
    let probed = command::run(&Invocation { tool: FFPROBE, arguments: list, directory: scratch, limits })?;
    let probed: Probed =
        serde_json::from_slice(&probed.stdout).map_err(|error| MediaError::Damaged(error.to_string()))?;
    Ok(probed.into())
}

/// Decodes the first audio stream to 16 kHz mono samples and hands them on as they come, in pieces of
/// at most [`PIECE_SAMPLES`]. `wall` bounds decoding and consuming together.
///
/// # Errors
/// When there is no audio, the file is damaged, or `consume` fails.
pub fn decode<E>(
    file: &Path,
    scratch: &Path,
    wall: Duration,
    mut consume: impl FnMut(&[i16]) -> Result<(), E>,
) -> Result<(), E>
where
    E: From<MediaError>,
{
    let mut list = arguments(["-v", "error", "-nostdin", "-threads", "1"]);
    list.extend(input(file).map_err(E::from)?);
    list.extend(arguments(["-map", "0:a:0", "-vn", "-ac", "1", "-ar", "16000", "-f", "s16le", "pipe:1"]));
    let limits = Limits { wall, ..Limits::seconds(wall.as_secs()) };
    let invocation = Invocation { tool: FFMPEG, arguments: list, directory: scratch, limits };
    let streamed = command::stream(&invocation, |out| forward(out, &mut consume).map_err(Failure::Consumer));
    streamed.map(drop).map_err(|failure| match failure {
        Failure::Tool(error) => no_audio(error).into(),
        Failure::Consumer(Forward::Consumer(error)) => error,
        Failure::Consumer(Forward::Io(error)) => MediaError::Io(error).into(),
    })
}

/// Samples in a piece: half a second.
pub const PIECE_SAMPLES: usize = 8_000;

enum Failure<E> {
    Tool(CommandError),
    Consumer(Forward<E>),
}

enum Forward<E> {
    Io(std::io::Error),
    Consumer(E),
}

impl<E> From<CommandError> for Failure<E> {
    fn from(error: CommandError) -> Self {
        Self::Tool(error)
    }
}

fn forward<E>(out: &mut ChildStdout, consume: &mut impl FnMut(&[i16]) -> Result<(), E>) -> Result<(), Forward<E>> {
    let mut bytes = Vec::with_capacity(2 * PIECE_SAMPLES);
    loop {
        bytes.clear();
        out.take(2 * PIECE_SAMPLES as u64).read_to_end(&mut bytes).map_err(Forward::Io)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let samples: Vec<i16> = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        consume(&samples).map_err(Forward::Consumer)?;
    }
}

fn input(file: &Path) -> Result<Vec<std::ffi::OsString>, MediaError> {
    let mut path = std::ffi::OsString::from("file:");
    path.push(std::path::absolute(file)?);
    let mut list = arguments(["-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS, "-i"]);
    list.push(path);
    Ok(list)
}

fn no_audio(error: CommandError) -> MediaError {
    match error {
        CommandError::Failed { complaint, .. } if complaint.contains("matches no streams") => MediaError::NoAudio,
        other => other.into(),
    }
}

/// The tools begin a complaint with the file's path, which says nothing to the reader.
fn without_path(complaint: &str) -> String {
    complaint.rsplit(": ").next().unwrap_or(complaint).to_owned()
}

#[derive(Deserialize)]
struct Probed {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Option<Container>,
}

#[derive(Deserialize)]
struct Stream {
    codec_type: Option<String>,
    channels: Option<u32>,
    sample_rate: Option<String>,
    #[serde(default)]
    disposition: Disposition,
}

#[derive(Default, Deserialize)]
struct Disposition {
    #[serde(default)]
    attached_pic: u8,
}

#[derive(Deserialize)]
struct Container {
    duration: Option<String>,
    format_name: Option<String>,
}

impl From<Probed> for Info {
    fn from(probed: Probed) -> Self {
        let is = |stream: &&Stream, kind: &str| stream.codec_type.as_deref() == Some(kind);
        let audio = probed.streams.iter().find(|stream| is(stream, "audio"));
        let has_video =
            probed.streams.iter().any(|stream| is(&stream, "video") && stream.disposition.attached_pic == 0);
        let duration = probed.format.as_ref().and_then(|format| format.duration.as_deref()?.parse().ok());
        Self {
            duration_seconds: duration.filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0),
            container: probed.format.and_then(|format| format.format_name).unwrap_or_default(),
            audio_channels: audio.and_then(|stream| stream.channels),
            sample_rate: audio.and_then(|stream| stream.sample_rate.as_deref()?.parse().ok()),
            has_video,
        }
    }
}

#[cfg(test)]
mod tests;
