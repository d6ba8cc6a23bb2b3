//! The responses of the service actions that mocks are held to, by the names that Step Functions gives their members.
//!
//! These are the actions of the services that the local cloud has, and of the integrations most in use; the result of
//! any other action is taken as it is. From the API references, such as
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>.

use Shape::{Any, Boolean, List, Number, Object, Text, Words};

/// What a value of a response is.
#[derive(Debug)]
pub(super) enum Shape {
    Any,
    /// A timestamp and bytes are text too.
    Text,
    Number,
    Boolean,
    Words(&'static [&'static str]),
    List(&'static Shape),
    Object(&'static [Member]),
}

/// A member of a response.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) shape: Shape,
}

const fn may(name: &'static str, shape: Shape) -> Member {
    Member { name, required: false, shape }
}

const fn must(name: &'static str, shape: Shape) -> Member {
    Member { name, required: true, shape }
}

/// The response of an action, named as in a `Resource`: `lambda:invoke`, `aws-sdk:s3:getObject`.
pub(super) fn response(action: &str) -> Option<&'static [Member]> {
    RESPONSES.iter().find(|(actions, _)| actions.contains(&action)).map(|(_, members)| *members)
}

static RESPONSES: [(&[&str], &[Member]); 23] = [
    (&["lambda:invoke", "aws-sdk:lambda:invoke"], &INVOKE),
    (&["states:startExecution", "aws-sdk:sfn:startExecution"], &START_EXECUTION),
    (
        &["states:startExecution.sync", "states:startExecution.sync:2", "aws-sdk:sfn:describeExecution"],
        &DESCRIBE_EXECUTION,
    ),
    (&["aws-sdk:sfn:stopExecution"], &[must("StopDate", Text)]),
    (&["aws-sdk:sfn:listExecutions"], &LIST_EXECUTIONS),
    (&["sqs:sendMessage", "aws-sdk:sqs:sendMessage"], &SEND_MESSAGE),
    (&["sns:publish", "aws-sdk:sns:publish"], &PUBLISH),
    (&["events:putEvents", "aws-sdk:eventbridge:putEvents"], &PUT_EVENTS),
    (&["dynamodb:getItem", "aws-sdk:dynamodb:getItem"], &GET_ITEM),
    (
        &[
            "dynamodb:putItem",
            "dynamodb:updateItem",
            "dynamodb:deleteItem",
            "aws-sdk:dynamodb:putItem",
            "aws-sdk:dynamodb:updateItem",
            "aws-sdk:dynamodb:deleteItem",
        ],
        &CHANGE_ITEM,
    ),
    (&["glue:startJobRun", "aws-sdk:glue:startJobRun"], &[may("JobRunId", Text)]),
    (&["athena:startQueryExecution", "aws-sdk:athena:startQueryExecution"], &[may("QueryExecutionId", Text)]),
    (&["aws-sdk:s3:getObject", "aws-sdk:s3:headObject"], &OBJECT),
    (&["aws-sdk:s3:putObject"], &[may("ETag", Text), may("VersionId", Text), may("Expiration", Text)]),
    (&["aws-sdk:s3:deleteObject"], &[may("DeleteMarker", Boolean), may("VersionId", Text)]),
    (&["aws-sdk:s3:copyObject"], &[may("CopyObjectResult", Object(&[may("ETag", Text), may("LastModified", Text)]))]),
    (&["aws-sdk:s3:listObjectsV2"], &LIST_OBJECTS),
    (&["aws-sdk:s3:listBuckets"], &[may("Buckets", List(&Object(&[may("Name", Text), may("CreationDate", Text)])))]),
    (&["aws-sdk:comprehend:detectSentiment"], &DETECT_SENTIMENT),
    (&["aws-sdk:comprehend:detectEntities"], &[may("Entities", List(&ENTITY))]),
    (&["aws-sdk:textract:detectDocumentText", "aws-sdk:textract:analyzeDocument"], &BLOCKS),
    (&["aws-sdk:rekognition:detectLabels"], &DETECT_LABELS),
    (&["aws-sdk:transcribe:startTranscriptionJob", "aws-sdk:transcribe:getTranscriptionJob"], &TRANSCRIPTION_JOB),
];

static INVOKE: [Member; 5] = [
    may("StatusCode", Number),
    may("FunctionError", Text),
    may("LogResult", Text),
    may("Payload", Any),
    may("ExecutedVersion", Text),
];

static START_EXECUTION: [Member; 2] = [must("ExecutionArn", Text), must("StartDate", Text)];

const STATUSES: Shape = Words(&["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]);

static DESCRIBE_EXECUTION: [Member; 11] = [
    must("ExecutionArn", Text),
    must("StateMachineArn", Text),
    may("Name", Text),
    must("Status", STATUSES),
    must("StartDate", Text),
    may("StopDate", Text),
    may("Input", Any),
    may("Output", Any),
    may("MapRunArn", Text),
    may("Error", Text),
    may("Cause", Text),
];

static LIST_EXECUTIONS: [Member; 2] = [
    must(
        "Executions",
        List(&Object(&[
            must("ExecutionArn", Text),
            must("StateMachineArn", Text),
            must("Name", Text),
            must("Status", STATUSES),
            must("StartDate", Text),
            may("StopDate", Text),
        ])),
    ),
    may("NextToken", Text),
];

static SEND_MESSAGE: [Member; 5] = [
    may("MessageId", Text),
    may("MD5OfMessageBody", Text),
    may("MD5OfMessageAttributes", Text),
    may("MD5OfMessageSystemAttributes", Text),
    may("SequenceNumber", Text),
];

static PUBLISH: [Member; 2] = [may("MessageId", Text), may("SequenceNumber", Text)];

static PUT_EVENTS: [Member; 2] = [
    may("FailedEntryCount", Number),
    may("Entries", List(&Object(&[may("EventId", Text), may("ErrorCode", Text), may("ErrorMessage", Text)]))),
];

static GET_ITEM: [Member; 2] = [may("Item", Object(&[])), may("ConsumedCapacity", Object(&[]))];

static CHANGE_ITEM: [Member; 3] =
    [may("Attributes", Object(&[])), may("ConsumedCapacity", Object(&[])), may("ItemCollectionMetrics", Object(&[]))];

static OBJECT: [Member; 8] = [
    may("Body", Text),
    may("ContentLength", Number),
    may("ContentType", Text),
    may("DeleteMarker", Boolean),
    may("ETag", Text),
    may("LastModified", Text),
    may("Metadata", Object(&[])),
    may("VersionId", Text),
];

static LIST_OBJECTS: [Member; 7] = [
    may(
        "Contents",
        List(&Object(&[may("Key", Text), may("ETag", Text), may("LastModified", Text), may("Size", Number)])),
    ),
    may("IsTruncated", Boolean),
    may("KeyCount", Number),
    may("MaxKeys", Number),
    may("Name", Text),
    may("NextContinuationToken", Text),
    may("Prefix", Text),
];

static DETECT_SENTIMENT: [Member; 2] = [
    may("Sentiment", Words(&["POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"])),
    may(
        "SentimentScore",
        Object(&[may("Positive", Number), may("Negative", Number), may("Neutral", Number), may("Mixed", Number)]),
    ),
];

static ENTITY: Shape = Object(&[
    may("BeginOffset", Number),
    may("EndOffset", Number),
    may("Score", Number),
    may("Text", Text),
    may("Type", Text),
]);

static BLOCKS: [Member; 2] = [
    may("DocumentMetadata", Object(&[may("Pages", Number)])),
    may(
        "Blocks",
        List(&Object(&[may("BlockType", Text), may("Confidence", Number), may("Id", Text), may("Text", Text)])),
    ),
];

static DETECT_LABELS: [Member; 2] =
    [may("Labels", List(&Object(&[may("Name", Text), may("Confidence", Number)]))), may("LabelModelVersion", Text)];

static TRANSCRIPTION_JOB: [Member; 1] = [may(
    "TranscriptionJob",
    Object(&[
        may("TranscriptionJobName", Text),
        may("TranscriptionJobStatus", Words(&["QUEUED", "IN_PROGRESS", "FAILED", "COMPLETED"])),
        may("LanguageCode", Text),
        may("MediaFormat", Text),
        may("FailureReason", Text),
    ]),
)];
