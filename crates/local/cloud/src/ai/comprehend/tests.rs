//! Requests and answers as JSON, in AWS's own member names.

use serde_json::{Value, json};

use super::answer;

fn ok(operation: &str, body: Value) -> (Value, String) {
    let reply = answer(operation, body).unwrap_or_else(|error| panic!("{operation}: {error}"));
    (reply.body, reply.engine.expect("every answer names its engine"))
}

fn refused(operation: &str, body: Value) -> (u16, String, String) {
    let error = answer(operation, body).expect_err("a refusal");
    (error.status, error.code.into_owned(), error.message)
}

#[test]
fn language() {
    let (body, engine) =
        ok("DetectDominantLanguage", json!({"Text": "Der Ausschuss tritt am Donnerstag wieder zusammen."}));
    assert_eq!(body["Languages"][0]["LanguageCode"], "de");
    assert!(body["Languages"][0]["Score"].as_f64().unwrap() > 0.5);
    assert_eq!(engine, "lingua 1.8");
    let (body, _) = ok("DetectDominantLanguage", json!({"Text": "12345"}));
    assert_eq!(body, json!({"Languages": []}));
}

#[test]
fn sentiment() {
    let (body, engine) = ok("DetectSentiment", json!({"Text": "I love it, it is wonderful!", "LanguageCode": "en"}));
    assert_eq!(body["Sentiment"], "POSITIVE");
    let scores = body["SentimentScore"].as_object().unwrap();
    let mut names: Vec<&String> = scores.keys().collect();
    names.sort();
    assert_eq!(names, ["Mixed", "Negative", "Neutral", "Positive"]);
    let sum: f64 = scores.values().map(|score| score.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    assert_eq!(engine, "vader_sentiment 0.1");
}

#[test]
fn entities_and_key_phrases_with_offsets_in_characters() {
    let text = "🦀 é: Dr. Ann Miller paid $5 in Paris.";
    let (body, engine) = ok("DetectEntities", json!({"Text": text, "LanguageCode": "en"}));
    let found: Vec<(&str, &str)> = body["Entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entity| (entity["Type"].as_str().unwrap(), entity["Text"].as_str().unwrap()))
        .collect();
    assert_eq!(found, [("PERSON", "Ann Miller"), ("QUANTITY", "$5"), ("LOCATION", "Paris")]);
    assert_eq!((&body["Entities"][0]["BeginOffset"], &body["Entities"][0]["EndOffset"]), (&json!(9), &json!(19)));
    assert_eq!(engine, "sluice rules");

    let (body, _) = ok("DetectKeyPhrases", json!({"Text": "🦀 the annual report", "LanguageCode": "en"}));
    assert_eq!(
        body,
        json!({"KeyPhrases": [{"Score": 0.65, "Text": "annual report", "BeginOffset": 6, "EndOffset": 19}]})
    );
}

#[test]
fn pii_without_its_text() {
    let text = "é mail a@b.org or c@d.org, card 4111 1111 1111 1111";
    let (body, _) = ok("DetectPiiEntities", json!({"Text": text, "LanguageCode": "es"}));
    assert_eq!(body["Entities"][0], json!({"Score": 0.99, "Type": "EMAIL", "BeginOffset": 7, "EndOffset": 14}));
    let (body, _) = ok("ContainsPiiEntities", json!({"Text": text, "LanguageCode": "en"}));
    assert_eq!(
        body,
        json!({"Labels": [{"Name": "CREDIT_DEBIT_NUMBER", "Score": 0.97}, {"Name": "EMAIL", "Score": 0.99}]})
    );
}

#[test]
fn a_batch_answers_what_it_can_and_says_what_it_cannot() {
    let texts = json!(["I love it!", "", "x".repeat(5_001), "I hate it!"]);
    let (body, engine) = ok("BatchDetectSentiment", json!({"TextList": texts, "LanguageCode": "en"}));
    let indices =
        |list: &Value| list.as_array().unwrap().iter().map(|item| item["Index"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(indices(&body["ResultList"]), [0, 3]);
    assert_eq!(body["ResultList"][1]["Sentiment"], "NEGATIVE");
    assert_eq!(indices(&body["ErrorList"]), [1, 2]);
    assert_eq!(body["ErrorList"][1]["ErrorCode"], "TEXT_SIZE_LIMIT_EXCEEDED");
    assert_eq!(engine, "vader_sentiment 0.1");
    for operation in ["BatchDetectDominantLanguage", "BatchDetectEntities", "BatchDetectKeyPhrases"] {
        let (body, _) =
            ok(operation, json!({"TextList": ["The annual report of Acme Ltd was sent."], "LanguageCode": "en"}));
        assert_eq!(indices(&body["ResultList"]), [0], "{operation}");
        assert_eq!(body["ErrorList"], json!([]));
    }
}

#[test]
fn what_aws_refuses_is_refused_under_its_name() {
    let text = |length: usize| json!({"Text": "é".repeat(length / 2), "LanguageCode": "en"});
    let cases = [
        ("DetectSentiment", text(5_002), "TextSizeLimitExceededException"),
        ("DetectEntities", text(100_002), "TextSizeLimitExceededException"),
        ("DetectPiiEntities", text(100_002), "TextSizeLimitExceededException"),
        ("DetectDominantLanguage", json!({"Text": ""}), "InvalidRequestException"),
        ("DetectKeyPhrases", json!({"Text": "", "LanguageCode": "en"}), "InvalidRequestException"),
        ("DetectEntities", json!({"LanguageCode": "en"}), "ValidationException"),
        ("DetectEntities", json!({"Text": "x"}), "ValidationException"),
        ("DetectSentiment", json!({"Text": "x", "LanguageCode": "nl"}), "UnsupportedLanguageException"),
        ("DetectPiiEntities", json!({"Text": "x", "LanguageCode": "de"}), "UnsupportedLanguageException"),
        ("ContainsPiiEntities", json!({"Text": "x", "LanguageCode": "zh"}), "UnsupportedLanguageException"),
        (
            "BatchDetectEntities",
            json!({"TextList": vec!["x"; 26], "LanguageCode": "en"}),
            "BatchSizeLimitExceededException",
        ),
        ("BatchDetectEntities", json!({"TextList": [], "LanguageCode": "en"}), "ValidationException"),
        ("BatchDetectEntities", json!({"LanguageCode": "en"}), "ValidationException"),
        ("DetectEntities", json!({"Text": 5, "LanguageCode": "en"}), "SerializationException"),
        ("DetectNothing", json!({}), "UnknownOperationException"),
    ];
    for (operation, body, expected) in cases {
        let (status, code, message) = refused(operation, body);
        assert_eq!((status, code.as_str()), (400, expected), "{operation}: {message}");
    }
    assert!(answer("DetectSentiment", text(5_000)).is_ok());
}

#[test]
fn what_no_local_engine_does_says_so() {
    let text = |language: &str| json!({"Text": "x", "LanguageCode": language});
    let cases = [
        (
            "DetectSentiment",
            text("de"),
            "`DetectSentiment` in `de` is not available locally: `vader_sentiment` reads English only",
        ),
        ("BatchDetectSentiment", json!({"TextList": ["x"], "LanguageCode": "fr"}), "`BatchDetectSentiment` in `fr`"),
        ("DetectEntities", text("ja"), "`sluice rules` reads English, French"),
        ("DetectKeyPhrases", text("zh-TW"), "`DetectKeyPhrases` in `zh-TW`"),
        ("DetectEntities", json!({"Text": "x", "EndpointArn": "arn:aws:comprehend:x"}), "custom entity recognizers"),
        ("DetectEntities", json!({"Bytes": "eA=="}), "custom entity recognizers"),
        ("DetectSyntax", text("en"), "parts of speech"),
        ("DetectTargetedSentiment", text("en"), "sentiment"),
        ("DetectToxicContent", json!({}), "toxicity"),
        ("ClassifyDocument", json!({}), "classif"),
        ("StartEntitiesDetectionJob", json!({}), "jobs"),
    ];
    for (operation, body, part) in cases {
        let (status, code, message) = refused(operation, body);
        assert_eq!((status, code.as_str()), (501, "NotAvailableLocally"), "{operation}");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn every_pii_type_is_one_of_comprehends() {
    // Comprehend's list as of 2017-11-27; a type outside it would not parse in the SDK's enum.
    const KNOWN: &str = "BANK_ACCOUNT_NUMBER BANK_ROUTING CREDIT_DEBIT_NUMBER CREDIT_DEBIT_CVV CREDIT_DEBIT_EXPIRY PIN EMAIL ADDRESS NAME PHONE SSN DATE_TIME PASSPORT_NUMBER DRIVER_ID URL AGE USERNAME PASSWORD AWS_ACCESS_KEY AWS_SECRET_KEY IP_ADDRESS MAC_ADDRESS ALL LICENSE_PLATE VEHICLE_IDENTIFICATION_NUMBER UK_NATIONAL_INSURANCE_NUMBER CA_SOCIAL_INSURANCE_NUMBER US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER IN_PERMANENT_ACCOUNT_NUMBER IN_NREGA INTERNATIONAL_BANK_ACCOUNT_NUMBER SWIFT_CODE UK_NATIONAL_HEALTH_SERVICE_NUMBER CA_HEALTH_NUMBER IN_AADHAAR IN_VOTER_NUMBER";
    for kind in engines::pii::PiiType::ALL {
        assert!(KNOWN.split(' ').any(|known| known == kind.as_str()), "{}", kind.as_str());
    }
}
