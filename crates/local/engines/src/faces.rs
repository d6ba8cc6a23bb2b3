//! Finds upright, frontal faces with the `SeetaFace` detector.
//!
//! It gives places and how sure it is, nothing else: age, emotion, identity and landmarks are not in
//! this engine and are never made up.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::GrayImage;
use rustface::{Detector, FaceInfo, ImageData};
use serde::Serialize;

use crate::geometry::Bounds;
use crate::picture::at_most;

/// The name under which results are reported.
pub const ENGINE: &str = "rustface 0.1 seeta_fd_frontal_v1.0";

/// The model that ships inside the `rustface` crate; the build script finds it.
static MODEL: &[u8] = include_bytes!(env!("SEETAFACE_MODEL"));

/// Longest side that is searched: time grows with the pixels, and a face of a hundredth still has 16.
const SEARCHED_SIDE: u32 = 1600;

/// Detections below this score are noise; 2.0 is what the model's authors use in their example.
const LEAST_SCORE: f64 = 2.0;

/// One face.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Face {
    /// Where it is.
    pub bounds: Bounds,
    /// 0 to 1: the detector's score squeezed by `1 - e^(-score / 4)`. It orders faces; it is not a
    /// calibrated probability.
    pub confidence: f64,
    /// The detector's own score, from 2 up.
    pub score: f64,
}

/// Why no search took place.
#[derive(Debug, thiserror::Error)]
pub enum FacesError {
    /// The model inside the program does not load.
    #[error("failed to load the face model")]
    Model(#[source] std::io::Error),
    /// The detector gave up.
    #[error("failed to search the picture for faces")]
    Detector,
}

/// All faces of a picture, the surest first.
///
/// # Errors
/// When the model does not load or the detector gives up.
pub fn detect(picture: GrayImage) -> Result<Vec<Face>, FacesError> {
    let picture = at_most(picture, SEARCHED_SIDE);
    let (width, height) = picture.dimensions();
    if width.min(height) < SMALLEST_FACE {
        return Ok(Vec::new());
    }
    let model = rustface::read_model(MODEL).map_err(FacesError::Model)?;
    let mut detector = rustface::create_detector_with_model(model);
    tune(detector.as_mut());
    let found = catch_unwind(AssertUnwindSafe(|| detector.detect(&ImageData::new(picture.as_raw(), width, height))));
    let mut faces: Vec<Face> =
        found.map_err(|_| FacesError::Detector)?.iter().map(|found| face(found, width, height)).collect();
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(faces)
}

/// Smallest face in pixels of the searched picture; the model knows none below 20.
const SMALLEST_FACE: u32 = 20;

fn tune(detector: &mut dyn Detector) {
    detector.set_min_face_size(SMALLEST_FACE);
    detector.set_score_thresh(LEAST_SCORE);
    detector.set_pyramid_scale_factor(0.8);
    detector.set_slide_window_step(4, 4);
}

fn face(found: &FaceInfo, width: u32, height: u32) -> Face {
    let area = found.bbox();
    let (left, top) = (f64::from(area.x()), f64::from(area.y()));
    let (right, bottom) = (left + f64::from(area.width()), top + f64::from(area.height()));
    let bounds = Bounds::from_pixels(left, top, right, bottom, f64::from(width), f64::from(height));
    let score = found.score();
    Face { bounds, confidence: 1.0 - (-score / 4.0).exp(), score }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_or_tiny_picture_has_no_face() {
        assert_eq!(detect(GrayImage::new(100, 100)).unwrap(), []);
        assert_eq!(detect(GrayImage::new(3, 900)).unwrap(), []);
        assert_eq!(detect(GrayImage::new(0, 0)).unwrap(), []);
    }

    #[test]
    fn the_embedded_model_is_a_model() {
        assert!(rustface::read_model(MODEL).is_ok());
    }
}
