//! Rekognition's requests, and what is checked before anything is decoded.

use engines::picture::{self, Format};
use serde::Deserialize;

use super::INVALID;
use crate::ai::file::{Errors, MostBytes, Source};
use crate::wire::ServiceError;

/// Images in a request: 5 MB; in S3: 15 MB.
pub(super) const MOST_BYTES: MostBytes = MostBytes { inline: 5 << 20, object: 15 << 20 };

/// The least height and width in pixels.
const LEAST_SIDE: u32 = 80;

/// Longest side in pixels.
const MOST_SIDE: u32 = 10_000;

/// Regions of interest in one request.
const MOST_REGIONS: usize = 10;

pub(super) const ERRORS: Errors = Errors { too_large, invalid };

const ATTRIBUTES: [&str; 14] = [
    "DEFAULT",
    "ALL",
    "AGE_RANGE",
    "BEARD",
    "EMOTIONS",
    "EYE_DIRECTION",
    "EYEGLASSES",
    "EYES_OPEN",
    "GENDER",
    "MOUTH_OPEN",
    "MUSTACHE",
    "FACE_OCCLUDED",
    "SMILE",
    "SUNGLASSES",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FacesRequest {
    pub(super) image: Source,
    attributes: Option<Vec<String>>,
}

impl FacesRequest {
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        let mut attributes = self.attributes.iter().flatten();
        attributes.try_for_each(|attribute| INVALID.one_of(attribute, "attributes", &ATTRIBUTES))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TextRequest {
    pub(super) image: Source,
    pub(super) filters: Option<Filters>,
}

/// Which text to report.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Filters {
    pub(super) word_filter: WordFilter,
    pub(super) regions_of_interest: Vec<Region>,
}

/// What a word must have; confidence in percent, sides as ratios of the image's.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_field_names, reason = "the service's own names")]
pub(super) struct WordFilter {
    pub(super) min_confidence: f64,
    pub(super) min_bounding_box_height: f64,
    pub(super) min_bounding_box_width: f64,
}

/// A part of the image.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Region {
    pub(super) bounding_box: Option<RegionBox>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RegionBox {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl TextRequest {
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        let Some(filters) = &self.filters else { return Ok(()) };
        let WordFilter { min_confidence, min_bounding_box_height, min_bounding_box_width } = filters.word_filter;
        let are_ratios = [min_confidence / 100.0, min_bounding_box_height, min_bounding_box_width]
            .iter()
            .all(|ratio| (0.0..=1.0).contains(ratio));
        if !are_ratios || filters.regions_of_interest.len() > MOST_REGIONS {
            return Err(invalid());
        }
        if filters.regions_of_interest.iter().any(|region| region.bounding_box.is_none()) {
            return Err(ServiceError::not_available_locally(
                "a polygon as region of interest is not available locally: give a bounding box",
            ));
        }
        Ok(())
    }
}

/// Checks format and dimensions by the first bytes.
pub(super) fn check_picture(bytes: &[u8]) -> Result<(), ServiceError> {
    if !matches!(picture::format(bytes), Some(Format::Png | Format::Jpeg)) {
        return Err(invalid_format());
    }
    let size = picture::size(bytes).map_err(|_| invalid_format())?;
    if size.width < LEAST_SIDE || size.height < LEAST_SIDE {
        return Err(INVALID.error(format!(
            "Request has invalid parameters: the image must be at least {LEAST_SIDE} pixels high and wide"
        )));
    }
    if size.width > MOST_SIDE || size.height > MOST_SIDE { Err(too_large()) } else { Ok(()) }
}

pub(super) fn invalid_format() -> ServiceError {
    ServiceError::client("InvalidImageFormatException", "Request has invalid image format")
}

fn too_large() -> ServiceError {
    ServiceError::client("ImageTooLargeException", "Image size is too large")
}

fn invalid() -> ServiceError {
    INVALID.error("Request has invalid parameters")
}
