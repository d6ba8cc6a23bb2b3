"""SQS as boto3 and the AWS CLI see it, and the commands that operate a deployment, against a stack and an inventory."""

import gzip
import hashlib
import http.server
import json
import os
import subprocess
import threading
import urllib.parse

from harness import MOST_SECONDS, CloudTestCase, until


class Queue(CloudTestCase):
    def attributes(self, *names):
        found = self.client("sqs").get_queue_attributes(QueueUrl=self.deployment["queue_url"], AttributeNames=names)
        return found["Attributes"]

    def sqs(self, command, *arguments):
        """What the AWS CLI prints; its version 1 takes the address of SQS from this option alone."""
        address = ("--endpoint-url", self.deployment["endpoint_url"])
        return self.aws("sqs", command, *address, "--queue-url", self.deployment["queue_url"], *arguments)

    def test_the_queue_is_found_by_name(self):
        sqs = self.client("sqs")
        self.assertEqual(sqs.get_queue_url(QueueName="sluice-start")["QueueUrl"], self.deployment["queue_url"])
        urls = sqs.list_queues(QueueNamePrefix="sluice-")["QueueUrls"]
        self.assertEqual(urls, [self.deployment["queue_url"], self.deployment["queue_url"] + "-dead"])
        with self.assertRaises(sqs.exceptions.QueueDoesNotExist):
            sqs.get_queue_url(QueueName="none")
        self.refused("AWS.SimpleQueueService.NonExistentQueue", sqs.send_message, QueueUrl="http://x/1/none", MessageBody="x")

    def test_attributes(self):
        found = self.attributes("All")
        self.assertTrue(found["QueueArn"].endswith(":sluice-start"))
        self.assertEqual(json.loads(found["RedrivePolicy"])["maxReceiveCount"], 5)
        self.assertEqual(self.attributes("QueueArn").keys(), {"QueueArn"})
        described = self.sqs("get-queue-attributes", "--attribute-names", "VisibilityTimeout")
        self.assertEqual(described["Attributes"], {"VisibilityTimeout": "360"})
        sqs, url = self.client("sqs"), self.deployment["queue_url"]
        self.refused("InvalidAttributeName", sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["Policies"])

    def test_a_message_reaches_the_function(self):
        sqs, s3, states = self.client("sqs"), self.client("s3"), self.client("stepfunctions")
        s3.create_bucket(Bucket="elsewhere")
        s3.put_object(Bucket="elsewhere", Key="a b+ü.txt", Body=b"A letter from elsewhere.")
        record = {
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-05-01T12:00:00.000Z", "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "x"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {}, "s3": {
                "s3SchemaVersion": "1.0", "configurationId": "c",
                "bucket": {"name": "elsewhere", "ownerIdentity": {"principalId": "x"}, "arn": "arn:aws:s3:::elsewhere"},
                "object": {"key": urllib.parse.quote_plus("a b+ü.txt", safe="/"), "size": 24, "eTag": "e"},
            },
        }
        body = json.dumps({"Records": [record]})
        sent = sqs.send_message(QueueUrl=self.deployment["queue_url"], MessageBody=body)
        self.assertEqual(sent["MD5OfMessageBody"], hashlib.md5(body.encode()).hexdigest())
        machine = self.deployment["state_machine_arn"]

        def ended():
            listed = states.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]
            described = (states.describe_execution(executionArn=one["executionArn"]) for one in listed)
            return next((one for one in described if json.loads(one["input"])["object"]["bucket"] == "elsewhere"), None)

        execution = until("the message has become a run", ended)
        self.assertEqual(json.loads(execution["input"])["object"]["key"], "a b+ü.txt")

    def test_a_batch_says_of_each_message_what_became_of_it(self):
        sqs, url = self.client("sqs"), self.deployment["queue_url"]
        test = json.dumps({"Event": "s3:TestEvent"})
        entries = [{"Id": "good", "MessageBody": test}, {"Id": "late", "MessageBody": test, "DelaySeconds": 900},
                   {"Id": "bad", "MessageBody": test, "DelaySeconds": 901}]
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        self.assertEqual([one["Id"] for one in answer["Successful"]], ["good", "late"])
        self.assertEqual([(one["Id"], one["SenderFault"], one["Code"]) for one in answer["Failed"]],
                         [("bad", True, "InvalidParameterValue")])
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
        until("only the late one waits", lambda: [self.attributes("All")[name] for name in names] == ["0", "0", "1"])
        self.refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", sqs.send_message_batch, QueueUrl=url,
                     Entries=[{"Id": "a", "MessageBody": "x"}] * 2)
        self.refused("AWS.SimpleQueueService.UnsupportedOperation", sqs.receive_message, QueueUrl=url)

    def test_what_the_function_refuses_becomes_a_dead_letter(self):
        sqs, url = self.client("sqs"), self.deployment["queue_url"]
        self.sqs("send-message", "--message-body", "no JSON")
        dead = {"QueueUrl": url + "-dead", "AttributeNames": ["ApproximateNumberOfMessages"]}
        name = "ApproximateNumberOfMessages"
        until("it is given up", lambda: sqs.get_queue_attributes(**dead)["Attributes"][name] == "1")


class Stacks(http.server.BaseHTTPRequestHandler):
    """CloudFormation, as far as the outputs of one stack."""

    outputs = {}

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        known = form["Action"] == ["DescribeStacks"] and form["StackName"] == ["mine"]
        text = self.stack() if known else self.error(form["StackName"][0])
        self.send_response(200 if known else 400)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def stack(self):
        member = "<member><OutputKey>{}</OutputKey><OutputValue>{}</OutputValue></member>"
        outputs = "".join(member.format(*output) for output in self.outputs.items())
        return (
            '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>'
            "<member><StackName>mine</StackName><CreationTime>2026-05-01T12:00:00Z</CreationTime>"
            f"<StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs></member>"
            "</Stacks></DescribeStacksResult></DescribeStacksResponse>"
        ).encode()

    def error(self, name):
        return (
            "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
            f"<Message>Stack with id {name} does not exist</Message></Error></ErrorResponse>"
        ).encode()

    def log_message(self, *arguments):
        pass


class Operate(CloudTestCase):
    def sluice(self, *arguments, code=0, **variables):
        """What the program prints as JSON, a line each; it stands outside of any data directory."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLUICE_"))}
        environment |= {
            "AWS_ENDPOINT_URL": self.deployment["endpoint_url"], "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "sluice",
            "AWS_SECRET_ACCESS_KEY": "sluice", "AWS_CONFIG_FILE": os.devnull, "XDG_DATA_HOME": self.data.name, **variables,
        }
        finished = subprocess.run([os.environ["SLUICE"], *arguments], env=environment, capture_output=True, text=True,
                                  timeout=MOST_SECONDS)
        self.assertEqual(finished.returncode, code, finished.stderr)
        return [json.loads(line) for line in finished.stdout.splitlines()] if code == 0 else finished.stderr

    def keys(self, bucket):
        """The keys of that bucket that have a run."""
        rows = self.sluice("executions", "--json", "--limit", "0")
        states = self.client("stepfunctions")
        inputs = (json.loads(states.describe_execution(executionArn=row["execution_arn"])["input"]) for row in rows)
        return sorted(one["object"]["key"] for one in inputs if one["object"]["bucket"] == bucket)

    def inventory(self, bucket, columns, rows):
        """Writes an inventory as S3 does, and gives the address of its manifest."""
        s3 = self.client("s3")
        text = "".join(",".join(f'"{value}"' for value in row) + "\n" for row in rows)
        data = gzip.compress(text.encode())
        s3.put_object(Bucket="inventories", Key=f"{bucket}/data/1.csv.gz", Body=data)
        manifest = {
            "sourceBucket": bucket, "destinationBucket": "arn:aws:s3:::inventories", "version": "2016-11-30",
            "creationTimestamp": "1777636800000", "fileFormat": "CSV", "fileSchema": columns,
            "files": [{"key": f"{bucket}/data/1.csv.gz", "size": len(data), "MD5checksum": hashlib.md5(data).hexdigest()}],
        }
        s3.put_object(Bucket="inventories", Key=f"{bucket}/manifest.json", Body=json.dumps(manifest).encode())
        return f"s3://inventories/{bucket}/manifest.json"

    def test_an_inventory_with_versions_and_one_without(self):
        s3 = self.client("s3")
        s3.create_bucket(Bucket="inventories")
        for bucket in ("versioned", "plain"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
        keys = ["in/a b+ü.txt", "in/b.txt", "in/c.tmp", "out/d.txt"]
        versions = {}
        for bucket in ("versioned", "plain"):
            for key in keys:
                put = s3.put_object(Bucket=bucket, Key=key, Body=f"The words of {key}.".encode())
                versions[bucket, key] = put.get("VersionId", "")
        quoted = [urllib.parse.quote_plus(key, safe="/") for key in keys]
        time = "2026-05-01T12:00:00.000Z"
        rows = [["versioned", quoted[n], versions["versioned", keys[n]], "true", "false", "20", time, "e"] for n in range(4)]
        columns = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag"
        manifest = self.inventory("versioned", columns, rows)
        report = self.sluice("backfill", "s3://versioned/in/", "--inventory", manifest, "--exclude", "*.tmp", "--json")
        self.assertEqual((report[0]["sent"], report[0]["filtered"]), (2, 1))
        until("they run", lambda: self.keys("versioned") == ["in/a b+ü.txt", "in/b.txt"])

        # The listing names the same versions, so nothing runs again.
        self.assertEqual(self.sluice("backfill", "s3://versioned/in/", "--exclude", "*.tmp", "--json")[0]["sent"], 2)

        rows = [["plain", key, "20", time] for key in [*quoted, "in/gone.txt"]]
        manifest = self.inventory("plain", "Bucket, Key, Size, LastModifiedDate", rows)
        report = self.sluice("backfill", "s3://plain", "--inventory", manifest, "--json")
        self.assertEqual((report[0]["sent"], report[0]["gone"]), (4, 1))
        until("they run", lambda: self.keys("plain") == sorted(keys))
        self.assertEqual(self.keys("versioned"), ["in/a b+ü.txt", "in/b.txt"])
        message = self.sluice("backfill", "s3://versioned", "--inventory", manifest, code=2)
        self.assertIn("is of the bucket `plain`", message)

    def test_a_checkpoint_may_be_an_object(self):
        s3 = self.client("s3")
        s3.create_bucket(Bucket="notes")
        s3.put_object(Bucket="notes", Key="a.txt", Body=b"A note.")
        at = ("--checkpoint", "s3://sluice-extracted/work/backfill.json")
        s3.put_object(Bucket="sluice-extracted", Key="work/backfill.json", Body=b"{")
        self.assertIn("--restart", self.sluice("backfill", "s3://notes", *at, code=2))
        self.assertEqual(self.sluice("backfill", "s3://notes", *at, "--restart", "--json")[0]["sent"], 1)
        listed = s3.list_objects_v2(Bucket="sluice-extracted", Prefix="work/backfill")
        self.assertEqual(listed["KeyCount"], 0, "it is taken away when all is done")

    def test_a_stack_says_what_it_is_made_of(self):
        machine = self.deployment["state_machine_arn"]
        Stacks.outputs = {
            "RawBucket": "others-raw", "ExtractedBucket": "others-extracted", "CatalogBucket": self.deployment["catalog_bucket"],
            "StateMachineArn": machine, "QueueUrl": self.deployment["queue_url"],
        }
        self.client("s3").create_bucket(Bucket="others-raw")
        self.client("s3").put_object(Bucket="others-raw", Key="a.txt", Body=b"Words in a bucket of a stack.")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stacks)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        stack = {"SLUICE_STACK": "mine", "AWS_ENDPOINT_URL_CLOUDFORMATION": f"http://127.0.0.1:{server.server_port}"}
        self.assertEqual(self.sluice("backfill", "s3://others-raw", "--json", **stack)[0]["sent"], 1)
        until("it runs", lambda: self.keys("others-raw") == ["a.txt"])
        refused = self.sluice("backfill", "s3://others-extracted", code=2, **stack)
        self.assertIn("this deployment writes there itself", refused)
        missing = self.sluice("executions", "--stack", "yours", code=3, **stack)
        self.assertIn("failed to find the stack `yours`", missing)
        self.assertIn("--region", missing)
