//! Sound and moving pictures, and the pictures that share their containers (RIFF, ISO media).

use super::{Detection, Problem, Sample};

/// The media type of a media container or a raw stream.
pub(super) fn detect(sample: &Sample<'_>) -> Option<Detection> {
    let head = sample.head;
    match head {
        [b'R', b'I', b'F', b'F' | b'X', ..] | [b'R', b'F', b'6', b'4', ..] => riff(sample),
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => Some(Detection::of("audio/aiff")),
        [b'O', b'g', b'g', b'S', ..] => Some(Detection::of(ogg(head))),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(Detection::of(matroska(head))),
        [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] => Some(Detection::of(asf(head))),
        [0, 0, _, _, b'f', b't', b'y', b'p', ..] => Some(Detection::of(iso(sample))),
        _ => plain(head).map(Detection::of),
    }
}

fn plain(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [b'I', b'D', b'3', 2..=4, ..] => tagged(head),
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [b'#', b'!', b'A', b'M', b'R', b'-', b'W', b'B', b'\n', ..] => "audio/amr-wb",
        [b'#', b'!', b'A', b'M', b'R', b'\n', ..] => "audio/amr",
        [b'M', b'T', b'h', b'd', 0, 0, 0, 6, ..] => "audio/midi",
        [b'.', b's', b'n', b'd', 0, 0, ..] => "audio/basic",
        [b'c', b'a', b'f', b'f', 0, 1, ..] => "audio/x-caf",
        [b'w', b'v', b'p', b'k', ..] => "audio/x-wavpack",
        [b'M', b'A', b'C', b' ', _, 0x0c..=0x10, ..] => "audio/x-ape",
        [b'F', b'L', b'V', 1, ..] => "video/x-flv",
        [0, 0, 1, 0xba | 0xb3, ..] => "video/mpeg",
        [0, _, _, _, b'm', b'o', b'o', b'v', ..]
        | [0, _, _, _, b'm', b'd', b'a', b't', ..]
        | [0, 0, 0, 8, b'w', b'i', b'd', b'e', ..] => "video/quicktime",
        _ if is_transport_stream(head) => "video/mp2t",
        _ if is_adts(head) => "audio/aac",
        _ if is_mpeg_audio(head) => "audio/mpeg",
        _ => return None,
    })
}

fn riff(sample: &Sample<'_>) -> Option<Detection> {
    Some(match sample.head.get(8..12)? {
        b"WAVE" => wave(sample),
        b"AVI " => Detection::of("video/x-msvideo"),
        b"WEBP" => Detection::of("image/webp"),
        b"RMID" => Detection::of("audio/midi"),
        b"CDR9" | b"CDRA" | b"CDRB" => Detection::of("application/vnd.corel-draw"),
        _ => return None,
    })
}

/// A WAVE file without a sample is damaged for good; only a whole file is judged.
fn wave(sample: &Sample<'_>) -> Detection {
    let reason = match chunks(sample.head) {
        Chunks { has_format: true, sound_bytes: Some(1..) } => return Detection::of("audio/wav"),
        _ if !sample.is_whole() => return Detection::of("audio/wav"),
        Chunks { has_format: false, .. } => "it does not say how its sound is coded",
        Chunks { sound_bytes: None, .. } => "it has no sound data",
        Chunks { .. } => "its sound data is empty",
    };
    Detection::with("audio/wav", Problem::Damaged(reason.to_owned()))
}

#[derive(Default)]
struct Chunks {
    has_format: bool,
    sound_bytes: Option<usize>,
}

fn chunks(head: &[u8]) -> Chunks {
    let mut found = Chunks::default();
    let is_big = head.starts_with(b"RIFX");
    let mut at = 12;
    while let (Some(id), Some(Ok(size))) = (head.get(at..at + 4), head.get(at + 4..at + 8).map(<[u8; 4]>::try_from)) {
        let size = if is_big { u32::from_be_bytes(size) } else { u32::from_le_bytes(size) } as usize;
        let there = size.min(head.len() - at - 8);
        match id {
            b"fmt " => found.has_format = there >= 14,
            b"data" => found.sound_bytes = Some(there),
            _ => {}
        }
        at = at.saturating_add(8).saturating_add(size).saturating_add(size & 1);
        if at >= head.len() {
            break;
        }
    }
    found
}

fn ogg(head: &[u8]) -> &'static str {
    let first_page = &head[..head.len().min(512)];
    let has = |word: &[u8]| first_page.windows(word.len()).any(|window| window == word);
    if has(b"OpusHead") {
        "audio/opus"
    } else if has(b"theora") || has(b"fishead\0") || has(b"BBCD\0") {
        "video/ogg"
    } else {
        "audio/ogg"
    }
}

fn matroska(head: &[u8]) -> &'static str {
    let start = &head[..head.len().min(4_096)];
    if start.windows(4).any(|four| four == b"webm") { "video/webm" } else { "video/x-matroska" }
}

/// The stream properties name the kind of each stream: with a video stream it is a film.
fn asf(head: &[u8]) -> &'static str {
    const VIDEO: &[u8] = &[0xc0, 0xef, 0x19, 0xbc, 0x4d, 0x5b, 0xcf, 0x11, 0xa8, 0xfd, 0, 0x80, 0x5f, 0x5c, 0x44, 0x2b];
    if head.windows(VIDEO.len()).any(|window| window == VIDEO) { "video/x-ms-wmv" } else { "audio/x-ms-wma" }
}

/// The major brand, and the compatible ones where it says nothing (`mif1`).
fn iso(sample: &Sample<'_>) -> &'static str {
    let head = sample.head;
    let size = head.get(0..4).and_then(|it| it.try_into().ok()).map_or(0, u32::from_be_bytes) as usize;
    let brands = head.get(8..size.clamp(12, 256).min(head.len())).unwrap_or_default();
    let mut kinds = brands.chunks_exact(4).enumerate().filter(|(index, _)| *index != 1).map(|(_, brand)| brand);
    let is_known = kinds.find_map(|brand| match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some("image/heic"),
        b"avif" | b"avis" => Some("image/avif"),
        b"M4A " | b"M4B " | b"M4P " => Some("audio/mp4"),
        b"qt  " => Some("video/quicktime"),
        b"M4V " | b"M4VH" | b"M4VP" => Some("video/x-m4v"),
        b"crx " => Some("image/x-canon-cr3"),
        [b'3', b'g', b'2', _] => Some("video/3gpp2"),
        [b'3', b'g', b'p' | b'e' | b's' | b'r', _] => Some("video/3gpp"),
        b"isom" | b"iso2" | b"mp41" | b"mp42" | b"avc1" | b"dash" | b"MSNV" | b"f4v " => Some("video/mp4"),
        b"jp2 " => Some("image/jp2"),
        _ => None,
    });
    let is_still = brands.chunks_exact(4).any(|brand| matches!(brand, b"mif1" | b"msf1"));
    match is_known.unwrap_or(if is_still { "image/heif" } else { "video/mp4" }) {
        "video/mp4" if is_sound_only(sample) => "audio/mp4",
        media_type => media_type,
    }
}

/// Whether the tracks' handlers, where they are in sight, are all for sound.
fn is_sound_only(sample: &Sample<'_>) -> bool {
    let has = |kind: &[u8]| {
        let handles = |window: &[u8]| window.starts_with(b"hdlr") && window.ends_with(kind);
        [sample.head, sample.tail].iter().any(|part| part.windows(16).any(handles))
    };
    has(b"soun") && !has(b"vide")
}

/// What follows an ID3 tag is nearly always MP3, but tags are put before other sound too.
fn tagged(head: &[u8]) -> &'static str {
    let size =
        head.get(6..10).map_or(0, |it| it.iter().fold(0_usize, |size, byte| size << 7 | usize::from(byte & 0x7f)));
    match head.get(size + 10..) {
        Some([b'f', b'L', b'a', b'C', ..]) => "audio/flac",
        Some(rest) if is_adts(rest) => "audio/aac",
        _ => "audio/mpeg",
    }
}

fn is_transport_stream(head: &[u8]) -> bool {
    const PACKET: usize = 188;
    let is_sync = |start: usize, step: usize| (0..4).all(|index| head.get(start + index * step) == Some(&0x47));
    is_sync(0, PACKET) || is_sync(4, PACKET + 4)
}

/// Two frames of AAC, the second where the first says.
fn is_adts(head: &[u8]) -> bool {
    let is_frame = |at: usize| matches!(head.get(at..at + 2), Some([0xff, second]) if second & 0xf6 == 0xf0);
    let length = |b: &[u8]| usize::from(b[0] & 3) << 11 | usize::from(b[1]) << 3 | usize::from(b[2] >> 5);
    is_frame(0)
        && head.get(3..6).map(length).is_some_and(|length| length > 6 && (is_frame(length) || length == head.len()))
}

/// Two frames of MPEG audio, the second where the first says.
fn is_mpeg_audio(head: &[u8]) -> bool {
    match frame_length(head) {
        Some(length) if head.len() > length => head.get(length..).and_then(frame_length).is_some(),
        Some(length) => head.len() == length,
        None => false,
    }
}

/// Length of the frame at the start of `bytes` (ISO 11172-3, 2.4.3.1).
fn frame_length(bytes: &[u8]) -> Option<usize> {
    const BITRATES_1: [[usize; 14]; 3] = [
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    ];
    const BITRATES_2: [[usize; 14]; 2] = [
        [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let [0xff, second, third, ..] = bytes else { return None };
    let (version, layer) = (second >> 3 & 3, second >> 1 & 3);
    let (rate_index, frequency_index) = (usize::from(third >> 4), usize::from(third >> 2 & 3));
    if second & 0xe0 != 0xe0 || version == 1 || layer == 0 || !(1..15).contains(&rate_index) || frequency_index == 3 {
        return None;
    }
    let layer = 4 - usize::from(layer);
    let is_first = version == 3;
    let kilobits = if is_first {
        BITRATES_1[layer - 1][rate_index - 1]
    } else {
        BITRATES_2[usize::from(layer > 1)][rate_index - 1]
    };
    let divisor = match version {
        3 => 1,
        2 => 2,
        _ => 4,
    };
    let frequency = [44_100, 48_000, 32_000][frequency_index] / divisor;
    let padding = usize::from(third >> 1 & 1);
    Some(match layer {
        1 => (12_000 * kilobits / frequency + padding) * 4,
        3 if !is_first => 72_000 * kilobits / frequency + padding,
        _ => 144_000 * kilobits / frequency + padding,
    })
}
