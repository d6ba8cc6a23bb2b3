use super::*;
use image::{ImageFormat, Rgba, RgbaImage};

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let picture = RgbaImage::from_pixel(30, 20, Rgba([0, 0, 0, 255]));
    let picture = DynamicImage::ImageRgba8(picture);
    let picture = if format == ImageFormat::Jpeg { picture.into_rgb8().into() } else { picture };
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

#[test]
fn every_format_is_told_and_decoded() {
    let scratch = tempfile::tempdir().unwrap();
    let table = [
        (ImageFormat::Png, Format::Png),
        (ImageFormat::Jpeg, Format::Jpeg),
        (ImageFormat::Tiff, Format::Tiff),
        (ImageFormat::Bmp, Format::Bmp),
        (ImageFormat::Gif, Format::Gif),
        (ImageFormat::WebP, Format::Webp),
    ];
    for (written, told) in table {
        let file = encoded(written);
        assert_eq!(format(&file), Some(told));
        assert_eq!(size(&file).unwrap(), Size { width: 30, height: 20 }, "{told:?}");
        assert_eq!(decode_grey(&file, scratch.path()).unwrap().dimensions(), (30, 20), "{told:?}");
    }
}

#[test]
fn cut_files_are_damaged_and_never_panic() {
    let scratch = tempfile::tempdir().unwrap();
    for written in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Gif] {
        let file = encoded(written);
        for cut in [3, 9, 20, file.len() / 2] {
            assert!(decode_grey(&file[..cut.min(file.len() - 4)], scratch.path()).is_err(), "{written:?} {cut}");
        }
    }
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let mut file = encoded(ImageFormat::Bmp);
    file[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
    file[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
    let scratch = tempfile::tempdir().unwrap();
    let error = decode_grey(&file, scratch.path()).unwrap_err();
    assert!(matches!(error, PictureError::TooLarge(Size { width: 60_000, height: 60_000 })), "{error}");
}

#[test]
fn transparency_becomes_white() {
    let picture = DynamicImage::ImageRgba8(RgbaImage::from_pixel(1, 1, Rgba([0, 0, 0, 0])));
    assert_eq!(on_white(picture).as_raw(), &[255]);
}

#[test]
fn pgm_goes_there_and_back() {
    // The first pixel is a white-space byte: it belongs to the pixels, not to the header.
    let picture = GrayImage::from_raw(2, 2, vec![b'\n', 1, 2, 3]).unwrap();
    assert_eq!(from_pgm(&to_pgm(&picture)).unwrap(), picture);
    assert!(from_pgm(b"P5\n2 2\n255\nabc").is_err());
    assert!(from_pgm(b"P6\n2 2\n255\nabcd").is_err());
    assert!(matches!(from_pgm(b"P5\n99999 99999\n255\n"), Err(PictureError::TooLarge(_))));
}

#[test]
fn shrinking_keeps_the_shape() {
    assert_eq!(at_most(GrayImage::new(1000, 10), 100).dimensions(), (100, 1));
    assert_eq!(at_most(GrayImage::new(10, 10), 100).dimensions(), (10, 10));
}

#[test]
fn unknown_bytes_have_no_format() {
    let scratch = tempfile::tempdir().unwrap();
    assert!(matches!(decode_grey(b"hello", scratch.path()), Err(PictureError::UnknownFormat)));
    assert!(matches!(decode_grey(b"", scratch.path()), Err(PictureError::UnknownFormat)));
}
