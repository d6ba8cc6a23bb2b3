//! Ruling lines: found, taken off the picture before it is read, and kept as column borders.
//!
//! Table rules cut letters and make the layout analysis drop whole cells. A rule is a thin, straight
//! run that is darker than what lies on both its sides, far longer than a pen stroke.

use image::{GrayImage, Luma};

/// Thickest rule in pixels.
const THICKEST: u32 = 6;

/// How much darker than both sides a rule is, of 255.
const DARKER: u8 = 40;

/// Pixels that may be missing from a rule one after the other.
const GAP: u32 = 2;

/// Shortest rule: no stroke of a letter is this long and this thin.
const SHORTEST: u32 = 60;

/// Shortest rule as a part of the picture's side along it.
const SHORTEST_PART: u32 = 40;

/// A vertical rule, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Vertical {
    pub(super) x: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

struct Run {
    across: u32,
    first: u32,
    last: u32,
}

/// Takes the rules off `picture`; gives the vertical ones.
pub(super) fn erase(picture: &mut GrayImage) -> Vec<Vertical> {
    let (width, height) = picture.dimensions();
    let horizontal = runs(height, width, |y, x| side(picture, x, y, Along::Row));
    let vertical = runs(width, height, |x, y| side(picture, x, y, Along::Column));
    for run in &horizontal {
        paint(picture, run, Along::Row);
    }
    for run in &vertical {
        paint(picture, run, Along::Column);
    }
    let at = |run: &Run| Vertical { x: f64::from(run.across), top: f64::from(run.first), bottom: f64::from(run.last) };
    vertical.iter().map(at).collect()
}

#[derive(Clone, Copy)]
enum Along {
    Row,
    Column,
}

/// The brightness beside a pixel of a rule (the darker side); `None` where there is no rule.
fn side(picture: &GrayImage, x: u32, y: u32, along: Along) -> Option<u8> {
    let pixel = |x: u32, y: u32| picture.get_pixel_checked(x, y).map(|pixel| pixel.0[0]);
    let own = pixel(x, y)?;
    let (one, other) = match along {
        Along::Row => (pixel(x, y.checked_sub(THICKEST)?)?, pixel(x, y + THICKEST)?),
        Along::Column => (pixel(x.checked_sub(THICKEST)?, y)?, pixel(x + THICKEST, y)?),
    };
    let darker = one.min(other);
    (u16::from(own) + u16::from(DARKER) < u16::from(darker)).then_some(darker)
}

/// Runs of at least the shortest length, line by line.
fn runs(lines: u32, length: u32, is_rule: impl Fn(u32, u32) -> Option<u8>) -> Vec<Run> {
    let shortest = SHORTEST.max(length / SHORTEST_PART);
    let mut found = Vec::new();
    for across in 0..lines {
        let mut open: Option<Run> = None;
        for at in 0..length {
            if is_rule(across, at).is_some() {
                open = Some(Run { across, first: open.map_or(at, |run| run.first), last: at });
            } else if open.as_ref().is_some_and(|run| at - run.last > GAP) {
                found.extend(open.take());
            }
        }
        found.extend(open);
    }
    found.retain(|run| run.last - run.first >= shortest);
    found
}

fn paint(picture: &mut GrayImage, run: &Run, along: Along) {
    for at in run.first..=run.last {
        let (x, y) = match along {
            Along::Row => (at, run.across),
            Along::Column => (run.across, at),
        };
        if let Some(beside) = side(picture, x, y, along) {
            picture.put_pixel(x, y, Luma([beside]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_lines() -> GrayImage {
        GrayImage::from_fn(400, 300, |x, y| {
            let horizontal = (100..103).contains(&y) && (20..380).contains(&x);
            let vertical = (200..202).contains(&x) && (50..250).contains(&y);
            let letter = (300..305).contains(&x) && (150..180).contains(&y);
            Luma([if horizontal || vertical || letter { 0 } else { 255 }])
        })
    }

    #[test]
    fn rules_go_and_letters_stay() {
        let mut picture = with_lines();
        let verticals = erase(&mut picture);
        assert_eq!(picture.get_pixel(100, 101).0, [255]);
        assert_eq!(picture.get_pixel(200, 200).0, [255]);
        assert_eq!(picture.get_pixel(302, 160).0, [0]);
        assert!(
            !verticals.is_empty() && verticals.iter().all(|rule| (200.0..202.0).contains(&rule.x)),
            "{verticals:?}"
        );
    }

    #[test]
    fn blank_and_tiny_pictures_have_no_rules() {
        assert_eq!(erase(&mut GrayImage::new(3, 3)), []);
        assert_eq!(erase(&mut GrayImage::new(0, 0)), []);
    }
}
