"""The AWS CLI against the local cloud: what people type every day, S3 first."""

import filecmp
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import boto3
from harness import SAMPLES, CloudTestCase


class CommandLine(CloudTestCase):
    """Runs `aws` with nothing but an endpoint URL and made-up keys."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory()
        cls.here = pathlib.Path(cls.folder.name)
        cls.aws("s3", "mb", "s3://work")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.folder.cleanup()

    @classmethod
    def aws(cls, *arguments, **options):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": cls.folder.name,
            "AWS_ENDPOINT_URL": cls.deployment["endpoint_url"],
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_PAGER": "",
        }
        command = [sys.executable, "-m", "awscli", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, timeout=120, **options)
        if done.returncode != 0:
            raise AssertionError(f"aws {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout.decode()

    def keys(self, prefix):
        listed = self.aws("s3", "ls", f"s3://work/{prefix}", "--recursive")
        return [line.split(maxsplit=3)[3] for line in listed.splitlines()]

    def test_a_folder_goes_there_and_comes_back(self):
        source = self.here / "source"
        (source / "sub").mkdir(parents=True)
        (source / "a.txt").write_text("hello")
        (source / "sub" / "b c+d ü.txt").write_text("a name")
        # Above the CLI's threshold, so it comes in parts.
        (source / "large.bin").write_bytes(os.urandom(1 << 20) * 9)
        self.aws("s3", "sync", str(source), "s3://work/tree", "--no-progress")
        self.assertEqual(self.keys("tree"), ["tree/a.txt", "tree/large.bin", "tree/sub/b c+d ü.txt"])
        self.assertEqual(self.aws("s3", "sync", str(source), "s3://work/tree"), "", "nothing has changed")
        self.aws("s3", "sync", "s3://work/tree", str(self.here / "back"), "--no-progress")
        names = ["a.txt", "large.bin", "sub/b c+d ü.txt"]
        self.assertEqual(filecmp.cmpfiles(source, self.here / "back", names, shallow=False), (names, [], []))

    def test_objects_are_copied_moved_and_removed(self):
        self.aws("s3", "cp", "-", "s3://work/one/first.txt", input=b"from a pipe")
        self.assertEqual(self.aws("s3", "cp", "s3://work/one/first.txt", "-"), "from a pipe")
        self.aws("s3", "mv", "s3://work/one/first.txt", "s3://work/one/second.txt")
        self.aws("s3", "cp", "s3://work/one/", "s3://work/two/", "--recursive")
        self.assertEqual(self.keys("one"), ["one/second.txt"])
        self.assertEqual(self.keys("two"), ["two/second.txt"])
        self.aws("s3", "rm", "s3://work/two/", "--recursive")
        self.aws("s3", "rm", "s3://work/one/second.txt")
        self.assertEqual(json.loads(self.aws("s3api", "list-objects-v2", "--bucket", "work", "--prefix", "two/"))
                         .get("Contents"), None)

    def test_a_large_object_is_copied_in_parts(self):
        (self.here / "large").write_bytes(os.urandom(1 << 20) * 10)
        self.aws("s3", "cp", str(self.here / "large"), "s3://work/large/one", "--no-progress")
        self.aws("s3", "cp", "s3://work/large/one", "s3://work/large/two", "--no-progress")
        self.aws("s3", "cp", "s3://work/large/two", str(self.here / "again"), "--no-progress")
        self.assertTrue(filecmp.cmp(self.here / "large", self.here / "again", shallow=False))

    def test_presigned_addresses_work_without_keys(self):
        for version in ("s3", "s3v4"):
            client = boto3.client(
                "s3", endpoint_url=self.deployment["endpoint_url"], region_name="us-east-1", aws_access_key_id="local",
                aws_secret_access_key="local", config=boto3.session.Config(signature_version=version),
            )
            key = f"signed/{version} +.txt"
            put = client.generate_presigned_url("put_object", {"Bucket": "work", "Key": key})
            request = urllib.request.Request(put, data=b"signed", method="PUT")
            request.add_header("Content-Type", "")
            with urllib.request.urlopen(request) as answer:
                self.assertEqual(answer.status, 200)
            with urllib.request.urlopen(client.generate_presigned_url("get_object", {"Bucket": "work", "Key": key})) as answer:
                self.assertEqual(answer.read(), b"signed")

    def test_the_engines_answer(self):
        sample = SAMPLES / "image" / "invoice.png"
        self.aws("s3", "cp", str(sample), "s3://work/invoice.png", "--no-progress")
        document = json.dumps({"S3Object": {"Bucket": "work", "Name": "invoice.png"}})
        read = json.loads(self.aws("textract", "detect-document-text", "--document", document))
        self.assertIn("2026-0815", " ".join(block.get("Text", "") for block in read["Blocks"]))
        said = json.loads(self.aws("comprehend", "detect-sentiment", "--language-code", "en", "--text", "I love it"))
        self.assertEqual(said["Sentiment"], "POSITIVE")
        seen = json.loads(self.aws("rekognition", "detect-faces", "--image", document))
        self.assertEqual(seen["FaceDetails"], [])
        with self.assertRaisesRegex(AssertionError, "NotAvailableLocally"):
            self.aws("rekognition", "detect-labels", "--image", document)


if __name__ == "__main__":
    unittest.main()
