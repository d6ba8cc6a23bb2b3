"""What a check looks at, and what the Rust sources say: the template must say the same."""

import functools
import re

import expand
from resolve import Resolver


# A bucket of somebody's own, for tables of their own.
SOURCE = "arn:aws:s3:::changes-of-ones-own"


class Subject:
    """One state of the deployment: its source, its expansion, its values."""

    def __init__(self, source):
        self.source = source

    @functools.cached_property
    def expanded(self):
        return expand.expand(self.source)

    @functools.cached_property
    def resolve(self):
        return Resolver(self.expanded)

    @functools.cached_property
    def resolve_all(self):
        """With all that may be given, so that what only then is there is seen too."""
        key = "arn:aws:kms:us-east-1:000000000000:key/of-ones-own"
        return Resolver(self.expanded, KmsKeyArn=key, SourceBucketArns=SOURCE)

    @property
    def resources(self):
        return self.expanded["Resources"]

    def of_type(self, kind):
        return {name: one for name, one in self.resources.items() if one["Type"] == kind}

    def function_of_role(self, role):
        """The function that runs in a role, or nothing."""
        functions = self.of_type("AWS::Lambda::Function").items()
        return next((name for name, one in functions if one["Properties"].get("Role") == arn_of(role)), None)


def arn_of(name):
    return {"Fn::GetAtt": [name, "Arn"]}


def listed(value):
    return value if isinstance(value, list) else [value]


@functools.cache
def rust(path):
    return (expand.ROOT / path).read_text()


def rust_files(folder):
    return sorted((expand.ROOT / folder).rglob("*.rs"))


def crates():
    """The functions there are, by the names of their programs."""
    return {path.parent.name for path in (expand.ROOT / "crates/lambdas").glob("*/Cargo.toml")}


def camel(name):
    return "".join(part.capitalize() for part in name.split("-"))


@functools.cache
def variables():
    """The environment variables that a function reads."""
    found = set(re.findall(r'pub const [A-Z_]+: &str = "([A-Z_]+)";', rust("crates/aws/src/deployment.rs")))
    return {name for name in found if name.startswith("SLUICE_")}


@functools.cache
def failures():
    """The names that an `ErrorEquals` may match."""
    text = rust("crates/domain/src/failure.rs")
    own = re.findall(r'Self::\w+ => "(\w+)"', text)
    platform = re.search(r"PLATFORM_FAILURES: &\[&str\] = &\[(.*?)\]", text, re.S)[1]
    return {*own, *re.findall(r'"([\w.]+)"', platform)}


@functools.cache
def operations():
    """The operations that shipped code calls, as it names them beside each call."""
    texts = [file.read_text() for folder in ("crates/aws/src", "crates/services/src", "crates/lambdas") for file in rust_files(folder)]
    calls = (re.findall(r'(?:failure|call_error|error)\(\s*"([a-z0-9]+:[A-Z]\w+)"', text) for text in texts)
    return {call for found in calls for call in found}


@functools.cache
def local_functions():
    """Timeout in seconds and memory in megabytes of each function in the local cloud."""
    text = rust("crates/local/cloud/src/deployment.rs")
    pattern = r'binary: "([\w-]+)",\s*word: [^,]+,\s*timeout: Duration::from_(mins|secs)\((\d+)\),\s*memory_megabytes: (\d+)'
    return {
        name: (int(number) * (60 if unit == "mins" else 1), int(memory))
        for name, unit, number, memory in re.findall(pattern, text)
    }
