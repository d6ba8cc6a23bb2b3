//! What really reads the files behind the local AI services: recognisers and rules over bytes and text.
//!
//! Plain blocking functions with typed results; each result names the engine that gave it. Tools that
//! read strangers' bytes run as bounded children (`command`). What this crate refuses to do: speak a
//! wire protocol, know AWS, or answer what no engine here can know.

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
