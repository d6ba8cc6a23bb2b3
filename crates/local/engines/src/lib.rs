//! Stub.

pub mod command;
pub mod entities;
pub mod exif;
pub mod faces;
pub mod geometry;
pub mod key_phrases;
pub mod language;
pub mod media;
pub mod ocr;
pub mod pdf;
pub mod picture;
pub mod pii;
pub mod qr;
pub mod sentiment;
pub mod speech;
pub mod text;
pub mod tiff;
