//! Pictures as image services take them: of another kind they are converted first, and the copy lies with the run's work.

use bytes::Bytes;
use domain::failure::Failure;
use domain::object::ObjectRef;
use domain::plan::Subject;

use crate::service::Call;

/// The largest picture that is converted: it is held in memory as a file and as pixels.
pub(crate) const LIMIT_BYTES: u64 = 100 << 20;

/// A copy that was made for a service.
pub(crate) struct Copied {
    pub(crate) object: ObjectRef,
    pub(crate) bytes: Bytes,
}

/// Whether services get a copy of this file rather than the file.
pub(crate) fn is_converted(subject: &Subject) -> bool {
    documents::picture::is_convertible(&subject.media_type)
}

/// The copy of the call's picture, of at most `limit_bytes`; nothing where the file itself will do.
pub(crate) async fn copy(call: &Call<'_>, limit_bytes: u64) -> Result<Option<Copied>, Failure> {
    if !is_converted(call.subject) {
        return Ok(None);
    }
    let bytes = call.deployment.store.read(call.subject, LIMIT_BYTES).await?;
    let limits = documents::Limits::default();
    let converted = documents::picture::convert(&bytes, &call.subject.media_type, &limits, limit_bytes);
    let converted = converted.map_err(Failure::from)?;
    let ending = converted.media_type.trim_start_matches("image/");
    let object = ObjectRef::new(&call.work.bucket, format!("{}{}.{ending}", call.work.key, call.token));
    let bytes = Bytes::from(converted.bytes);
    call.deployment.store.write(&object, converted.media_type, bytes.clone()).await?;
    Ok(Some(Copied { object, bytes }))
}
