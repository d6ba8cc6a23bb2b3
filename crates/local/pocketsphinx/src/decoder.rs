//! One recogniser: a model in memory, fed with one utterance after the other.

use std::ffi::{CStr, CString, c_char, c_int};
use std::path::Path;
use std::ptr;

use crate::library::{Functions, Object};
use crate::{Error, Model, Word};

/// Frames a second of the acoustic model.
const FRAMES_PER_SECOND: f64 = 100.0;

/// The library's settings beside the model.
///
/// - `remove_silence no`: dropped frames would shift the times of all words after them.
/// - `remove_noise no`: spectral subtraction raised the word error rate of read speech by a tenth.
/// - `maxhmmpf 5000`: a beam on active states; speech stays under it, music takes a third of the time.
/// - `logfn`: the library's own log would fill standard error.
const SETTINGS: [(&str, &str); 4] =
    [("-remove_silence", "no"), ("-remove_noise", "no"), ("-maxhmmpf", "5000"), ("-logfn", "/dev/null")];

/// A recogniser with its model loaded.
pub struct Decoder {
    functions: Functions,
    configuration: Object,
    recogniser: Object,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Decoder").finish_non_exhaustive()
    }
}

impl Decoder {
    /// Opens the library and loads the model (about half a second).
    ///
    /// # Errors
    /// When the library or a model file is missing, or the library refuses the model.
    pub fn open(model: &Model) -> Result<Self, Error> {
        for path in [&model.acoustic, &model.language, &model.dictionary] {
            if !Path::new(path).exists() {
                return Err(Error::ModelMissing(path.clone()));
            }
        }
        let functions = Functions::open()?;
        let configuration = configure(&functions, model)?;
        // SAFETY: the configuration is a live object of this library.
        let recogniser = unsafe { (functions.init)(configuration) };
        // Made before the check, so that the configuration is freed on either way out.
        let opened = Self { functions, configuration, recogniser };
        if opened.recogniser.is_null() { Err(Error::Start) } else { Ok(opened) }
    }

    /// Recognises one utterance of 16 kHz mono samples. Silence and noise give no words.
    ///
    /// # Errors
    /// When the library refuses the utterance.
    pub fn decode(&mut self, samples: &[i16]) -> Result<Vec<Word>, Error> {
        const SEARCH: c_int = 0;
        const WHOLE_UTTERANCE: c_int = 1;
        let check = |step, status: c_int| if status < 0 { Err(Error::Utterance(step)) } else { Ok(()) };
        // SAFETY: the decoder is live, used by one caller at a time (`&mut`), and reads `samples.len()`
        // samples from a slice of that length.
        unsafe {
            check("start", (self.functions.start_utterance)(self.recogniser))?;
            let read =
                (self.functions.process_raw)(self.recogniser, samples.as_ptr(), samples.len(), SEARCH, WHOLE_UTTERANCE);
            // The utterance is ended even where it was refused, or the next one could not begin.
            let ended = (self.functions.end_utterance)(self.recogniser);
            check("process", read)?;
            check("end", ended)?;
        }
        Ok(self.words())
    }

    fn words(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        // SAFETY: the decoder is live; an iterator is valid until `ps_seg_next` gives the next one or
        // frees it and gives null, and it is not used after that.
        unsafe {
            let mut segment = (self.functions.segments)(self.recogniser);
            while !segment.is_null() {
                words.extend(self.word(segment));
                segment = (self.functions.next_segment)(segment);
            }
        }
        words
    }

    /// # Safety
    /// `segment` must be a live iterator of this decoder.
    unsafe fn word(&self, segment: Object) -> Option<Word> {
        let (mut first, mut last) = (0, 0);
        let (mut acoustic, mut language, mut backoff) = (0, 0, 0);
        // SAFETY: the iterator is live, the out-pointers are to locals, the word is a C string of the
        // dictionary, copied before anything else is called.
        let (text, probability) = unsafe {
            let text = (self.functions.segment_word)(segment);
            let text = if text.is_null() { return None } else { CStr::from_ptr(text).to_string_lossy() };
            (self.functions.segment_frames)(segment, &raw mut first, &raw mut last);
            let log =
                (self.functions.segment_probability)(segment, &raw mut acoustic, &raw mut language, &raw mut backoff);
            (text, (self.functions.exponent)((self.functions.logmath)(self.recogniser), log))
        };
        let (start, end) = (f64::from(first) / FRAMES_PER_SECOND, f64::from(last + 1) / FRAMES_PER_SECOND);
        spoken(&text).map(|text| Word { text: text.to_owned(), start, end, confidence: probability.clamp(0.0, 1.0) })
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: both objects were made by this library and are not used after this; each is freed
        // once (the decoder holds its own reference to the configuration).
        unsafe {
            if !self.recogniser.is_null() {
                (self.functions.free)(self.recogniser);
            }
            (self.functions.free_command_line)(self.configuration);
        }
    }
}

fn configure(functions: &Functions, model: &Model) -> Result<Object, Error> {
    const STRICT: i32 = 1;
    let c = |text: &str| CString::new(text).map_err(|_| Error::Nul(text.to_owned()));
    let [hmm, acoustic] = [c("-hmm")?, c(&model.acoustic)?];
    let [lm, language] = [c("-lm")?, c(&model.language)?];
    let [dict, dictionary] = [c("-dict")?, c(&model.dictionary)?];
    let settings = SETTINGS.map(|(name, value)| (c(name), c(value)));
    let [s0, s1, s2, s3] = settings.map(|(name, value)| Ok::<_, Error>((name?, value?)));
    let (s0, s1, s2, s3) = (s0?, s1?, s2?, s3?);
    // SAFETY: a list of C strings in pairs, ended by a null pointer, as the function wants; it copies
    // what it keeps.
    let configuration = unsafe {
        (functions.command_line)(
            ptr::null_mut(),
            (functions.args)(),
            STRICT,
            hmm.as_ptr(),
            acoustic.as_ptr(),
            lm.as_ptr(),
            language.as_ptr(),
            dict.as_ptr(),
            dictionary.as_ptr(),
            s0.0.as_ptr(),
            s0.1.as_ptr(),
            s1.0.as_ptr(),
            s1.1.as_ptr(),
            s2.0.as_ptr(),
            s2.1.as_ptr(),
            s3.0.as_ptr(),
            s3.1.as_ptr(),
            ptr::null::<c_char>(),
        )
    };
    if configuration.is_null() { Err(Error::Start) } else { Ok(configuration) }
}

/// The word without the mark of its pronunciation (`to(2)`); `None` for silence (`<sil>`) and noise
/// (`[NOISE]`, `++UH++`).
fn spoken(word: &str) -> Option<&str> {
    let filler = word.starts_with(['<', '[', '+']);
    let text = word.split_once('(').map_or(word, |(text, _)| text);
    (!filler && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_no_words_and_pronunciations_are_not_shown() {
        let spoken: Vec<_> =
            ["<s>", "to(2)", "[NOISE]", "++UH++", "dog", "<sil>"].into_iter().filter_map(spoken).collect();
        assert_eq!(spoken, ["to", "dog"]);
    }

    #[test]
    fn a_missing_model_names_its_package() {
        let model = Model { acoustic: "/nowhere".to_owned(), ..Model::debian() };
        let error = Decoder::open(&model).unwrap_err();
        assert_eq!(error.to_string(), "failed to find `/nowhere`: install the Debian package `pocketsphinx-en-us`");
    }
}
