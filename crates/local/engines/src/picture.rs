//! Decodes pictures of any common format into upright grey pixels for the other engines.
//!
//! Dimensions are read and checked before a pixel is decoded, so that a decompression bomb costs
//! nothing. HEIC and AVIF go through `heif-convert` outside the process. It refuses pictures above
//! [`MAX_SIDE`] or [`MAX_PIXELS`].

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder as _, ImageReader, Luma, imageops};

use crate::command::{self, CommandError, Invocation, Limits, Tool, arguments};

/// Longest side in pixels: Textract's limit for images.
pub const MAX_SIDE: u32 = 10_000;

/// Most pixels: an A4 page at 600 dpi has 35 million; 64 million at four bytes is 256 MB.
pub const MAX_PIXELS: u64 = 64_000_000;

/// Most memory that a decoder may take: 16 bits and four channels of [`MAX_PIXELS`].
const MAX_DECODE_BYTES: u64 = MAX_PIXELS * 8;

const HEIF_CONVERT: Tool = Tool { program: "heif-convert", package: "libheif-examples" };

/// Grey pixels of 8 bits, upright: what the engines work on.
pub type Grey = GrayImage;

/// Formats that are told by their first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// TIFF, one page or many.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// GIF; only the first frame is looked at.
    Gif,
    /// WebP.
    Webp,
    /// HEIC, HEIF or AVIF.
    Heif,
}

/// Width and height in pixels, as stored (before orientation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// Why a picture could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// No format known here.
    #[error("failed to recognise the picture's format")]
    UnknownFormat,
    /// Above the limits.
    #[error("failed to accept a picture of `{}` × `{}` pixels: too large", .0.width, .0.height)]
    TooLarge(Size),
    /// The bytes do not hold what the header promises.
    #[error("failed to decode the picture: {0}")]
    Damaged(String),
    /// The outside converter failed or is missing.
    #[error("failed to convert the picture")]
    Tool(#[from] CommandError),
    /// A temporary file could not be used.
    #[error("failed to use a temporary file for the picture")]
    Io(#[from] std::io::Error),
}

/// The format that the first bytes tell.
#[must_use]
pub fn format(bytes: &[u8]) -> Option<Format> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let brand = bytes.get(4..12).unwrap_or_default();
    Some(match () {
        () if starts(b"\x89PNG\r\n\x1a\n") => Format::Png,
        () if starts(b"\xff\xd8\xff") => Format::Jpeg,
        () if crate::tiff::is_tiff(bytes) => Format::Tiff,
        () if starts(b"GIF8") => Format::Gif,
        () if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => Format::Webp,
        () if brand.starts_with(b"ftyp") && is_heif_brand(&brand[4..]) => Format::Heif,
        () if starts(b"BM") => Format::Bmp,
        () => return None,
    })
}

/// Width and height of a picture, from its header alone; HEIF is not measured.
///
/// # Errors
/// When the format is unknown or the header is damaged.
pub fn size(bytes: &[u8]) -> Result<Size, PictureError> {
    guarded(|| {
        let (width, height) = reader(bytes)?.into_dimensions().map_err(damaged)?;
        Ok(Size { width, height })
    })
}

/// Decodes a picture into grey pixels, turned upright as its metadata says, transparency on white.
///
/// # Errors
/// When the format is unknown, the picture too large or damaged, or the converter missing.
pub fn decode_grey(bytes: &[u8], scratch: &Path) -> Result<GrayImage, PictureError> {
    match format(bytes) {
        None => Err(PictureError::UnknownFormat),
        Some(Format::Heif) => decode_pixels(&convert_heif(bytes, scratch)?),
        Some(_) => decode_pixels(bytes),
    }
}

/// Shrinks a picture so that its longest side has at most `side` pixels.
#[must_use]
pub fn at_most(picture: GrayImage, side: u32) -> GrayImage {
    let longest = picture.width().max(picture.height());
    if longest <= side {
        return picture;
    }
    let scaled =
        |pixels: u32| u32::try_from(u64::from(pixels) * u64::from(side) / u64::from(longest)).unwrap_or(side).max(1);
    imageops::resize(&picture, scaled(picture.width()), scaled(picture.height()), imageops::FilterType::Triangle)
}

/// The bytes of a binary PGM file: the simplest thing that every tool reads.
#[must_use]
pub fn to_pgm(picture: &GrayImage) -> Vec<u8> {
    let mut file = format!("P5\n{} {}\n255\n", picture.width(), picture.height()).into_bytes();
    file.extend_from_slice(picture.as_raw());
    file
}

/// Reads a binary 8-bit PGM file as poppler writes it.
///
/// # Errors
/// When the header is not one, or pixels are missing.
pub fn from_pgm(file: &[u8]) -> Result<GrayImage, PictureError> {
    let bad = || PictureError::Damaged("the page picture is not a PGM file".to_owned());
    let mut fields = file.splitn(4, u8::is_ascii_whitespace);
    if fields.next() != Some(b"P5") {
        return Err(bad());
    }
    let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse::<u32>().ok();
    let (width, height) = (number().ok_or_else(bad)?, number().ok_or_else(bad)?);
    check_size(Size { width, height })?;
    let pixels = fields.next().and_then(|rest| rest.strip_prefix(b"255\n")).ok_or_else(bad)?;
    let count = usize::try_from(u64::from(width) * u64::from(height)).map_err(|_| bad())?;
    let pixels = pixels.get(..count).ok_or_else(bad)?;
    GrayImage::from_raw(width, height, pixels.to_vec()).ok_or_else(bad)
}

/// Refuses what is above [`MAX_SIDE`] or [`MAX_PIXELS`].
///
/// # Errors
/// [`PictureError::TooLarge`].
pub fn check_size(size: Size) -> Result<(), PictureError> {
    let pixels = u64::from(size.width) * u64::from(size.height);
    let fits = size.width <= MAX_SIDE && size.height <= MAX_SIDE && pixels <= MAX_PIXELS;
    if fits { Ok(()) } else { Err(PictureError::TooLarge(size)) }
}

fn is_heif_brand(brand: &[u8]) -> bool {
    const BRANDS: [&[u8; 4]; 9] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis"];
    BRANDS.iter().any(|known| brand.starts_with(*known))
}

fn reader(bytes: &[u8]) -> Result<ImageReader<Cursor<&[u8]>>, PictureError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    if reader.format().is_none() {
        return Err(PictureError::UnknownFormat);
    }
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    Ok(reader)
}

fn decode_pixels(bytes: &[u8]) -> Result<GrayImage, PictureError> {
    check_size(size(bytes)?)?;
    guarded(|| {
        let mut decoder = reader(bytes)?.into_decoder().map_err(damaged)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
        picture.apply_orientation(orientation);
        Ok(on_white(picture))
    })
}

fn on_white(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let with_alpha = picture.into_luma_alpha8();
    GrayImage::from_fn(with_alpha.width(), with_alpha.height(), |x, y| {
        let [grey, alpha] = with_alpha.get_pixel(x, y).0.map(u32::from);
        Luma([u8::try_from((grey * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)])
    })
}

fn convert_heif(bytes: &[u8], scratch: &Path) -> Result<Vec<u8>, PictureError> {
    let directory = tempfile::tempdir_in(scratch)?;
    std::fs::write(directory.path().join("in.heic"), bytes)?;
    let invocation = Invocation {
        tool: HEIF_CONVERT,
        arguments: arguments(["in.heic", "out.png"]),
        directory: directory.path(),
        limits: Limits::seconds(60),
    };
    command::run(&invocation)?;
    // A file of several pictures comes out as out-1.png, out-2.png …: the first is the primary one.
    let single = directory.path().join("out.png");
    let file = if single.exists() { single } else { directory.path().join("out-1.png") };
    Ok(std::fs::read(file)?)
}

fn damaged(error: image::ImageError) -> PictureError {
    match error {
        image::ImageError::Unsupported(_) => PictureError::UnknownFormat,
        other => PictureError::Damaged(other.to_string()),
    }
}

/// Decoders panic on some damaged files; that is the file's fault and must end as an error.
fn guarded<T>(decode: impl FnOnce() -> Result<T, PictureError>) -> Result<T, PictureError> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(PictureError::Damaged("the decoder gave up".to_owned())))
}

#[cfg(test)]
mod tests;
