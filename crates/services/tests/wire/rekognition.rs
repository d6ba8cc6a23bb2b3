//! Features that work beside features that no engine has, and images that are refused.

use domain::answer::Outcome::{Succeeded, Unavailable};
use domain::failure::FailureName;
use serde_json::json;
use services::rekognition::Rekognition;
use services::{Service, Start};

use crate::server::{Answer, Asked};
use crate::world::{World, done, outcomes};

const ALL: &[&str] = &["labels", "faces", "text", "moderation", "celebrities"];

fn png(width: u32, height: u32) -> Answer {
    let head = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &width.to_be_bytes(), &height.to_be_bytes()].concat();
    Answer::bytes(head)
}

fn answer(asked: &Asked) -> Answer {
    let place = json!({"Left": 0.25, "Top": 0.5, "Width": 0.1, "Height": 0.2});
    let body = match asked.operation.as_str() {
        "GET /raw/in/file" => return png(640, 480),
        "DetectLabels" => {
            json!({"Labels": [{"Name": "Dog", "Confidence": 98.5, "Instances": [{"BoundingBox": place, "Confidence": 98.0}]}]})
        }
        "DetectFaces" => {
            json!({"FaceDetails": [{"BoundingBox": place, "Confidence": 99.0, "Smile": {"Value": false, "Confidence": 70.0}, "Pose": {"Roll": 1.0, "Yaw": 0.0, "Pitch": 0.0}}]})
        }
        "DetectText" => {
            json!({"TextDetections": [{"DetectedText": "STOP", "Type": "LINE", "Id": 0, "Confidence": 99.0}]})
        }
        "DetectModerationLabels" => {
            json!({"ModerationLabels": [{"Name": "Alcohol", "ParentName": "", "Confidence": 80.0}]})
        }
        _ => {
            json!({"CelebrityFaces": [{"Name": "Ada", "MatchConfidence": 90.0, "Face": {"BoundingBox": place}}], "UnrecognizedFaces": []})
        }
    };
    Answer::json(&body)
}

#[tokio::test]
async fn all_features_of_one_image() {
    let world = World::new("image/png", ALL, answer).await;
    let findings = done(Rekognition.start(&world.call()).await.unwrap());
    assert_eq!(outcomes(&findings), ALL.iter().map(|feature| (*feature, Succeeded)).collect::<Vec<_>>());
    assert_eq!(
        world.server.body("DetectFaces")["Image"]["S3Object"],
        json!({"Bucket": "raw", "Name": "in/file", "Version": "v7"})
    );
    assert!((findings.cost_usd - 0.005).abs() < 1e-9);
    assert_eq!(findings.engine, "aws");
    let mut document = world.earlier.clone();
    Rekognition.contribute(&findings, &mut document).unwrap();
    assert_eq!((document.labels[0].name.as_str(), document.labels[0].places[0].left), ("Dog", 0.25));
    assert_eq!((document.faces[0].attributes["Smile"].as_str(), document.faces[0].attributes.len()), ("false", 1));
    assert_eq!((document.moderation[0].name.as_str(), document.celebrities[0].name.as_str()), ("Alcohol", "Ada"));
    assert_eq!(document.metadata["rekognition_text"], "STOP");
}

#[tokio::test]
async fn what_no_engine_does_is_unavailable_and_costs_nothing() {
    let script = |asked: &Asked| match asked.operation.as_str() {
        "DetectLabels" | "RecognizeCelebrities" => Answer::not_available(),
        _ => answer(asked),
    };
    let world = World::new("image/png", &["labels", "faces", "celebrities"], script).await;
    let findings = done(Rekognition.start(&world.call()).await.unwrap());
    assert_eq!(outcomes(&findings), [("labels", Unavailable), ("faces", Succeeded), ("celebrities", Unavailable)]);
    assert!((findings.cost_usd - 0.001).abs() < 1e-9);
    assert_eq!(findings.engine, "nothing 1.0");
}

#[tokio::test]
async fn a_refused_image_fails_the_task() {
    let cases = [
        (400, "InvalidImageFormatException", FailureName::ServiceRejected),
        (400, "ImageTooLargeException", FailureName::ObjectTooLarge),
        (400, "ProvisionedThroughputExceededException", FailureName::Throttled),
        (400, "ThrottlingException", FailureName::Throttled),
        (500, "InternalServerError", FailureName::Transient),
    ];
    for (status, code, name) in cases {
        let script = move |asked: &Asked| {
            if asked.operation == "DetectFaces" { Answer::error(status, code) } else { answer(asked) }
        };
        let world = World::new("image/png", ALL, script).await;
        assert_eq!(Rekognition.start(&world.call()).await.unwrap_err().name, name, "{code}");
    }
}

#[tokio::test]
async fn a_permission_that_lacks_costs_one_feature() {
    let script = |asked: &Asked| {
        if asked.operation == "DetectFaces" { Answer::error(400, "AccessDeniedException") } else { answer(asked) }
    };
    let world = World::new("image/png", ALL, script).await;
    let findings = done(Rekognition.start(&world.call()).await.unwrap());
    assert_eq!(outcomes(&findings)[1], ("faces", domain::answer::Outcome::Failed));
}

#[tokio::test]
async fn tiny_images_are_skipped_without_a_call() {
    let world = World::new("image/png", ALL, |_| png(16, 480)).await;
    let findings = done(Rekognition.start(&world.call()).await.unwrap());
    assert!(findings.skipped.unwrap().contains("16 by 480"));
    assert_eq!(world.server.asked().len(), 1);
}
