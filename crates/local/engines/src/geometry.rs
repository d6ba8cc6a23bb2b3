//! Boxes as ratios of the page or image that they lie on.

use serde::Serialize;

/// An axis-parallel box; every member is a ratio (0 to 1) of the page's or image's width or height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounds {
    /// Distance of the left edge from the left.
    pub left: f64,
    /// Distance of the upper edge from the top.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Bounds {
    /// The whole page.
    pub const WHOLE: Self = Self { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };

    /// From pixels of an image of `width` × `height`, cut at its edges.
    #[must_use]
    pub fn from_pixels(left: f64, top: f64, right: f64, bottom: f64, width: f64, height: f64) -> Self {
        let ratio = |value: f64, whole: f64| if whole > 0.0 { (value / whole).clamp(0.0, 1.0) } else { 0.0 };
        let (left, top) = (ratio(left, width), ratio(top, height));
        let (right, bottom) = (ratio(right, width), ratio(bottom, height));
        Self { left, top, width: (right - left).max(0.0), height: (bottom - top).max(0.0) }
    }

    /// The right edge.
    #[must_use]
    pub fn right(self) -> f64 {
        self.left + self.width
    }

    /// The lower edge.
    #[must_use]
    pub fn bottom(self) -> f64 {
        self.top + self.height
    }

    /// The smallest box around all; `None` of none.
    #[must_use]
    pub fn around(boxes: impl IntoIterator<Item = Self>) -> Option<Self> {
        boxes.into_iter().reduce(|a, b| {
            let (left, top) = (a.left.min(b.left), a.top.min(b.top));
            let (width, height) = (a.right().max(b.right()) - left, a.bottom().max(b.bottom()) - top);
            Self { left, top, width, height }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_cut_at_the_edges() {
        let bounds = Bounds::from_pixels(-10.0, 50.0, 50.0, 500.0, 100.0, 200.0);
        assert_eq!(bounds, Bounds { left: 0.0, top: 0.25, width: 0.5, height: 0.75 });
    }

    #[test]
    fn an_empty_image_has_empty_boxes() {
        assert!(Bounds::from_pixels(1.0, 1.0, 2.0, 2.0, 0.0, 0.0).width.abs() < f64::EPSILON);
    }

    #[test]
    fn the_box_around_holds_all() {
        let part = |left, top| Bounds { left, top, width: 0.25, height: 0.25 };
        assert_eq!(
            Bounds::around([part(0.0, 0.5), part(0.5, 0.0)]),
            Some(Bounds { left: 0.0, top: 0.0, width: 0.75, height: 0.75 })
        );
        assert_eq!(Bounds::around([]), None);
    }
}
