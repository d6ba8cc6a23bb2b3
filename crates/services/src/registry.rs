//! The one list of services, and the plan that it makes for a file.

use domain::failure::Failure;
use domain::plan::{Subject, Task, Track, tracks};
use domain::settings::Settings;

use crate::service::{Poll, Service, Start};

/// Every service, in the order in which tasks stand on a track.
pub const SERVICES: &[&dyn Service] = &[
    &crate::document_text::DocumentText,
    &crate::transcribe::Transcribe,
    &crate::textract::Textract,
    &crate::rekognition::Rekognition,
    &crate::comprehend::Comprehend,
];

/// The same services, as they are started.
pub const STARTED: &[&dyn Start] = &[
    &crate::document_text::DocumentText,
    &crate::transcribe::Transcribe,
    &crate::textract::Textract,
    &crate::rekognition::Rekognition,
    &crate::comprehend::Comprehend,
];

/// Those of them that run jobs, as they are asked.
pub const POLLED: &[&dyn Poll] = &[&crate::transcribe::Transcribe, &crate::textract::Textract];

/// The service with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static dyn Service> {
    SERVICES.iter().copied().find(|service| service.descriptor().id == id)
}

/// What is to be done with `subject`; nothing where no service reads it.
///
/// A service whose features are all switched off takes no part.
///
/// # Errors
/// `InvalidInput` where the settings switch what no service knows: a misspelt switch must not be passed over.
pub fn plan(subject: &Subject, settings: &Settings) -> Result<Vec<Track>, Failure> {
    let unknown = unknown_features(settings);
    if !unknown.is_empty() {
        let message = format!(
            "the settings switch `{}`, which no service knows: compare them with settings.toml",
            unknown.join("`, `")
        );
        return Err(Failure::invalid_input(message));
    }
    let parts = SERVICES.iter().filter_map(|service| {
        let place = service.place(subject)?;
        let task = task(*service, subject, settings)?;
        Some((place, task))
    });
    Ok(tracks(parts))
}

fn task(service: &dyn Service, subject: &Subject, settings: &Settings) -> Option<Task> {
    let descriptor = service.descriptor();
    let wanted = descriptor
        .features
        .iter()
        .filter(|feature| settings.feature(subject.family, descriptor.id, feature.name, feature.preset));
    let features: Vec<String> = wanted.map(|feature| feature.name.to_owned()).collect();
    (!features.is_empty()).then(|| Task { service: descriptor.id.to_owned(), features })
}

fn unknown_features(settings: &Settings) -> Vec<String> {
    let named = settings
        .features
        .values()
        .flatten()
        .flat_map(|(service, features)| features.keys().map(move |feature| (service, feature)));
    let unknown = named.filter(|(service, feature)| {
        let descriptor = find(service).map(Service::descriptor);
        !descriptor.is_some_and(|descriptor| descriptor.features.iter().any(|known| known.name == feature.as_str()))
    });
    unknown.map(|(service, feature)| format!("{service}.{feature}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn subject() -> Subject {
        Subject {
            object: domain::object::ObjectRef::new("raw", "a.txt"),
            etag: "e".into(),
            size_bytes: 1,
            media_type: "text/plain".into(),
            declared_type: None,
            family: domain::media::Family::Text,
        }
    }

    #[test]
    fn ids_and_features_are_unique_and_documented() {
        let ids: BTreeSet<_> = SERVICES.iter().map(|service| service.descriptor().id).collect();
        assert_eq!(ids.len(), SERVICES.len());
        for service in SERVICES {
            let descriptor = service.descriptor();
            let features: BTreeSet<_> = descriptor.features.iter().map(|feature| feature.name).collect();
            assert_eq!(features.len(), descriptor.features.len(), "{}", descriptor.id);
            assert!(!features.is_empty(), "{} has nothing to switch off", descriptor.id);
            assert!(descriptor.features.iter().all(|feature| !feature.about.is_empty()), "{}", descriptor.id);
            assert!(descriptor.actions.iter().all(|action| action.contains(':')), "{}", descriptor.id);
            assert!(find(descriptor.id).is_some());
        }
    }

    #[test]
    fn list_prices_follow_features_and_amounts() {
        use crate::service::Amount;
        let priced = |id: &str, features: &[&str], amount: Amount| {
            let features: Vec<_> = features.iter().map(|feature| (*feature).to_owned()).collect();
            find(id).unwrap().list_price_usd(&features, &amount)
        };
        let amount = Amount { pages: 2, seconds: 60, text_chars: 1_000 };
        let cases = [
            ("document-text", &["text"][..], 0.0),
            ("textract", &["text"], 2.0 * 0.0015),
            ("textract", &["text", "tables", "forms"], 2.0 * 0.065),
            ("rekognition", &["labels", "faces"], 4.0 * 0.001),
            ("comprehend", &["entities", "sentiment"], 20.0 * 0.0001),
            ("transcribe", &["transcript", "speaker_labels"], 0.024),
            ("transcribe", &["subtitles"], 0.0),
        ];
        for (id, features, usd) in cases {
            let known: Vec<_> = find(id).unwrap().descriptor().features.iter().map(|feature| feature.name).collect();
            assert!(features.iter().all(|feature| known.contains(feature)), "{id}: {known:?}");
            let difference = priced(id, features, amount) - usd;
            assert!(difference.abs() < 1e-9, "{id} {features:?} is off by {difference}");
            assert!(priced(id, features, Amount::default()).abs() < 1e-9, "{id} charges for nothing");
        }
    }

    #[test]
    fn the_lists_have_the_same_services() {
        let ids = |services: Vec<&'static str>| services.into_iter().collect::<BTreeSet<_>>();
        let all = ids(SERVICES.iter().map(|service| service.descriptor().id).collect());
        assert_eq!(ids(STARTED.iter().map(|service| service.descriptor().id).collect()), all);
        let asked =
            SERVICES.iter().map(|service| service.descriptor()).filter(|descriptor| !descriptor.polling.is_empty());
        assert_eq!(
            ids(POLLED.iter().map(|service| service.descriptor().id).collect()),
            ids(asked.map(|descriptor| descriptor.id).collect())
        );
    }

    #[test]
    fn a_misspelt_switch_is_found() {
        let mut settings = Settings::default();
        let services = settings.features.entry(domain::media::Family::Image).or_default();
        services.entry("rekognition".into()).or_default().insert("labels".into(), false);
        services.entry("rekognition".into()).or_default().insert("lables".into(), false);
        assert_eq!(unknown_features(&settings), ["rekognition.lables"]);
        assert!(plan(&subject(), &settings).unwrap_err().message.contains("`rekognition.lables`"));
    }

    #[test]
    fn a_service_whose_features_are_all_off_takes_no_part() {
        let subject = subject();
        let mut settings = Settings::default();
        let off = find("comprehend")
            .unwrap()
            .descriptor()
            .features
            .iter()
            .map(|feature| (feature.name.to_owned(), false))
            .collect();
        settings.features.entry(subject.family).or_default().insert("comprehend".into(), off);
        let services: Vec<_> = plan(&subject, &settings)
            .unwrap()
            .into_iter()
            .flat_map(|track| track.tasks)
            .map(|task| task.service)
            .collect();
        assert_eq!(services, ["document-text"]);
    }
}
