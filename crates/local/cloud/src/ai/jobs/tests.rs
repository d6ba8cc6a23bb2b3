use serde_json::json;

use super::*;
use crate::ai::fixture::Fixture;

fn new(name: &str, token: Option<&str>) -> NewJob {
    let (name, token) = (name.to_owned(), token.map(str::to_owned));
    NewJob { service: Service::Textract, name, kind: "kind".to_owned(), token, request: json!({"of": "test"}) }
}

#[tokio::test]
async fn a_name_or_a_token_finds_the_job_that_is_there() {
    let fixture = Fixture::new("[]").await;
    let media = &fixture.media;
    media.tasks().close();
    assert!(matches!(media.open_job(new("one", Some("t"))).await.unwrap(), Opened::New));
    for again in [new("one", None), new("two", Some("t"))] {
        let Opened::Existing(job) = media.open_job(again).await.unwrap() else { panic!("there is one already") };
        assert_eq!((job.name.as_str(), job.status), ("one", Status::Queued));
    }
    assert!(matches!(media.open_job(new("two", None)).await.unwrap(), Opened::New));
    assert!(matches!(media.open_job(new("three", None)).await.unwrap(), Opened::New));
    assert_eq!(media.count_open_jobs(Service::Textract).await.unwrap(), 3);
    assert_eq!(media.count_open_jobs(Service::Transcribe).await.unwrap(), 0);
}

#[tokio::test]
async fn an_end_is_kept_and_a_deleted_job_is_gone() {
    let fixture = Fixture::new("[]").await;
    let media = &fixture.media;
    media.tasks().close();
    media.open_job(new("one", None)).await.unwrap();
    media.end(Service::Textract, "one".to_owned(), End::Failed("because".to_owned())).await.unwrap();
    let job = media.find_job(Service::Textract, "one").await.unwrap().unwrap();
    assert_eq!((job.status, job.reason.as_deref()), (Status::Failed, Some("because")));
    assert!(job.ended.is_some());
    assert!(media.delete_job(Service::Textract, "one").await.unwrap());
    assert!(!media.delete_job(Service::Textract, "one").await.unwrap());
    assert_eq!(media.find_job(Service::Textract, "one").await.unwrap(), None);
}

#[tokio::test]
async fn a_job_that_was_deleted_while_it_waited_does_not_run() {
    let fixture = Fixture::new("[]").await;
    let media = &fixture.media;
    media.tasks().close();
    media.open_job(new("one", None)).await.unwrap();
    media.delete_job(Service::Textract, "one").await.unwrap();
    assert!(media.run(Service::Textract, "one").await.is_ok());
}
