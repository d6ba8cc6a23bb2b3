//! The functions of `libpocketsphinx.so.3` and `libsphinxbase.so.3` that are used, with their real
//! signatures (`pocketsphinx.h`, `cmd_ln.h` and `logmath.h` of 5prealpha).

use std::ffi::{c_char, c_double, c_int, c_void};

use libloading::Library;

use crate::Error;

const POCKETSPHINX: &str = "libpocketsphinx.so.3";
const SPHINXBASE: &str = "libsphinxbase.so.3";

/// An opaque object of the library.
pub(crate) type Object = *mut c_void;

/// The functions; they stay valid as long as the two libraries, which are kept beside them.
pub(crate) struct Functions {
    pub(crate) args: unsafe extern "C" fn() -> *const c_void,
    pub(crate) init: unsafe extern "C" fn(Object) -> Object,
    pub(crate) free: unsafe extern "C" fn(Object) -> c_int,
    pub(crate) start_utterance: unsafe extern "C" fn(Object) -> c_int,
    pub(crate) process_raw: unsafe extern "C" fn(Object, *const i16, usize, c_int, c_int) -> c_int,
    pub(crate) end_utterance: unsafe extern "C" fn(Object) -> c_int,
    pub(crate) logmath: unsafe extern "C" fn(Object) -> Object,
    pub(crate) segments: unsafe extern "C" fn(Object) -> Object,
    pub(crate) next_segment: unsafe extern "C" fn(Object) -> Object,
    pub(crate) segment_word: unsafe extern "C" fn(Object) -> *const c_char,
    pub(crate) segment_frames: unsafe extern "C" fn(Object, *mut c_int, *mut c_int),
    pub(crate) segment_probability: unsafe extern "C" fn(Object, *mut i32, *mut i32, *mut i32) -> i32,
    pub(crate) command_line: unsafe extern "C" fn(Object, *const c_void, i32, ...) -> Object,
    pub(crate) free_command_line: unsafe extern "C" fn(Object) -> c_int,
    pub(crate) exponent: unsafe extern "C" fn(Object, c_int) -> c_double,
    _libraries: [Library; 2],
}

impl Functions {
    pub(crate) fn open() -> Result<Self, Error> {
        let (base, sphinx) = (library(SPHINXBASE)?, library(POCKETSPHINX)?);
        let (b, s) = (SPHINXBASE, POCKETSPHINX);
        // SAFETY: each symbol is copied into a field whose type is its signature in the C headers of
        // this library version (the version is in the file name), and lives beside its library.
        unsafe {
            Ok(Self {
                args: symbol(&sphinx, s, "ps_args")?,
                init: symbol(&sphinx, s, "ps_init")?,
                free: symbol(&sphinx, s, "ps_free")?,
                start_utterance: symbol(&sphinx, s, "ps_start_utt")?,
                process_raw: symbol(&sphinx, s, "ps_process_raw")?,
                end_utterance: symbol(&sphinx, s, "ps_end_utt")?,
                logmath: symbol(&sphinx, s, "ps_get_logmath")?,
                segments: symbol(&sphinx, s, "ps_seg_iter")?,
                next_segment: symbol(&sphinx, s, "ps_seg_next")?,
                segment_word: symbol(&sphinx, s, "ps_seg_word")?,
                segment_frames: symbol(&sphinx, s, "ps_seg_frames")?,
                segment_probability: symbol(&sphinx, s, "ps_seg_prob")?,
                command_line: symbol(&base, b, "cmd_ln_init")?,
                free_command_line: symbol(&base, b, "cmd_ln_free_r")?,
                exponent: symbol(&base, b, "logmath_exp")?,
                _libraries: [base, sphinx],
            })
        }
    }
}

fn library(name: &'static str) -> Result<Library, Error> {
    // SAFETY: the library's initialisers only set up its own tables.
    unsafe { Library::new(name) }.map_err(|source| Error::Library { name, source })
}

/// Copies a function out of a library.
///
/// # Safety
/// `F` must be the function's signature, and must not outlive the library.
unsafe fn symbol<F: Copy>(library: &Library, name: &'static str, symbol: &str) -> Result<F, Error> {
    // SAFETY: the caller vouches for the signature.
    let found = unsafe { library.get::<F>(symbol) };
    found.map(|function| *function).map_err(|source| Error::Library { name, source })
}
