//! Reads QR codes in a picture. Other bar codes are not in this engine.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::GrayImage;
use rqrr::{Point, PreparedImage};
use serde::Serialize;

use crate::geometry::Bounds;
use crate::picture::at_most;

/// The name under which results are reported.
pub const ENGINE: &str = "rqrr 0.11";

/// Longest side that is searched: a code of a twentieth of the width still has five pixels a module.
const SEARCHED_SIDE: u32 = 2500;

/// Most codes that are read from one picture; a hostile pattern may look like thousands.
const MAX_CODES: usize = 100;

/// One QR code.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Code {
    /// What it says; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// Where it is.
    pub bounds: Bounds,
}

/// Every QR code that can be read; an unreadable one is left out.
#[must_use]
pub fn read(picture: GrayImage) -> Vec<Code> {
    let picture = at_most(picture, SEARCHED_SIDE);
    catch_unwind(AssertUnwindSafe(|| search(&picture))).unwrap_or_default()
}

fn search(picture: &GrayImage) -> Vec<Code> {
    let (width, height) = picture.dimensions();
    let (columns, rows) = (width as usize, height as usize);
    if columns == 0 || rows == 0 {
        return Vec::new();
    }
    let pixels = picture.as_raw();
    let mut prepared = PreparedImage::prepare_from_greyscale(columns, rows, |x, y| pixels[y * columns + x]);
    let grids = prepared.detect_grids();
    let codes = grids.iter().take(MAX_CODES).filter_map(|grid| {
        let mut bytes = Vec::new();
        grid.decode_to(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Some(Code { text, bounds: around(grid.bounds, f64::from(width), f64::from(height)) })
    });
    codes.collect()
}

fn around(corners: [Point; 4], width: f64, height: f64) -> Bounds {
    let across = corners.map(|corner| f64::from(corner.x));
    let down = corners.map(|corner| f64::from(corner.y));
    let least = |values: [f64; 4]| values.into_iter().fold(f64::INFINITY, f64::min);
    let most = |values: [f64; 4]| values.into_iter().fold(f64::NEG_INFINITY, f64::max);
    Bounds::from_pixels(least(across), least(down), most(across), most(down), width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1, `HELLO WORLD`, alphanumeric mode, level M: drawn once by an independent encoder.
    const HELLO: [&str; 21] = include!("qr/hello.in");

    fn drawn(scale: u32) -> GrayImage {
        let side = (21 + 8) * scale;
        GrayImage::from_fn(side, side, |x, y| {
            let module = |at: u32| (at / scale).checked_sub(4).map(|at| at as usize);
            let dark = module(y).zip(module(x)).and_then(|(row, column)| HELLO.get(row)?.as_bytes().get(column))
                == Some(&b'#');
            image::Luma([if dark { 0 } else { 255 }])
        })
    }

    #[test]
    fn a_code_is_read_with_its_place() {
        let codes = read(drawn(6));
        assert_eq!(codes.len(), 1);
        assert_eq!(codes[0].text, "HELLO WORLD");
        assert!((codes[0].bounds.left - 4.0 / 29.0).abs() < 0.02, "{:?}", codes[0].bounds);
    }

    #[test]
    fn a_large_picture_is_shrunk_and_read() {
        assert_eq!(read(drawn(120)).len(), 1);
    }

    #[test]
    fn pictures_without_codes_have_none() {
        assert!(read(GrayImage::new(50, 50)).is_empty());
        assert!(read(GrayImage::new(0, 0)).is_empty());
    }
}
