//! Queries over restarts: what was waiting or only read is run again, a change that was cut off says so, and who waits
//! for a query hears of its end.

use ::cloud::Cloud;
use serde_json::{Value, json};

use crate::common::{call, config, eventually, start};

/// Numbers whose threefold product takes longer than any test.
const LONG: &str = "SELECT count(*) FROM (SELECT x FROM UNNEST(sequence(1, 3000)) AS t(x)) a, \
                    (SELECT x FROM UNNEST(sequence(1, 3000)) AS t(x)) b, \
                    (SELECT x FROM UNNEST(sequence(1, 3000)) AS t(x)) c WHERE a.x + b.x + c.x = 7";

async fn athena(cloud: &Cloud, operation: &str, body: Value) -> Value {
    let answer = call(&cloud.endpoint(), &format!("AmazonAthena.{operation}"), &body).await;
    assert_eq!(answer.status, 200, "{operation}: {answer:?}");
    answer.json()
}

async fn begin(cloud: &Cloud, query: &str) -> String {
    let answer = athena(cloud, "StartQueryExecution", json!({ "QueryString": query })).await;
    answer["QueryExecutionId"].as_str().unwrap().to_owned()
}

async fn status(cloud: &Cloud, id: &str) -> Value {
    let answer = athena(cloud, "GetQueryExecution", json!({ "QueryExecutionId": id })).await;
    answer["QueryExecution"]["Status"].clone()
}

async fn state(cloud: &Cloud, id: &str) -> String {
    status(cloud, id).await["State"].as_str().unwrap().to_owned()
}

async fn ended(cloud: &Cloud, id: &str) -> Value {
    eventually("the query ends", async || !matches!(state(cloud, id).await.as_str(), "QUEUED" | "RUNNING")).await;
    status(cloud, id).await
}

async fn run(cloud: &Cloud, query: &str) -> Vec<Vec<String>> {
    let id = begin(cloud, query).await;
    let ended = ended(cloud, &id).await;
    assert_eq!(ended["State"], "SUCCEEDED", "{query}: {ended}");
    let results = athena(cloud, "GetQueryResults", json!({ "QueryExecutionId": id })).await;
    let rows = results["ResultSet"]["Rows"].as_array().unwrap().iter();
    let values = |row: &Value| {
        let data = row["Data"].as_array().unwrap().iter();
        data.map(|datum| datum["VarCharValue"].as_str().unwrap_or("NULL").to_owned()).collect()
    };
    rows.skip(1).map(values).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let cloud = start(&config).await;
    run(&cloud, "CREATE DATABASE d").await;
    run(&cloud, "CREATE TABLE d.t (id int) TBLPROPERTIES ('table_type'='ICEBERG')").await;
    run(&cloud, "INSERT INTO d.t VALUES (1), (2)").await;
    drop(cloud);
    let cloud = start(&config).await;
    assert_eq!(run(&cloud, "SELECT count(*), sum(id) FROM d.t").await, [["2", "3"]]);
    run(&cloud, "UPDATE d.t SET id = 5 WHERE id = 2").await;
    assert_eq!(run(&cloud, "SELECT id FROM d.t ORDER BY id").await, [["1"], ["5"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_with_reads_and_says_what_it_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let cloud = start(&config).await;
    run(&cloud, "CREATE DATABASE d").await;
    run(&cloud, "CREATE TABLE d.t (n bigint) TBLPROPERTIES ('table_type'='ICEBERG')").await;
    let read = begin(&cloud, LONG).await;
    let change = begin(&cloud, &format!("INSERT INTO d.t {LONG}")).await;
    for id in [&read, &change] {
        eventually("it runs", async || state(&cloud, id).await == "RUNNING").await;
    }
    drop(cloud);
    let cloud = start(&config).await;
    let cut_off = ended(&cloud, &change).await;
    assert_eq!(cut_off["State"], "FAILED");
    assert!(cut_off["StateChangeReason"].as_str().unwrap().contains("the local cloud ended"), "{cut_off}");
    assert_eq!(run(&cloud, "SELECT count(*) FROM d.t").await, [["0"]]);
    eventually("it runs again", async || state(&cloud, &read).await == "RUNNING").await;
    athena(&cloud, "StopQueryExecution", json!({ "QueryExecutionId": read })).await;
    assert_eq!(state(&cloud, &read).await, "CANCELLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_waits_for_its_query_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let cloud = start(&config).await;
    let task = json!({
        "Type": "Task", "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
        "Parameters": { "QueryString": LONG }, "End": true,
        "Catch": [{ "ErrorEquals": ["States.TaskFailed"], "Next": "Caught" }],
    });
    let definition = json!({ "StartAt": "A", "States": { "A": task, "Caught": { "Type": "Succeed" } } }).to_string();
    let machine = json!({ "name": "m", "definition": definition, "roleArn": "arn:aws:iam::000000000000:role/r" });
    let made = call(&cloud.endpoint(), "AWSStepFunctions.CreateStateMachine", &machine).await.json();
    let begun = json!({ "stateMachineArn": made["stateMachineArn"] });
    let execution = call(&cloud.endpoint(), "AWSStepFunctions.StartExecution", &begun).await.json();
    let listed = async |cloud: &Cloud| {
        let ids = athena(cloud, "ListQueryExecutions", json!({})).await["QueryExecutionIds"].clone();
        ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect::<Vec<String>>()
    };
    eventually("the query is there", async || !listed(&cloud).await.is_empty()).await;
    let id = listed(&cloud).await.remove(0);
    eventually("it runs", async || state(&cloud, &id).await == "RUNNING").await;
    drop(cloud);
    let cloud = start(&config).await;
    assert_eq!(listed(&cloud).await, std::slice::from_ref(&id));
    eventually("it runs again", async || state(&cloud, &id).await == "RUNNING").await;
    athena(&cloud, "StopQueryExecution", json!({ "QueryExecutionId": id })).await;
    let described = async || {
        let asked = json!({ "executionArn": execution["executionArn"] });
        call(&cloud.endpoint(), "AWSStepFunctions.DescribeExecution", &asked).await.json()
    };
    eventually("the execution ends", async || described().await["status"] != "RUNNING").await;
    let output: Value = serde_json::from_str(described().await["output"].as_str().unwrap()).unwrap();
    let cause: Value = serde_json::from_str(output["Cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause["QueryExecution"]["Status"]["State"], "CANCELLED");
    assert_eq!(listed(&cloud).await.len(), 1);
}
