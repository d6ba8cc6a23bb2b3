//! From Rekognition's percents and boxes to the document's, and what its limits refuse.

use domain::answer::Findings;
use domain::extraction::{Box as Place, Extraction};
use domain::media::Family;
use domain::object::ObjectRef;
use serde_json::{Value, json};

use super::*;

fn contributed(raw: Value) -> Extraction {
    let findings = Findings { engine: "aws".into(), pages: 0, cost_usd: 0.0, features: Vec::new(), skipped: None, raw };
    let mut document = Extraction::default();
    Rekognition.contribute(&findings, &mut document).unwrap();
    document
}

#[test]
fn answers_become_labels_faces_and_persons() {
    let place = json!({"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4});
    let document = contributed(json!({
        "Labels": [
            {"Name": "Dog", "Confidence": 98.76, "Instances": [{"BoundingBox": place, "Confidence": 97.0}], "Parents": [{"Name": "Animal"}]},
            {"Name": "Animal", "Confidence": 98.76, "Instances": []}],
        "FaceDetails": [{"BoundingBox": place, "Confidence": 99.99, "AgeRange": {"Low": 22, "High": 30},
            "Smile": {"Value": true, "Confidence": 90.0}, "Gender": {"Value": "Female", "Confidence": 80.0},
            "Emotions": [{"Type": "CALM", "Confidence": 10.0}, {"Type": "HAPPY", "Confidence": 80.0}]}],
        "ModerationLabels": [{"Name": "Violence", "Confidence": 61.5, "ParentName": ""}],
        "CelebrityFaces": [{"Name": "Ada", "MatchConfidence": 57.0, "Face": {"BoundingBox": place, "Confidence": 99.0}}],
    }));
    let place = Place { left: 0.1, top: 0.2, width: 0.3, height: 0.4 };
    let labels: Vec<_> = document.labels.iter().map(|it| (it.name.as_str(), it.confidence, it.places.len())).collect();
    assert_eq!(labels, [("Dog", 0.9876, 1), ("Animal", 0.9876, 0)]);
    assert_eq!((document.moderation[0].name.as_str(), document.moderation[0].confidence), ("Violence", 0.615));
    assert_eq!(
        (document.celebrities[0].name.as_str(), document.celebrities[0].places.as_slice()),
        ("Ada", [place].as_slice())
    );
    let face = &document.faces[0];
    assert_eq!((face.place, face.confidence), (place, 0.9999));
    let attributes: Vec<_> = face.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(attributes, [("AgeRange", "22-30"), ("Emotion", "HAPPY"), ("Gender", "Female"), ("Smile", "true")]);
}

#[test]
fn a_face_has_no_more_attributes_than_were_returned() {
    let document = contributed(json!({"FaceDetails": [{"BoundingBox": {}, "Confidence": 50.0}]}));
    assert!(document.faces[0].attributes.is_empty());
}

#[test]
fn text_in_pictures_is_metadata_by_lines() {
    let text = |text: &str, kind: &str| json!({"DetectedText": text, "Type": kind, "Confidence": 99.0});
    let document =
        contributed(json!({"TextDetections": [text("STOP HERE", "LINE"), text("STOP", "WORD"), text("ÖL", "LINE")]}));
    assert_eq!((document.text.as_str(), document.metadata["rekognition_text"].as_str()), ("", "STOP HERE\nÖL"));
    assert!(contributed(json!({})).metadata.is_empty());
}

#[test]
fn unreadable_answers_are_faults_and_no_answer_is_none() {
    let findings =
        |raw| Findings { engine: "aws".into(), pages: 0, cost_usd: 0.0, features: Vec::new(), skipped: None, raw };
    let wrong = Rekognition.contribute(&findings(json!({"Labels": "x"})), &mut Extraction::default());
    assert_eq!(wrong.unwrap_err().name, FailureName::Internal);
    assert_eq!(contributed(Value::Null), Extraction::default());
}

#[test]
fn limits_are_checked_before_anything_is_spent() {
    let task = Task { service: "rekognition".into(), features: Vec::new() };
    let cases = [
        ("image/png", LIMIT_BYTES, None),
        ("image/jpeg", LIMIT_BYTES + 1, Some(FailureName::ObjectTooLarge)),
        ("image/heic", 1, Some(FailureName::UnsupportedMedia)),
    ];
    for (media_type, size_bytes, refused) in cases {
        let subject = Subject {
            object: ObjectRef::new("raw", "a"),
            etag: "e".into(),
            size_bytes,
            media_type: media_type.into(),
            declared_type: None,
            family: Family::Image,
        };
        assert_eq!(Rekognition.check(&subject, &task).err().map(|failure| failure.name), refused);
        assert_eq!(Rekognition.place(&subject).is_some(), media_type != "image/heic");
    }
}

#[test]
fn headers_say_how_many_pixels_there_are() {
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &640_u32.to_be_bytes(), &79_u32.to_be_bytes()].concat();
    let jpeg = [b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xFF\xC4\0\x03x\xFF\xC2\0\x11\x08".as_slice(), &[0x01, 0x00, 0x02, 0x00]]
        .concat();
    let cases = [
        (png.as_slice(), Some((640, 79))),
        (&png[..22], None),
        (&jpeg, Some((512, 256))),
        (&jpeg[..jpeg.len() - 1], None),
        (b"\xFF\xD8\xFF\xE0\0\0\xFF\xE0\0\0", None),
        (b"\xFF\xD8\xFF\xDA\0\x04", None),
        (b"\xFF\xD8 no marker", None),
        (b"GIF89a", None),
        (b"", None),
    ];
    for (head, expected) in cases {
        assert_eq!(pixels(head).map(|it| (it.width, it.height)), expected);
    }
}

#[test]
fn large_pictures_lose_two_features_only() {
    let large = Some(Pixels { width: 20, height: MOST_PIXELS + 1 });
    for (feature, refused) in [(LABELS, true), (MODERATION, true), (FACES, false), (TEXT, false)] {
        assert_eq!(too_many_pixels(feature, large).is_some(), refused, "{feature}");
        assert!(too_many_pixels(feature, None).is_none());
    }
}
