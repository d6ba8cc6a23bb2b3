//! Pictures of kinds that image services do not take, as PNG, or as JPEG where that would be too large.
//!
//! Of moving pictures only the first one is kept. Dimensions are checked before a pixel is decoded, so that a bomb
//! costs nothing. Not here: HEIC, AVIF and JPEG 2000, whose decoders are no Rust, and camera raw.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use crate::error::DocumentError;
use crate::isolate::{self, Stopped};

/// Longest side in pixels: what Textract and Rekognition take.
const MOST_SIDE: u32 = 10_000;
/// Most memory of a decoder: 64 million pixels of four bytes.
const MOST_BYTES: u64 = 256 << 20;
/// Hardly visible, and a quarter of the size of a PNG.
const JPEG_QUALITY: u8 = 92;

/// A picture that was written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Whether pictures of this type can be converted.
#[must_use]
pub fn is_convertible(media_type: &str) -> bool {
    format(media_type).is_some()
}

fn format(media_type: &str) -> Option<ImageFormat> {
    match media_type {
        "image/bmp" => Some(ImageFormat::Bmp),
        "image/gif" => Some(ImageFormat::Gif),
        "image/webp" => Some(ImageFormat::WebP),
        _ => None,
    }
}

/// Writes a picture anew, in at most `limit_bytes`.
///
/// # Errors
/// `Unsupported` for another kind, `TooLarge` for too many pixels or bytes, `Damaged` where it cannot be decoded.
pub fn convert(
    bytes: &[u8],
    media_type: &str,
    limits: &crate::Limits,
    limit_bytes: u64,
) -> Result<Converted, DocumentError> {
    let format = format(media_type).ok_or_else(|| DocumentError::Unsupported(format!("`{media_type}`")))?;
    let bytes = bytes.to_vec();
    match isolate::run(limits.max_time, move || convert_here(&bytes, format, limit_bytes)) {
        Ok(converted) => converted,
        Err(Stopped::TimedOut) => Err(DocumentError::TimedOut(limits.max_time.as_secs())),
        Err(Stopped::Panicked) => Err(DocumentError::damaged("the picture makes no sense to the decoder")),
    }
}

fn convert_here(bytes: &[u8], format: ImageFormat, limit_bytes: u64) -> Result<Converted, DocumentError> {
    let picture = decode(bytes, format)?;
    let mut png = Vec::new();
    picture.write_to(&mut Cursor::new(&mut png), ImageFormat::Png).map_err(|error| broken(&error))?;
    if png.len() as u64 <= limit_bytes {
        return Ok(Converted { media_type: "image/png", bytes: png });
    }
    let mut jpeg = Vec::new();
    picture
        .to_rgb8()
        .write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY))
        .map_err(|error| broken(&error))?;
    if jpeg.len() as u64 > limit_bytes {
        return Err(DocumentError::TooLarge(format!("`{limit_bytes}` bytes as JPEG")));
    }
    Ok(Converted { media_type: "image/jpeg", bytes: jpeg })
}

fn decode(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage, DocumentError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MOST_SIDE), Some(MOST_SIDE));
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| broken(&error))?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn broken(error: &image::ImageError) -> DocumentError {
    match error {
        image::ImageError::Limits(_) => {
            DocumentError::TooLarge(format!("`{MOST_SIDE}` pixels a side, or `{MOST_BYTES}` bytes of pixels"))
        }
        image::ImageError::Unsupported(error) => DocumentError::Unsupported(format!("this kind of picture: {error}")),
        error => DocumentError::damaged(format!("the picture cannot be decoded: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(format: ImageFormat, side: u32) -> Vec<u8> {
        let picture = DynamicImage::ImageRgb8(image::RgbImage::from_fn(side, side, |x, y| {
            let spot = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).to_le_bytes();
            image::Rgb([spot[0], spot[1], spot[2]])
        }));
        let mut bytes = Vec::new();
        picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    fn try_convert(bytes: &[u8], media_type: &str, limit_bytes: u64) -> Result<Converted, DocumentError> {
        convert(bytes, media_type, &crate::Limits::default(), limit_bytes)
    }

    #[test]
    fn pictures_become_png_and_large_ones_jpeg() {
        let cases =
            [("image/bmp", ImageFormat::Bmp), ("image/gif", ImageFormat::Gif), ("image/webp", ImageFormat::WebP)];
        for (media_type, format) in cases {
            let bytes = write(format, 100);
            let png = try_convert(&bytes, media_type, 1 << 20).unwrap();
            assert_eq!((png.media_type, image::guess_format(&png.bytes).unwrap()), ("image/png", ImageFormat::Png));
            let limit = png.bytes.len() as u64 - 1;
            let jpeg = try_convert(&bytes, media_type, limit).unwrap();
            assert_eq!(image::guess_format(&jpeg.bytes).unwrap(), ImageFormat::Jpeg, "{media_type}");
            assert!(matches!(try_convert(&bytes, media_type, 10), Err(DocumentError::TooLarge(_))));
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let bmp = write(ImageFormat::Bmp, 20);
        assert!(matches!(try_convert(&bmp[..60], "image/bmp", 1 << 20), Err(DocumentError::Damaged(_))));
        assert!(matches!(try_convert(b"GIF89a", "image/gif", 1 << 20), Err(DocumentError::Damaged(_))));
        assert!(matches!(try_convert(&bmp, "image/heic", 1 << 20), Err(DocumentError::Unsupported(_))));
        // A header that promises more pixels than anybody has.
        let huge = [&b"GIF89a\xff\xff\xff\xff\x80\0\0"[..], &[0; 20]].concat();
        assert!(matches!(try_convert(&huge, "image/gif", 1 << 20), Err(DocumentError::TooLarge(_))));
    }
}
