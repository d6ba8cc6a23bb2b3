//! Stub.

pub mod entities;
pub mod key_phrases;
pub mod language;
pub mod pii;
pub mod sentiment;
pub mod text;
pub mod command;
pub mod exif;
pub mod faces;
pub mod geometry;
pub mod media;
pub mod ocr;
pub mod pdf;
pub mod picture;
pub mod qr;
pub mod speech;
pub mod tiff;
