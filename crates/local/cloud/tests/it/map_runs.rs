//! Distributed Maps by the real SDK: readers, batches, results, tolerance, stops, crashes and redrives.

use std::io::Write as _;
use std::path::Path;

use ::cloud::Cloud;
use aws_sdk_sfn::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::operation::describe_map_run::DescribeMapRunOutput;
use aws_sdk_sfn::types::{ExecutionRedriveStatus, ExecutionStatus, HistoryEventType, MapRunItemCounts, MapRunStatus};
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::common::{config, eventually, start};

const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:machine";

/// A cloud with a bucket, and its clients.
struct World {
    cloud: Cloud,
    sfn: aws_sdk_sfn::Client,
    s3: aws_sdk_s3::Client,
}

impl World {
    async fn new(directory: &Path) -> Self {
        let world = Self::again(directory).await;
        world.s3.create_bucket().bucket("bucket").send().await.unwrap();
        world
    }

    /// The same directory once more.
    async fn again(directory: &Path) -> Self {
        let cloud = start(&config(directory)).await;
        let credentials = Credentials::new("local", "local", None, None, "test");
        let sfn = aws_sdk_sfn::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(cloud.endpoint())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(credentials.clone())
            .build();
        let s3 = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .endpoint_url(cloud.endpoint())
            .region(aws_sdk_s3::config::Region::new("us-east-1"))
            .credentials_provider(credentials)
            .force_path_style(true)
            .build();
        Self { cloud, sfn: aws_sdk_sfn::Client::from_conf(sfn), s3: aws_sdk_s3::Client::from_conf(s3) }
    }

    async fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.s3.put_object().bucket("bucket").key(key).body(bytes.into().into()).send().await.unwrap();
    }

    async fn get(&self, key: &str) -> String {
        let object = self.s3.get_object().bucket("bucket").key(key).send().await.unwrap();
        String::from_utf8(object.body.collect().await.unwrap().to_vec()).unwrap()
    }

    async fn create(&self, definition: &Value) {
        let made = self.sfn.create_state_machine().name("machine").definition(definition.to_string());
        made.role_arn("arn:aws:iam::000000000000:role/r").send().await.unwrap();
    }

    async fn begin(&self, input: &Value) -> String {
        let started = self.sfn.start_execution().state_machine_arn(MACHINE).input(input.to_string()).send().await;
        started.unwrap().execution_arn().to_owned()
    }

    async fn describe(&self, arn: &str) -> DescribeExecutionOutput {
        self.sfn.describe_execution().execution_arn(arn).send().await.unwrap()
    }

    async fn ends(&self, arn: &str) -> DescribeExecutionOutput {
        let running = async || *self.describe(arn).await.status() == ExecutionStatus::Running;
        eventually("the execution ends", async || !running().await).await;
        self.describe(arn).await
    }

    /// Runs a Map with some fields to its end.
    async fn run(&self, fields: &Value, input: &Value) -> DescribeExecutionOutput {
        self.create(&machine(fields)).await;
        let arn = self.begin(input).await;
        let ended = self.ends(&arn).await;
        self.sfn.delete_state_machine().state_machine_arn(MACHINE).send().await.unwrap();
        ended
    }

    /// The output of a Map that succeeds.
    async fn output(&self, fields: &Value) -> Value {
        let ended = self.run(fields, &json!({})).await;
        assert_eq!(*ended.status(), ExecutionStatus::Succeeded, "{ended:?}");
        serde_json::from_str(ended.output().unwrap()).unwrap()
    }

    async fn map_run_arn(&self, execution: &str) -> String {
        let there = async || {
            let runs = self.sfn.list_map_runs().execution_arn(execution).send().await.unwrap();
            runs.map_runs().first().map(|run| run.map_run_arn().to_owned())
        };
        eventually("the Map Run is there", async || there().await.is_some()).await;
        there().await.unwrap()
    }

    async fn map_run(&self, arn: &str) -> DescribeMapRunOutput {
        self.sfn.describe_map_run().map_run_arn(arn).send().await.unwrap()
    }

    async fn counts(&self, arn: &str) -> MapRunItemCounts {
        self.map_run(arn).await.item_counts().unwrap().clone()
    }

    async fn history(&self, arn: &str) -> Vec<HistoryEventType> {
        let history = self.sfn.get_execution_history().execution_arn(arn).send().await.unwrap();
        history.events().iter().map(|event| event.r#type().clone()).collect()
    }
}

fn processor(states: &Value) -> Value {
    json!({ "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" }, "StartAt": "Item", "States": states })
}

/// A machine that is one distributed Map; its children pass their input on unless the fields say else.
fn machine(fields: &Value) -> Value {
    let mut map = json!({
        "Type": "Map", "End": true, "Label": "label",
        "ItemProcessor": processor(&json!({ "Item": { "Type": "Pass", "End": true } }))
    });
    map.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "StartAt": "Map", "States": { "Map": map } })
}

fn reader(key: &str, config: &Value) -> Value {
    json!({ "ItemReader": {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": { "Bucket": "bucket", "Key": key },
        "ReaderConfig": config
    } })
}

fn listing(parameters: &Value, config: &Value) -> Value {
    json!({ "ItemReader": {
        "Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": parameters, "ReaderConfig": config
    } })
}

fn waiting(seconds: u64) -> Value {
    processor(&json!({ "Item": { "Type": "Wait", "Seconds": seconds, "End": true } }))
}

/// Children that fail where their input is odd.
fn odd_fails() -> Value {
    processor(&json!({
        "Item": {
            "Type": "Choice",
            "Choices": [{ "Or": [{ "Variable": "$", "NumericEquals": 1 }, { "Variable": "$", "NumericEquals": 3 }], "Next": "Odd" }],
            "Default": "Even"
        },
        "Odd": { "Type": "Fail", "Error": "Odd", "Cause": "as it is" },
        "Even": { "Type": "Pass", "End": true }
    }))
}

#[tokio::test]
async fn children_are_executions_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    world.put("items.json", r#"[{"a":1},{"a":2}]"#).await;
    let fields = reader("items.json", &json!({ "InputType": "JSON" }));
    world.create(&machine(&fields)).await;
    let arn = world.begin(&json!({})).await;
    let ended = world.ends(&arn).await;
    assert_eq!(ended.output(), Some(r#"[{"a":1},{"a":2}]"#));
    let run_arn = world.map_run_arn(&arn).await;
    assert!(run_arn.starts_with("arn:aws:states:us-east-1:000000000000:mapRun:machine/label:"), "{run_arn}");
    let run = world.map_run(&run_arn).await;
    assert_eq!((run.execution_arn(), run.status()), (arn.as_str(), &MapRunStatus::Succeeded));
    let counts = (run.item_counts().unwrap(), run.execution_counts().unwrap());
    assert_eq!((counts.0.total(), counts.0.succeeded(), counts.1.total(), counts.1.pending()), (2, 2, 2, 0));
    let listed = world.sfn.list_executions().map_run_arn(&run_arn).max_results(1).send().await.unwrap();
    assert!(listed.next_token().is_some());
    let child = &listed.executions()[0];
    assert_eq!((child.map_run_arn(), child.item_count()), (Some(run_arn.as_str()), Some(1)));
    assert_eq!(child.state_machine_arn(), format!("{MACHINE}/label"));
    let described = world.describe(child.execution_arn()).await;
    assert_eq!((described.map_run_arn(), described.input()), (Some(run_arn.as_str()), Some(r#"{"a":2}"#)));
    let machine = world.sfn.describe_state_machine_for_execution().execution_arn(child.execution_arn()).send().await;
    let machine = machine.unwrap();
    assert_eq!(
        (machine.name(), machine.label(), machine.map_run_arn()),
        ("machine", Some("label"), Some(run_arn.as_str()))
    );
    let history = world.history(child.execution_arn()).await;
    assert_eq!(history.last(), Some(&HistoryEventType::ExecutionSucceeded));
    let parents = world.sfn.list_executions().state_machine_arn(MACHINE).send().await.unwrap();
    assert_eq!(parents.executions().len(), 1, "a machine's list does not show children");
    let expected = [
        HistoryEventType::ExecutionStarted,
        HistoryEventType::MapStateEntered,
        HistoryEventType::MapStateStarted,
        HistoryEventType::MapRunStarted,
        HistoryEventType::MapRunSucceeded,
        HistoryEventType::MapStateSucceeded,
        HistoryEventType::MapStateExited,
        HistoryEventType::ExecutionSucceeded,
    ];
    assert_eq!(world.history(&arn).await, expected);
    let missing = world.sfn.describe_map_run().map_run_arn(run_arn.replace("label", "other")).send().await;
    assert_eq!(missing.unwrap_err().code(), Some("ResourceNotFound"));
}

#[tokio::test]
async fn objects_are_read_as_they_are_said_to_be() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    world.put("a.csv", "x;y\r\n1;\"a;b\"\r\n\r\n2\r\n3;4;5\r\n").await;
    world.put("a.jsonl", "{\"x\":1}\n\n[2]\n3").await;
    world.put("a.json", r#"{"in":[0,{"a/b":["u","v","w"]}],"other":[1]}"#).await;
    let csv = json!({ "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "SEMICOLON" });
    let given = json!({ "InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["p"], "MaxItems": 1, "CSVDelimiter": "SEMICOLON" });
    let cases = [
        (reader("a.csv", &csv), json!([{ "x": "1", "y": "a;b" }, { "x": "2", "y": "" }, { "x": "3", "y": "4" }])),
        (reader("a.csv", &given), json!([{ "p": "x" }])),
        (reader("a.jsonl", &json!({ "InputType": "JSONL" })), json!([{ "x": 1 }, [2], 3])),
        (reader("a.jsonl", &json!({ "InputType": "JSONL", "MaxItems": 2 })), json!([{ "x": 1 }, [2]])),
        (reader("a.json", &json!({ "InputType": "JSON", "ItemsPointer": "/in/1/a~1b" })), json!(["u", "v", "w"])),
        (reader("a.json", &json!({ "InputType": "JSON", "ItemsPointer": "/other", "MaxItems": 9 })), json!([1])),
    ];
    for (fields, expected) in cases {
        assert_eq!(world.output(&fields).await, expected, "{fields}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_fails_the_run_and_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    world.put("object.json", r#"{"a":[1]}"#).await;
    world.put("broken.json", "[1,").await;
    world.put("large.jsonl", format!("\"{}\"", "x".repeat(300_000))).await;
    let json_config = || json!({ "InputType": "JSON" });
    let cases = [
        (reader("none.json", &json_config()), "States.ItemReaderFailed", "The specified key does not exist."),
        (reader("object.json", &json_config()), "States.ItemReaderFailed", "Attempting to map over non-iterable node."),
        (
            reader("object.json", &json!({ "InputType": "JSON", "ItemsPointer": "/b" })),
            "States.ItemReaderFailed",
            "Attempting to map over non-iterable node.",
        ),
        (reader("broken.json", &json_config()), "States.ItemReaderFailed", "not valid JSON"),
        (reader("broken.json", &json!({ "InputType": "PARQUET" })), "States.ItemReaderFailed", "Parquet"),
        (
            reader("large.jsonl", &json!({ "InputType": "JSONL" })),
            "States.DataLimitExceeded",
            "exceeding the maximum number of bytes",
        ),
        (
            listing(&json!({ "Bucket": "none" }), &json!({})),
            "States.ItemReaderFailed",
            "The specified bucket does not exist",
        ),
        (
            json!({ "ResultWriter": { "Resource": "arn:aws:states:::s3:putObject", "Parameters": { "Bucket": "none" } } }),
            "States.ResultWriterFailed",
            "The specified bucket does not exist",
        ),
    ];
    for (fields, error, cause) in cases {
        let ended = world.run(&fields, &json!([1])).await;
        assert_eq!((ended.status(), ended.error()), (&ExecutionStatus::Failed, Some(error)), "{fields}");
        assert!(ended.cause().unwrap().contains(cause), "{:?}", ended.cause());
        let history = world.history(ended.execution_arn()).await;
        assert!(history.ends_with(&[
            HistoryEventType::MapRunFailed,
            HistoryEventType::MapStateFailed,
            HistoryEventType::ExecutionFailed
        ]));
    }
}

#[tokio::test]
async fn a_bucket_is_listed_page_by_page_or_its_objects_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    for number in 0..1003 {
        let key = format!("many/{number:04}");
        world.cloud.context().store.put_bytes("bucket", &key, None, "x".into()).await.unwrap();
    }
    let all = listing(&json!({ "Bucket": "bucket", "Prefix": "many/" }), &json!({}));
    let selector = json!({ "ItemSelector": { "k.$": "$$.Map.Item.Value.Key" }, "MaxConcurrency": 100 });
    let mut fields = all.clone();
    fields.as_object_mut().unwrap().extend(selector.as_object().unwrap().clone());
    let output = world.output(&fields).await;
    assert_eq!(output.as_array().unwrap().len(), 1003);
    assert_eq!((&output[0]["k"], &output[1002]["k"]), (&json!("many/0000"), &json!("many/1002")));
    let one =
        world.output(&listing(&json!({ "Bucket": "bucket", "Prefix": "many/" }), &json!({ "MaxItems": 1 }))).await;
    let names: Vec<&String> = one[0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["Etag", "Key", "LastModified", "Size", "StorageClass"]);
    world.put("parts/1.json", "[1,2]").await;
    world.put("parts/2.json", "[3]").await;
    world.put("parts/", "").await;
    let config = json!({ "InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN" });
    let mut fields = listing(&json!({ "Bucket": "bucket", "Prefix": "parts/" }), &config);
    fields["ItemSelector"] = json!({ "v.$": "$$.Map.Item.Value", "from.$": "$$.Map.Item.Source" });
    let output = world.output(&fields).await;
    let from = |number: u32| format!("S3://bucket/parts/{number}.json");
    assert_eq!(output, json!([{ "v": 1, "from": from(1) }, { "v": 2, "from": from(1) }, { "v": 3, "from": from(2) }]));
}

#[tokio::test]
async fn manifests_stand_for_the_files_that_they_list() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"\"b\",\"k%20\",\"7\"\n\"b\",\"l\",\"8\"\n").unwrap();
    world.put("inventory/data.csv.gz", packed.finish().unwrap()).await;
    let manifest = json!({
        "sourceBucket": "b", "destinationBucket": "arn:aws:s3:::bucket", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size", "files": [{ "key": "inventory/data.csv.gz", "size": 1 }]
    });
    world.put("inventory/manifest.json", manifest.to_string()).await;
    let rows = json!([{ "Bucket": "b", "Key": "k%20", "Size": "7" }, { "Bucket": "b", "Key": "l", "Size": "8" }]);
    for config in [json!({ "InputType": "MANIFEST" }), json!({ "ManifestType": "S3_INVENTORY" })] {
        assert_eq!(world.output(&reader("inventory/manifest.json", &config)).await, rows);
    }
    world.put("unload/1", "{\"a\":1}\n").await;
    world.put("unload/2", "{\"a\":2}\n").await;
    world.put("unload/manifest.csv", "s3://bucket/unload/1\ns3://bucket/unload/2\n").await;
    let config = json!({ "ManifestType": "ATHENA_DATA", "InputType": "JSONL" });
    assert_eq!(world.output(&reader("unload/manifest.csv", &config)).await, json!([{ "a": 1 }, { "a": 2 }]));
}

#[tokio::test]
async fn items_are_put_into_batches() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    let fields = json!({
        "ItemsPath": "$.items",
        "ItemSelector": { "n.$": "$$.Map.Item.Value" },
        "ItemBatcher": { "MaxItemsPerBatch": 2, "BatchInput": { "all.$": "$.word" } }
    });
    let ended = world.run(&fields, &json!({ "items": [1, 2, 3], "word": "w" })).await;
    let output: Value = serde_json::from_str(ended.output().unwrap()).unwrap();
    let expected = json!([
        { "BatchInput": { "all": "w" }, "Items": [{ "n": 1 }, { "n": 2 }] },
        { "BatchInput": { "all": "w" }, "Items": [{ "n": 3 }] }
    ]);
    assert_eq!(output, expected);
    let run = world.map_run(&world.map_run_arn(ended.execution_arn()).await).await;
    assert_eq!((run.item_counts().unwrap().total(), run.execution_counts().unwrap().total()), (3, 2));
    let small = json!({ "ItemBatcher": { "MaxInputBytesPerBatch": 20 } });
    let ended = world.run(&small, &json!(["aa", "bb", "cc"])).await;
    assert_eq!(ended.output(), Some(r#"[{"Items":["aa"]},{"Items":["bb"]},{"Items":["cc"]}]"#));
    let too_small = world.run(&json!({ "ItemBatcher": { "MaxInputBytesPerBatch": 3 } }), &json!([1])).await;
    assert_eq!(too_small.error(), Some("States.ItemReaderFailed"));
}

#[tokio::test]
async fn results_are_written_as_files_and_a_manifest() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    let writer = |config: Value| {
        json!({
            "ItemProcessor": odd_fails(), "ToleratedFailureCount": 2, "MaxConcurrency": 1,
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": { "Bucket": "bucket", "Prefix": "out" }, "WriterConfig": config
            }
        })
    };
    let ended =
        world.run(&writer(json!({ "OutputType": "JSON", "Transformation": "NONE" })), &json!([0, 1, 2, 3])).await;
    let output: Value = serde_json::from_str(ended.output().unwrap()).unwrap();
    let run_arn = world.map_run_arn(ended.execution_arn()).await;
    let folder = format!("out/{}", run_arn.rsplit(':').next().unwrap());
    let details = json!({ "Bucket": "bucket", "Key": format!("{folder}/manifest.json") });
    assert_eq!(output, json!({ "MapRunArn": run_arn, "ResultWriterDetails": details }));
    let manifest: Value = serde_json::from_str(&world.get(&format!("{folder}/manifest.json")).await).unwrap();
    assert_eq!((&manifest["DestinationBucket"], &manifest["MapRunArn"]), (&json!("bucket"), &json!(run_arn)));
    assert_eq!(manifest["ResultFiles"]["PENDING"], json!([]));
    let succeeded = world.get(&format!("{folder}/SUCCEEDED_0.json")).await;
    assert_eq!(manifest["ResultFiles"]["SUCCEEDED"][0]["Size"], json!(succeeded.len()));
    let succeeded: Value = serde_json::from_str(&succeeded).unwrap();
    let outputs: Vec<&Value> = succeeded.as_array().unwrap().iter().map(|result| &result["Output"]).collect();
    assert_eq!(outputs, ["0", "2"]);
    let failed: Value = serde_json::from_str(&world.get(&format!("{folder}/FAILED_0.json")).await).unwrap();
    assert_eq!(
        (&failed[1]["Error"], &failed[1]["Input"], &failed[1]["Status"]),
        (&json!("Odd"), &json!("3"), &json!("FAILED"))
    );
    let counts = world.counts(&run_arn).await;
    assert_eq!((counts.results_written(), counts.failed()), (4, 2));
    let lines = writer(json!({ "OutputType": "JSONL", "Transformation": "COMPACT" }));
    let ended = world.run(&lines, &json!([0, 2])).await;
    let run_arn = world.map_run_arn(ended.execution_arn()).await;
    let key = format!("out/{}/SUCCEEDED_0.jsonl", run_arn.rsplit(':').next().unwrap());
    assert_eq!(world.get(&key).await, "0\n2\n");
    let flat = json!({ "ResultWriter": { "WriterConfig": { "OutputType": "JSON", "Transformation": "FLATTEN" } } });
    assert_eq!(world.run(&flat, &json!([[1, 2], 3])).await.output(), Some("[1,2,3]"));
}

#[tokio::test]
async fn as_many_failures_are_tolerated_as_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    let fields = |tolerance: Value| {
        let mut fields = json!({ "ItemProcessor": odd_fails(), "MaxConcurrency": 1 });
        fields.as_object_mut().unwrap().extend(tolerance.as_object().unwrap().clone());
        fields
    };
    let items = json!([0, 1, 2, 3, 4]);
    for tolerance in [json!({ "ToleratedFailureCount": 2 }), json!({ "ToleratedFailurePercentage": 40 })] {
        let ended = world.run(&fields(tolerance.clone()), &items).await;
        assert_eq!(*ended.status(), ExecutionStatus::Succeeded, "{tolerance}");
        let output: Value = serde_json::from_str(ended.output().unwrap()).unwrap();
        assert_eq!((&output[0], &output[1]["Error"], &output[4]), (&json!(0), &json!("Odd"), &json!(4)));
    }
    let writer = json!({ "Resource": "arn:aws:states:::s3:putObject", "Parameters": { "Bucket": "bucket" } });
    let ended = world.run(&fields(json!({ "ResultWriter": writer })), &items).await;
    assert_eq!(ended.error(), Some("States.ExceedToleratedFailureThreshold"));
    assert_eq!(ended.cause(), Some("The specified tolerated failure threshold was exceeded"));
    let run_arn = world.map_run_arn(ended.execution_arn()).await;
    let run = world.map_run(&run_arn).await;
    let counts = run.execution_counts().unwrap();
    assert_eq!(*run.status(), MapRunStatus::Failed);
    assert_eq!((counts.succeeded(), counts.failed(), counts.pending(), counts.total()), (1, 1, 3, 5));
    let key = format!("{}/PENDING_0.json", run_arn.rsplit(':').next().unwrap());
    let pending: Value = serde_json::from_str(&world.get(&key).await).unwrap();
    assert_eq!(pending.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_stopped_parent_takes_its_children_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    world.create(&machine(&json!({ "ItemProcessor": waiting(1000), "MaxConcurrency": 2 }))).await;
    let arn = world.begin(&json!([1, 2, 3])).await;
    let run_arn = world.map_run_arn(&arn).await;
    eventually("two children run", async || world.counts(&run_arn).await.running() == 2).await;
    let children = world.sfn.list_executions().map_run_arn(&run_arn).send().await.unwrap();
    let child = children.executions()[0].execution_arn().to_owned();
    world.sfn.stop_execution().execution_arn(&arn).send().await.unwrap();
    eventually("the children are stopped", async || world.counts(&run_arn).await.aborted() == 2).await;
    assert_eq!(*world.map_run(&run_arn).await.status(), MapRunStatus::Aborted);
    assert_eq!(*world.ends(&child).await.status(), ExecutionStatus::Aborted);
    let history = world.history(&arn).await;
    assert!(history.ends_with(&[HistoryEventType::MapRunAborted, HistoryEventType::ExecutionAborted]), "{history:?}");
    let refused = world.sfn.redrive_execution().execution_arn(&child).send().await;
    assert_eq!(refused.unwrap_err().code(), Some("ExecutionNotRedrivable"));
}

#[tokio::test]
async fn the_bounds_of_a_running_run_can_be_changed() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    world.create(&machine(&json!({ "ItemProcessor": waiting(1000), "MaxConcurrency": 1 }))).await;
    let arn = world.begin(&json!([1, 2, 3])).await;
    let run_arn = world.map_run_arn(&arn).await;
    eventually("one child runs", async || world.counts(&run_arn).await.running() == 1).await;
    let update = world.sfn.update_map_run().map_run_arn(&run_arn).max_concurrency(3).tolerated_failure_count(2);
    update.send().await.unwrap();
    eventually("all children run", async || world.counts(&run_arn).await.running() == 3).await;
    let run = world.map_run(&run_arn).await;
    assert_eq!((run.max_concurrency(), run.tolerated_failure_count()), (3, 2));
    let children = world.sfn.list_executions().map_run_arn(&run_arn).send().await.unwrap();
    for child in &children.executions()[..2] {
        world.sfn.stop_execution().execution_arn(child.execution_arn()).send().await.unwrap();
    }
    eventually("two are stopped", async || world.counts(&run_arn).await.aborted() == 2).await;
    assert_eq!(*world.map_run(&run_arn).await.status(), MapRunStatus::Running);
    let refused = world.sfn.update_map_run().map_run_arn(&run_arn).max_concurrency(-1).send().await;
    assert_eq!(refused.unwrap_err().code(), Some("ValidationException"));
    world.sfn.stop_execution().execution_arn(&arn).send().await.unwrap();
}

#[tokio::test]
async fn after_a_crash_no_item_is_run_again() {
    let directory = tempfile::tempdir().unwrap();
    let marks = directory.path().join("marks");
    let data = directory.path().join("data");
    let world = World::new(&data).await;
    let states = json!({
        "Item": {
            "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:worker",
            "Parameters": { "do": "append", "to": marks }, "ResultPath": null, "Next": "Which"
        },
        "Which": { "Type": "Choice", "Choices": [{ "Variable": "$", "NumericLessThan": 4, "Next": "Now" }], "Default": "Later" },
        "Now": { "Type": "Pass", "End": true },
        "Later": { "Type": "Wait", "Seconds": 2, "End": true }
    });
    world.create(&machine(&json!({ "ItemProcessor": processor(&states), "MaxConcurrency": 5 }))).await;
    let arn = world.begin(&json!([0, 1, 2, 3, 4, 5, 6])).await;
    let run_arn = world.map_run_arn(&arn).await;
    let marked = || std::fs::read(&marks).unwrap_or_default().len();
    eventually("four children have ended", async || world.counts(&run_arn).await.succeeded() == 4).await;
    // A function has marked its item before its answer is on disk; a child that waits has the answer.
    eventually("three children wait", async || {
        let running = world.sfn.list_executions().map_run_arn(&run_arn).status_filter(ExecutionStatus::Running);
        let mut waiting = 0;
        for child in running.send().await.unwrap().executions() {
            let history = world.history(child.execution_arn()).await;
            waiting += usize::from(history.last() == Some(&HistoryEventType::WaitStateEntered));
        }
        waiting == 3
    })
    .await;
    drop(world);
    let world = World::again(&data).await;
    let ended = world.ends(&arn).await;
    assert_eq!(ended.output(), Some("[0,1,2,3,4,5,6]"));
    assert_eq!(marked(), 7, "a function that had answered was asked again");
    assert_eq!(world.counts(&run_arn).await.succeeded(), 7);
}

#[tokio::test]
async fn a_redrive_redrives_the_children_that_failed() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    // A child of an odd item fails until it is redriven.
    let states = json!({
        "Item": { "Type": "Choice", "Choices": [{ "Variable": "$", "NumericEquals": 1, "Next": "Odd" }], "Default": "Even" },
        "Odd": {
            "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:worker", "End": true,
            "Parameters": {
                "do.$": "States.ArrayGetItem(States.Array('fail', 'echo'), $$.Execution.RedriveCount)",
                "type": "Odd", "value": "better"
            }
        },
        "Even": { "Type": "Pass", "End": true }
    });
    world.create(&machine(&json!({ "ItemProcessor": processor(&states), "MaxConcurrency": 1 }))).await;
    let arn = world.begin(&json!([0, 1, 2])).await;
    let ended = world.ends(&arn).await;
    assert_eq!(ended.error(), Some("States.ExceedToleratedFailureThreshold"));
    let run_arn = world.map_run_arn(&arn).await;
    let failed = world.sfn.list_executions().map_run_arn(&run_arn).status_filter(ExecutionStatus::Failed).send().await;
    let failed = failed.unwrap().executions()[0].execution_arn().to_owned();
    let described = world.describe(&failed).await;
    assert_eq!(described.redrive_status(), Some(&ExecutionRedriveStatus::RedrivableByMapRun));
    world.sfn.redrive_execution().execution_arn(&arn).send().await.unwrap();
    let ended = world.ends(&arn).await;
    assert_eq!(ended.output(), Some(r#"[0,"better",2]"#));
    let run = world.map_run(&run_arn).await;
    assert_eq!((run.status(), run.redrive_count()), (&MapRunStatus::Succeeded, Some(1)));
    assert!(run.redrive_date().is_some());
    assert_eq!(world.describe(&failed).await.redrive_count(), Some(1));
    let history = world.history(&arn).await;
    let redriven = history.iter().position(|event| *event == HistoryEventType::MapRunRedriven).unwrap();
    assert_eq!(history[redriven - 1], HistoryEventType::ExecutionRedriven);
    assert_eq!(history[redriven + 1], HistoryEventType::MapRunSucceeded);
    let runs = world.sfn.list_map_runs().execution_arn(&arn).send().await.unwrap();
    assert_eq!(runs.map_runs().len(), 1, "the run stays the same");
}

#[tokio::test]
async fn a_child_may_have_a_run_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    let inner = json!({
        "Type": "Map", "End": true, "Label": "inner",
        "ItemProcessor": processor(&json!({ "Item": { "Type": "Pass", "Result": 0, "End": true } }))
    });
    let mut outer = processor(&json!({ "Inner": inner }));
    outer["StartAt"] = "Inner".into();
    let ended = world.run(&json!({ "ItemProcessor": outer }), &json!([[1, 2], [], [3]])).await;
    assert_eq!(ended.output(), Some("[[0,0],[],[0]]"));
    let run_arn = world.map_run_arn(ended.execution_arn()).await;
    let children = world.sfn.list_executions().map_run_arn(&run_arn).send().await.unwrap();
    let inner_arn = world.map_run_arn(children.executions()[0].execution_arn()).await;
    assert!(inner_arn.starts_with("arn:aws:states:us-east-1:000000000000:mapRun:machine/inner:"), "{inner_arn}");
}

#[tokio::test]
async fn a_run_of_nothing_succeeds() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    let writer = json!({ "Resource": "arn:aws:states:::s3:putObject", "Parameters": { "Bucket": "bucket" } });
    assert_eq!(world.run(&json!({}), &json!([])).await.output(), Some("[]"));
    let ended = world.run(&json!({ "ResultWriter": writer }), &json!([])).await;
    let output: Value = serde_json::from_str(ended.output().unwrap()).unwrap();
    let manifest = world.get(output["ResultWriterDetails"]["Key"].as_str().unwrap()).await;
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["ResultFiles"], json!({ "FAILED": [], "PENDING": [], "SUCCEEDED": [] }));
}

#[tokio::test]
async fn results_that_are_too_large_fail_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    let states = json!({ "Item": { "Type": "Pass", "Result": "x".repeat(1000), "End": true } });
    let items: Vec<u32> = (0..300).collect();
    let ended = world.run(&json!({ "ItemProcessor": processor(&states) }), &json!(items)).await;
    assert_eq!(ended.error(), Some("States.DataLimitExceeded"));
    let run = world.map_run(&world.map_run_arn(ended.execution_arn()).await).await;
    assert_eq!((run.status(), run.item_counts().unwrap().succeeded()), (&MapRunStatus::Failed, 300));
}

#[tokio::test]
async fn express_children_run_and_are_described() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    let mut express = processor(&json!({ "Item": { "Type": "Pass", "End": true } }));
    express["ProcessorConfig"]["ExecutionType"] = "EXPRESS".into();
    let ended = world.run(&json!({ "ItemProcessor": express }), &json!([1, 2])).await;
    assert_eq!(ended.output(), Some("[1,2]"));
    let run_arn = world.map_run_arn(ended.execution_arn()).await;
    let children = world.sfn.list_executions().map_run_arn(&run_arn).send().await.unwrap();
    let child = children.executions()[0].execution_arn();
    assert!(child.starts_with("arn:aws:states:us-east-1:000000000000:express:machine/label:"), "{child}");
    assert_eq!(*world.describe(child).await.status(), ExecutionStatus::Succeeded);
}
