//! Where a deployment answers, and who to be there.
//!
//! A variable that says which account or region is meant (`AWS_PROFILE`, `AWS_REGION`) does not move a command from this
//! machine to AWS: many have them set at all times. An option, `AWS_ENDPOINT_URL` or `SLUICE_STACK` does.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;

use crate::arguments::Target;
use crate::commands::up::REGION;
use crate::environment::Environment;

/// A command must get through a deployment that refuses every third call: 0.3^12 is less than one in a million.
const MOST_ATTEMPTS: u32 = 12;

/// The longest pause between two attempts: a person waits.
const MOST_PAUSE: Duration = Duration::from_secs(2);

/// A local cloud that does not take a connection within this time will not.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The stack that `make deploy` makes.
const STACK: &str = "sluice";

/// A deployment that is not of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Address {
    /// None for AWS itself.
    pub(super) endpoint_url: Option<String>,
    pub(super) profile: Option<String>,
    pub(super) region: Option<String>,
    /// None where the endpoint is no stack.
    pub(super) stack: Option<String>,
}

impl Address {
    /// The address that `target` or the environment names, unless a directory is meant.
    pub(crate) fn find(target: &Target, environment: &Environment) -> Option<Self> {
        if target.data.is_some() {
            return None;
        }
        let endpoint_url = target.endpoint_url.clone().or_else(|| environment.endpoint_url.clone());
        let stack = target.stack.clone().or_else(|| environment.stack.clone());
        let named = [&endpoint_url, &target.profile, &target.region, &stack].into_iter().any(Option::is_some);
        let usual = || endpoint_url.is_none().then(|| STACK.to_owned());
        named.then(|| Self {
            stack: stack.or_else(usual),
            endpoint_url: endpoint_url.clone(),
            profile: target.profile.clone(),
            region: target.region.clone(),
        })
    }

    /// The local cloud at `endpoint_url`.
    pub(super) fn of_local_cloud(endpoint_url: &str) -> Self {
        Self { endpoint_url: Some(endpoint_url.to_owned()), ..Self::default() }
    }

    /// Whether AWS is meant, and not an endpoint that stands in for it.
    pub(crate) fn is_aws(&self) -> bool {
        self.endpoint_url.is_none()
    }

    /// What to call it in a message.
    pub(super) fn place(&self) -> String {
        let region = self.region.as_deref().map(|region| format!("AWS, {region}"));
        self.endpoint_url.clone().or(region).unwrap_or_else(|| "AWS".to_owned())
    }

    /// Whether it is on this machine.
    fn is_local(&self) -> bool {
        self.endpoint_url.as_deref().is_some_and(is_loopback)
    }

    pub(super) fn loader(&self, environment: &Environment) -> ConfigLoader {
        let retry = RetryConfig::standard().with_max_attempts(MOST_ATTEMPTS).with_max_backoff(MOST_PAUSE);
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws::http::client(self.endpoint_url.as_deref()))
            .retry_config(retry)
            .timeout_config(timeouts);
        // The SDK reads the variable itself, and with it those of single services, which an address here would overrule.
        if let Some(url) = self.endpoint_url.as_ref().filter(|url| environment.endpoint_url.as_ref() != Some(*url)) {
            loader = loader.endpoint_url(url);
        }
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if self.is_local() && !environment.has_credentials && self.profile.is_none() {
            // The local cloud believes everybody, but the SDK signs nothing without a key.
            loader = loader.credentials_provider(Credentials::new("sluice", "sluice", None, None, "sluice"));
        }
        match &self.region {
            Some(region) => loader.region(Region::new(region.clone())),
            None if self.is_local() && self.stack.is_none() => loader.region(Region::new(REGION)),
            None => loader,
        }
    }
}

fn is_loopback(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url);
    ["127.", "localhost", "[::1]"].iter().any(|name| host.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(target: &Target, environment: &Environment) -> Option<(Option<String>, Option<String>)> {
        Address::find(target, environment).map(|address| (address.endpoint_url, address.stack))
    }

    #[test]
    fn a_directory_is_meant_unless_something_else_is_named() {
        let nothing = Environment::default();
        let profile = Environment { has_credentials: true, ..Environment::default() };
        let endpoint = Environment { endpoint_url: Some("http://127.0.0.1:1".into()), ..Environment::default() };
        let stack = Environment { stack: Some("mine".into()), ..Environment::default() };
        let word = |text: &str| Some(text.to_owned());
        let data = || Target { data: Some("d".into()), ..Target::default() };
        let cases = [
            (Target::default(), &nothing, None),
            (Target::default(), &profile, None),
            (Target::default(), &endpoint, Some((word("http://127.0.0.1:1"), None))),
            (Target::default(), &stack, Some((None, word("mine")))),
            (data(), &endpoint, None),
            (data(), &stack, None),
            (Target { profile: word("p"), ..Target::default() }, &nothing, Some((None, word("sluice")))),
            (Target { region: word("eu-west-1"), ..Target::default() }, &stack, Some((None, word("mine")))),
            (Target { stack: word("yours"), ..Target::default() }, &stack, Some((None, word("yours")))),
            (
                Target { endpoint_url: word("http://localhost:2"), ..Target::default() },
                &endpoint,
                Some((word("http://localhost:2"), None)),
            ),
            (
                Target { stack: word("yours"), ..Target::default() },
                &endpoint,
                Some((word("http://127.0.0.1:1"), word("yours"))),
            ),
        ];
        for (target, environment, expected) in cases {
            let told = format!("{target:?} {environment:?}");
            assert_eq!(found(&target, environment), expected, "{told}");
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        for (url, local) in
            [("http://127.0.0.1:4566", true), ("http://localhost:1", true), ("https://s3.amazonaws.com", false)]
        {
            assert_eq!(is_loopback(url), local, "{url}");
        }
    }
}
