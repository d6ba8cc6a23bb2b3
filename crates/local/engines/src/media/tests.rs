use super::*;

/// A WAV file of `seconds` of a 440 Hz tone, 8 kHz, two channels.
fn tone(seconds: u32) -> Vec<u8> {
    let sample = |index: u32| if (index / 9).is_multiple_of(2) { 8000_i16 } else { -8000 };
    let samples: Vec<i16> = (0..8000 * seconds).map(sample).flat_map(|sample| [sample, sample]).collect();
    let length = u32::try_from(samples.len() * 2).unwrap();
    let mut file = [b"RIFF".as_slice(), &(36 + length).to_le_bytes(), b"WAVEfmt ", &16_u32.to_le_bytes()].concat();
    file.extend([1_u16, 2].map(u16::to_le_bytes).concat());
    file.extend([8000_u32, 32_000].map(u32::to_le_bytes).concat());
    file.extend([4_u16, 16].map(u16::to_le_bytes).concat());
    file.extend([b"data".as_slice(), &length.to_le_bytes()].concat());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

fn written(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("media");
    std::fs::write(&file, bytes).unwrap();
    (directory, file)
}

#[test]
fn headers_tell_length_and_channels() {
    let (directory, file) = written(&tone(2));
    let info = inspect(&file, directory.path()).unwrap();
    assert_eq!(
        (info.duration_seconds, info.audio_channels, info.sample_rate, info.has_video),
        (Some(2.0), Some(2), Some(8000), false)
    );
}

#[test]
fn samples_come_at_16_khz_in_one_channel_and_in_pieces() {
    let (directory, file) = written(&tone(2));
    let mut pieces = Vec::new();
    decode(&file, directory.path(), Duration::from_mins(1), |samples| {
        pieces.push(samples.len());
        Ok::<_, MediaError>(())
    })
    .unwrap();
    assert!(pieces.iter().all(|piece| *piece <= PIECE_SAMPLES), "{pieces:?}");
    let total: usize = pieces.iter().sum();
    assert!(total.abs_diff(32_000) < 200, "{total}");
}

#[test]
fn what_is_no_media_file_is_damaged() {
    for bytes in [b"".as_slice(), b"hello", &tone(1)[..40]] {
        let (directory, file) = written(bytes);
        assert!(matches!(inspect(&file, directory.path()), Err(MediaError::Damaged(_))), "{}", bytes.len());
    }
}

#[test]
fn playlists_are_not_followed() {
    let (directory, inner) = written(&tone(1));
    let playlist =
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{}\n#EXT-X-ENDLIST\n", inner.display());
    let file = directory.path().join("list.m3u8");
    std::fs::write(&file, playlist).unwrap();
    assert!(matches!(inspect(&file, directory.path()), Err(MediaError::Damaged(_))));
}

#[test]
fn an_error_of_the_consumer_comes_back() {
    let (directory, file) = written(&tone(1));
    let result = decode(&file, directory.path(), Duration::from_mins(1), |_| Err(MediaError::NoAudio));
    assert!(matches!(result, Err(MediaError::NoAudio)));
}
