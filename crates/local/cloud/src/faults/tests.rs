use std::time::Duration;

use fastrand::Rng;

use super::{FaultError, Faults, Refusal, Strike, Surface};

fn faults(words: &[&str]) -> Faults {
    Faults::parse(words, Rng::with_seed(7)).unwrap()
}

#[test]
fn a_word_strikes_the_surface_that_it_names() {
    let faults = faults(&["textract:throttle=1", "delay=200ms", "s3:error=1"]);
    let strike = |surface| faults.strike(surface);
    let delay = Duration::from_millis(200);
    assert_eq!(strike(Surface::Textract), Strike { delay, refusal: Some(Refusal::Throttled) });
    assert_eq!(strike(Surface::S3), Strike { delay, refusal: Some(Refusal::Failed) });
    assert_eq!(strike(Surface::Comprehend), Strike { delay, refusal: None });
    assert_eq!(strike(Surface::Queue), Strike { delay: Duration::ZERO, refusal: None });
}

#[test]
fn a_chance_is_met_about_as_often_as_it_says() {
    let faults = faults(&["throttle=0.3", "duplicate-events=0.5", "kill-workers=0.1"]);
    let throttled = (0..10_000).filter(|_| faults.strike(Surface::States).refusal.is_some()).count();
    let duplicated = (0..10_000).filter(|_| faults.duplicates_event()).count();
    let killed = (0..10_000).filter(|_| faults.kills_worker().is_some()).count();
    assert!((2_700..3_300).contains(&throttled), "{throttled}");
    assert!((4_700..5_300).contains(&duplicated), "{duplicated}");
    assert!((800..1_200).contains(&killed), "{killed}");
    assert!(!faults.reorders_event());
}

#[test]
fn each_service_throttles_under_its_own_code() {
    let code = |surface| {
        let error = Refusal::Throttled.error(surface);
        (error.status, error.code.into_owned())
    };
    assert_eq!(code(Surface::S3), (503, "SlowDown".to_owned()));
    assert_eq!(code(Surface::Lambda), (429, "TooManyRequestsException".to_owned()));
    assert_eq!(code(Surface::Transcribe), (400, "LimitExceededException".to_owned()));
    assert_eq!(code(Surface::Textract), (400, "ProvisionedThroughputExceededException".to_owned()));
    assert_eq!(code(Surface::States), (400, "ThrottlingException".to_owned()));
}

#[test]
fn a_word_that_is_no_fault_is_refused_with_its_reason() {
    let refused = |word: &str| Faults::parse(&[word], Rng::with_seed(0)).unwrap_err();
    let owned = str::to_owned;
    assert_eq!(refused("throttle"), FaultError::Unknown(owned("throttle")));
    assert_eq!(refused("break=1"), FaultError::Unknown(owned("break=1")));
    assert_eq!(refused("sns:throttle=1"), FaultError::Surface(owned("sns:throttle=1")));
    assert_eq!(refused("throttle=1.1"), FaultError::Chance(owned("throttle=1.1")));
    assert_eq!(refused("throttle=NaN"), FaultError::Chance(owned("throttle=NaN")));
    assert_eq!(refused("delay=200"), FaultError::Delay(owned("delay=200")));
    assert_eq!(refused("delay=61s"), FaultError::Delay(owned("delay=61s")));
    assert_eq!(refused("s3:kill-workers=1"), FaultError::Misplaced(owned("s3:kill-workers=1")));
    assert_eq!(refused("queue:throttle=1"), FaultError::Misplaced(owned("queue:throttle=1")));
    assert_eq!(refused("lambda:duplicate-events=1"), FaultError::Misplaced(owned("lambda:duplicate-events=1")));
}
