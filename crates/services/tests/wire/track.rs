//! Where the answers of a track lie, and what two tries of one step make of each other.

use std::collections::HashMap;
use std::sync::Mutex;

use domain::answer::Findings;
use domain::plan::{Task, Track};
use domain::stage::{ExecutionRef, Progress, TrackState};
use services::task::{OpenTrack, read_answers};

use crate::server::{Answer, Asked};
use crate::world::World;

/// A bucket that writes nothing twice.
fn bucket() -> impl Fn(&Asked) -> Answer + Send + Sync + 'static {
    let objects: Mutex<HashMap<String, String>> = Mutex::default();
    move |asked| {
        let mut objects = objects.lock().unwrap();
        match asked.operation.split_once(' ').unwrap() {
            ("PUT", key) if objects.contains_key(key) => Answer::s3_error(412, "PreconditionFailed"),
            ("PUT", key) => {
                let body = asked.body.as_str().map_or_else(|| asked.body.to_string(), str::to_owned);
                objects.insert(key.to_owned(), body);
                Answer::bytes(Vec::new())
            }
            (_, key) => match objects.get(key) {
                Some(body) => Answer::bytes(body.clone().into_bytes()),
                None => Answer::s3_error(404, "NoSuchKey"),
            },
        }
    }
}

async fn world() -> World {
    world_with(bucket()).await
}

async fn world_with(bucket: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> World {
    let mut world = World::new("application/pdf", &[], bucket).await;
    "extracted".clone_into(&mut world.deployment.names.extracted_bucket);
    world
}

fn state(world: &World) -> TrackState {
    let task = |service: &str| Task { service: service.into(), features: Vec::new() };
    TrackState {
        execution: ExecutionRef {
            arn: "arn".into(),
            name: "run".into(),
            started: jiff::Timestamp::UNIX_EPOCH,
            redrive_count: 0,
        },
        subject: world.subject.clone(),
        track: Track { name: "text".into(), tasks: ["document-text", "textract", "comprehend"].map(task).into() },
        position: 0,
        answers: Vec::new(),
        progress: Progress::Start,
    }
}

/// Opens the track at its start and does so many of its tasks.
async fn tried(world: &World, tasks: usize) -> OpenTrack<'_> {
    let mut track = OpenTrack::open(&world.deployment, state(world)).await.unwrap();
    for _ in 0..tasks {
        take(&mut track, 0.0);
    }
    track
}

fn take(track: &mut OpenTrack<'_>, cost_usd: f64) {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let answer = track.prepare().unwrap().answer(Findings { cost_usd, ..Findings::skipped("nothing") }, now, now);
    track.take(answer).unwrap();
}

/// The services whose answers the state names, place by place.
async fn answers(world: &World, state: &TrackState) -> Vec<Vec<String>> {
    let mut places = Vec::new();
    for place in &state.answers {
        let answers = read_answers(&world.deployment, place).await.unwrap();
        places.push(answers.into_iter().map(|answer| answer.service).collect());
    }
    places
}

#[tokio::test]
async fn what_one_step_found_lies_in_one_object() {
    let world = world().await;
    let mut track = tried(&world, 3).await;
    assert!(track.is_done());
    track.store().await.unwrap();
    let state = track.into_state();
    assert_eq!((state.position, &state.progress), (3, &Progress::Done));
    assert_eq!(answers(&world, &state).await, [["document-text", "textract", "comprehend"]]);
    assert_eq!(world.server.count("PUT /extracted/work/run/text/0-document-text.jsonl"), 1);
    let mut again = tried(&world, 0).await;
    assert!(again.adopt().await.unwrap());
    assert_eq!(again.into_state(), state);
}

#[tokio::test]
async fn the_try_that_stores_first_is_kept_and_gone_on_from() {
    for (first, second) in [(1, 3), (3, 1), (2, 2)] {
        let world = world().await;
        let (mut one, mut other) = (tried(&world, first).await, tried(&world, second).await);
        one.store().await.unwrap();
        other.store().await.unwrap();
        let (one, other) = (one.into_state(), other.into_state());
        assert_eq!((one.position, other.position), (first, first.max(second)), "{first} and {second}");
        assert_eq!(answers(&world, &one).await.concat().len(), one.position, "{first} and {second}");
        assert_eq!(answers(&world, &other).await.concat().len(), other.position, "{first} and {second}");
        assert_eq!(one.answers[0], other.answers[0]);
    }
}

#[tokio::test]
async fn what_cost_something_or_could_be_lost_with_the_process_does_not_wait() {
    let world = world().await;
    let mut track = tried(&world, 1).await;
    assert!(!track.may_wait(), "textract opens the file");
    track.store().await.unwrap();
    take(&mut track, 0.0);
    assert!(track.may_wait(), "comprehend reads what was found");
    let mut track = tried(&world, 1).await;
    take(&mut track, 0.0015);
    assert!(!track.may_wait(), "it would be paid twice");
}

#[tokio::test]
async fn an_object_without_answers_is_no_answer() {
    let empty = |asked: &Asked| match asked.operation.split_once(' ') {
        Some(("PUT", _)) => Answer::s3_error(412, "PreconditionFailed"),
        _ => Answer::bytes(Vec::new()),
    };
    let world = world_with(empty).await;
    assert!(tried(&world, 0).await.adopt().await.unwrap_err().message.contains("holds no answer"));
    assert!(tried(&world, 1).await.store().await.unwrap_err().message.contains("holds no answer"));
}

#[tokio::test]
async fn a_track_that_has_no_such_task_is_refused() {
    let world = world().await;
    let beyond = TrackState { position: 3, ..state(&world) };
    assert!(OpenTrack::open(&world.deployment, beyond).await.unwrap_err().message.contains("no task 3"));
}
