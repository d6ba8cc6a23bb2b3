"""boto3 against the local cloud: what a stranger's tool sees.

Each operation is called as a user of AWS calls it, and the answer must have been read from
the input: no constant would pass.
"""

import io
import json
import os
import unittest

import botocore.exceptions
from harness import SAMPLES, CloudTestCase, until


class LocalCloud(CloudTestCase):
    def upload(self, sample, key=None):
        key = key or f"boto3/{sample}"
        self.client("s3").upload_file(str(SAMPLES / sample), self.deployment["raw_bucket"], key)
        return {"S3Object": {"Bucket": self.deployment["raw_bucket"], "Name": key}}

    def test_an_upload_becomes_an_execution_with_a_history(self):
        key = "boto3/a + b & 100% ü.txt"
        self.upload("text/welcome.txt", key)
        states = self.client("stepfunctions")
        machine = self.deployment["state_machine_arn"]

        def ended():
            pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="SUCCEEDED")
            arns = [execution["executionArn"] for page in pages for execution in page["executions"]]
            described = (states.describe_execution(executionArn=arn) for arn in arns)
            return next((one for one in described if json.loads(one["input"])["object"]["key"] == key), None)

        execution = until("the execution has ended", ended)
        self.assertLessEqual(len(execution["name"]), 80)
        pages = states.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"])
        events = [event for page in pages for event in page["events"]]
        self.assertEqual(events[0]["type"], "ExecutionStarted")
        self.assertEqual(events[-1]["type"], "ExecutionSucceeded")
        self.assertEqual([event["id"] for event in events], list(range(1, len(events) + 1)))
        self.assertIn("Classify", [event.get("stateEnteredEventDetails", {}).get("name") for event in events])

    def test_the_documents_and_records_are_there(self):
        self.upload("text/notes.md", "boto3/notes.md")
        s3 = self.client("s3")

        def record():
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.deployment["catalog_bucket"])
            for page in pages:
                for item in page.get("Contents", []):
                    body = s3.get_object(Bucket=self.deployment["catalog_bucket"], Key=item["Key"])["Body"].read()
                    change = json.loads(body)
                    if change["key"] == "boto3/notes.md":
                        return change
            return None

        change = until("the record is there", record)
        self.assertEqual(change["status"], "SUCCEEDED")
        bucket, key = change["extraction_uri"].removeprefix("s3://").split("/", 1)
        document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        self.assertIn("books first, shelves last", document["text"])

    def test_objects(self):
        s3 = self.client("s3")
        s3.create_bucket(Bucket="boto3-objects")
        s3.put_object(Bucket="boto3-objects", Key="a b/ü+%.bin", Body=b"0123456789", ContentType="x/y", Tagging="one=1")
        got = s3.get_object(Bucket="boto3-objects", Key="a b/ü+%.bin", Range="bytes=2-4")
        self.assertEqual((got["Body"].read(), got["ContentType"], got["ContentRange"]), (b"234", "x/y", "bytes 2-4/10"))
        tags = s3.get_object_tagging(Bucket="boto3-objects", Key="a b/ü+%.bin")["TagSet"]
        self.assertEqual(tags, [{"Key": "one", "Value": "1"}])
        large = os.urandom(12 << 20)
        s3.upload_fileobj(io.BytesIO(large), "boto3-objects", "large")
        self.assertEqual(s3.get_object(Bucket="boto3-objects", Key="large")["Body"].read(), large)
        with self.assertRaises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket="boto3-objects", Key="nowhere")

    def test_comprehend(self):
        comprehend = self.client("comprehend")
        german = "Die Bücherei öffnet am Montag ihre Türen, und für die Gäste gibt es Kaffee und Kuchen."
        self.assertEqual(comprehend.detect_dominant_language(Text=german)["Languages"][0]["LanguageCode"], "de")
        glad = comprehend.detect_sentiment(Text="What a wonderful day, I love it and I am very happy!", LanguageCode="en")
        angry = comprehend.detect_sentiment(Text="This is terrible, I hate it and I am very angry.", LanguageCode="en")
        self.assertEqual((glad["Sentiment"], angry["Sentiment"]), ("POSITIVE", "NEGATIVE"))
        text = "Write to desk@example.com before 4 May 2026."
        found = comprehend.detect_pii_entities(Text=text, LanguageCode="en")["Entities"]
        spans = {text[one["BeginOffset"]:one["EndOffset"]]: one["Type"] for one in found}
        self.assertEqual(spans.get("desk@example.com"), "EMAIL")
        entities = comprehend.detect_entities(Text=text, LanguageCode="en")["Entities"]
        self.assertIn("DATE", {one["Type"] for one in entities})
        phrases = comprehend.detect_key_phrases(Text="The green lamp stands on the old table.", LanguageCode="en")["KeyPhrases"]
        self.assertTrue(any("lamp" in one["Text"] for one in phrases))
        texts = ["I love it, it is wonderful!", "I hate it, it is terrible."]
        batch = comprehend.batch_detect_sentiment(TextList=texts, LanguageCode="en")
        self.assertEqual([one["Sentiment"] for one in batch["ResultList"]], ["POSITIVE", "NEGATIVE"])
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            comprehend.detect_sentiment(Text="x" * 6000, LanguageCode="en")
        self.assertEqual(refused.exception.response["Error"]["Code"], "TextSizeLimitExceededException")

    def test_textract(self):
        textract = self.client("textract")
        invoice = (SAMPLES / "image/invoice.png").read_bytes()
        lines = self.lines(textract.detect_document_text(Document={"Bytes": invoice}))
        self.assertIn("2026-0815", lines)
        analysis = textract.analyze_document(Document={"Bytes": invoice}, FeatureTypes=["TABLES", "FORMS"])
        kinds = {block["BlockType"] for block in analysis["Blocks"]}
        self.assertLessEqual({"PAGE", "LINE", "WORD", "TABLE", "CELL", "KEY_VALUE_SET"}, kinds)
        where = {"DocumentLocation": self.upload("pdf/fire-drill-scan.pdf")}
        job = textract.start_document_text_detection(**where, ClientRequestToken="once")["JobId"]
        self.assertEqual(textract.start_document_text_detection(**where, ClientRequestToken="once")["JobId"], job)
        answer = until("the pages are read", lambda: self.ended(textract.get_document_text_detection(JobId=job)))
        self.assertIn("fire drill", self.lines(answer))

    @staticmethod
    def lines(answer):
        return "\n".join(block["Text"] for block in answer["Blocks"] if block["BlockType"] == "LINE")

    @staticmethod
    def ended(answer):
        return answer if answer["JobStatus"] != "IN_PROGRESS" else None

    def test_rekognition(self):
        rekognition = self.client("rekognition")
        invoice = self.upload("image/invoice.png")
        text = rekognition.detect_text(Image=invoice)["TextDetections"]
        self.assertTrue(any("2026-0815" in one["DetectedText"] for one in text))
        mountains = (SAMPLES / "image/mountains.jpg").read_bytes()
        self.assertEqual(rekognition.detect_faces(Image={"Bytes": mountains})["FaceDetails"], [])
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            rekognition.detect_labels(Image={"Bytes": mountains})
        self.assertEqual(refused.exception.response["Error"]["Code"], "NotAvailableLocally")
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            rekognition.detect_faces(Image={"Bytes": b"this is no picture"})
        self.assertEqual(refused.exception.response["Error"]["Code"], "InvalidImageFormatException")

    def test_transcribe(self):
        transcribe = self.client("transcribe")
        self.upload("audio/announcement.wav", "boto3/announcement.wav")
        media = {"MediaFileUri": f"s3://{self.deployment['raw_bucket']}/boto3/announcement.wav"}
        transcribe.start_transcription_job(TranscriptionJobName="boto3", Media=media, LanguageCode="en-US", MediaFormat="wav",
                                           OutputBucketName=self.deployment["extracted_bucket"], OutputKey="boto3/out.json")
        with self.assertRaises(transcribe.exceptions.ConflictException):
            transcribe.start_transcription_job(TranscriptionJobName="boto3", Media=media, LanguageCode="en-US")

        def ended():
            job = transcribe.get_transcription_job(TranscriptionJobName="boto3")["TranscriptionJob"]
            return job if job["TranscriptionJobStatus"] in ("COMPLETED", "FAILED") else None

        job = until("the recording is understood", ended)
        self.assertEqual(job["TranscriptionJobStatus"], "COMPLETED", job)
        answer = self.client("s3").get_object(Bucket=self.deployment["extracted_bucket"], Key="boto3/out.json")
        words = json.loads(answer["Body"].read())["results"]["transcripts"][0]["transcript"].lower()
        self.assertIn("library", words)


if __name__ == "__main__":
    unittest.main()
