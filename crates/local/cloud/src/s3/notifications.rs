//! A bucket's notification configuration, to and from the store's rules.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html>

use s3s::dto::{
    Event, EventBridgeConfiguration, EventList, FilterRule, FilterRuleName, GetBucketNotificationConfigurationInput,
    GetBucketNotificationConfigurationOutput, LambdaFunctionConfiguration, NotificationConfigurationFilter,
    PutBucketNotificationConfigurationInput, PutBucketNotificationConfigurationOutput, QueueConfiguration, S3KeyFilter,
    TopicConfiguration,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Surface;
use super::errors::refuse;
use crate::store::{NotificationRules, Rule};

pub(super) async fn put_bucket_notification_configuration(
    surface: &Surface,
    request: S3Request<PutBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<PutBucketNotificationConfigurationOutput>> {
    let configuration = request.input.notification_configuration;
    let queues = configuration.queue_configurations.unwrap_or_default().into_iter();
    let functions = configuration.lambda_function_configurations.unwrap_or_default().into_iter();
    let topics = configuration.topic_configurations.unwrap_or_default().into_iter();
    let queues = queues.map(|queue| (queue.id, queue.queue_arn, queue.events, queue.filter));
    let functions =
        functions.map(|function| (function.id, function.lambda_function_arn, function.events, function.filter));
    let topics = topics.map(|topic| (topic.id, topic.topic_arn, topic.events, topic.filter));
    let all = queues.chain(functions).chain(topics).enumerate();
    let rules = all.map(|(place, (id, target, events, filter))| rule(place, id, target, events, filter));
    let event_bridge = configuration.event_bridge_configuration.is_some();
    let rules = NotificationRules { rules: rules.collect::<S3Result<_>>()?, event_bridge };
    surface.store.set_notifications(&request.input.bucket, &rules).await.map_err(refuse)?;
    Ok(S3Response::new(PutBucketNotificationConfigurationOutput {}))
}

pub(super) async fn get_bucket_notification_configuration(
    surface: &Surface,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
    let rules = surface.store.bucket(&request.input.bucket).await.map_err(refuse)?.notifications;
    let mut output = GetBucketNotificationConfigurationOutput {
        event_bridge_configuration: rules.event_bridge.then(EventBridgeConfiguration::default),
        ..Default::default()
    };
    for rule in rules.rules {
        show(&mut output, rule);
    }
    Ok(S3Response::new(output))
}

/// A configuration without an id gets one, as on AWS.
fn rule(
    place: usize,
    id: Option<String>,
    target: String,
    events: EventList,
    filter: Option<NotificationConfigurationFilter>,
) -> S3Result<Rule> {
    let events: Vec<_> = events.into_iter().map(String::from).collect();
    if events.is_empty() || !events.iter().all(|event| event.starts_with("s3:")) {
        return Err(s3_error!(InvalidArgument, "A specified event is not supported for notifications."));
    }
    let mut rule =
        Rule { id: id.unwrap_or_else(|| format!("configuration-{place}")), target, events, prefix: None, suffix: None };
    let filters = filter.and_then(|filter| filter.key).and_then(|key| key.filter_rules).unwrap_or_default();
    for FilterRule { name, value } in filters {
        match name.as_ref().map(FilterRuleName::as_str).map(str::to_ascii_lowercase).as_deref() {
            Some("prefix") => rule.prefix = value,
            Some("suffix") => rule.suffix = value,
            _ => return Err(s3_error!(InvalidArgument, "filter rule name must be either prefix or suffix")),
        }
    }
    Ok(rule)
}

fn show(output: &mut GetBucketNotificationConfigurationOutput, rule: Rule) {
    let filter = filter(&rule);
    let events = rule.events.into_iter().map(Event::from).collect();
    let id = Some(rule.id);
    if rule.target.contains(":lambda:") {
        let configuration = LambdaFunctionConfiguration { events, filter, id, lambda_function_arn: rule.target };
        output.lambda_function_configurations.get_or_insert_default().push(configuration);
    } else if rule.target.contains(":sns:") {
        let configuration = TopicConfiguration { events, filter, id, topic_arn: rule.target };
        output.topic_configurations.get_or_insert_default().push(configuration);
    } else {
        let configuration = QueueConfiguration { events, filter, id, queue_arn: rule.target };
        output.queue_configurations.get_or_insert_default().push(configuration);
    }
}

fn filter(rule: &Rule) -> Option<NotificationConfigurationFilter> {
    let named = [("prefix", &rule.prefix), ("suffix", &rule.suffix)];
    let rules = named.into_iter().filter_map(|(name, value)| {
        let name = Some(FilterRuleName::from(name.to_owned()));
        value.as_ref().map(|value| FilterRule { name, value: Some(value.clone()) })
    });
    let rules: Vec<_> = rules.collect();
    let key = S3KeyFilter { filter_rules: Some(rules).filter(|rules| !rules.is_empty()) };
    key.filter_rules.is_some().then_some(NotificationConfigurationFilter { key: Some(key) })
}
