"""Athena and Glue by boto3: queries over tables of both kinds, their results, workgroups, and the catalog."""

import json
import unittest

from harness import ROLE, CloudTestCase, until

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")

ROWS = [
    {"id": 1, "name": "one", "tags": ["a", "b"], "at": {"city": "Köln", "zip": "50667"}},
    {"id": 2, "name": None, "tags": [], "at": None},
    {"id": 3, "name": "say \"hi\",\nthen go", "tags": ["c"], "at": {"city": "Bonn", "zip": None}},
]


class AthenaTestCase(CloudTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.athena = cls.client(cls, "athena")
        cls.glue = cls.client(cls, "glue")
        cls.s3 = cls.client(cls, "s3")
        cls.s3.create_bucket(Bucket="lake-data")
        cls.s3.create_bucket(Bucket="lake-results")

    def begin(self, query, **arguments):
        settings = {"QueryExecutionContext": {"Database": "tests"}, **arguments}
        return self.athena.start_query_execution(QueryString=query, **settings)["QueryExecutionId"]

    def ended(self, query_id):
        def looked():
            found = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            return found if found["Status"]["State"] in ENDED else None

        return until("the query ends", looked)

    def run_query(self, query, **arguments):
        """The execution of a query that must succeed."""
        execution = self.ended(self.begin(query, **arguments))
        self.assertEqual(execution["Status"]["State"], "SUCCEEDED", (query, execution["Status"]))
        return execution

    def rows(self, query, **arguments):
        """The rows of a query, without the header."""
        execution = self.run_query(query, **arguments)
        pages = self.athena.get_paginator("get_query_results")
        rows = []
        for page in pages.paginate(QueryExecutionId=execution["QueryExecutionId"]):
            rows += [[datum.get("VarCharValue") for datum in row["Data"]] for row in page["ResultSet"]["Rows"]]
        return rows[1:] if execution["StatementType"] == "DML" else rows

    def fails(self, query, said, **arguments):
        status = self.ended(self.begin(query, **arguments))["Status"]
        self.assertEqual(status["State"], "FAILED", (query, status))
        self.assertIn(said, status["StateChangeReason"])
        self.assertEqual(status["AthenaError"]["ErrorMessage"], status["StateChangeReason"])

    def body(self, uri):
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


class Queries(AthenaTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
        cls.s3.put_object(Bucket="lake-data", Key="people/day=1/a.json", Body=lines.encode())
        cls.s3.put_object(Bucket="lake-data", Key="people/day=2/b.json", Body=b'{"ID": 4, "name": "four"}\n')
        cls.run_query(cls(), "CREATE DATABASE tests", QueryExecutionContext={})
        cls.run_query(cls(), """CREATE EXTERNAL TABLE people (id int, name string, tags array<string>,
            at struct<city:string,zip:string>) PARTITIONED BY (day int)
            ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake-data/people/'""")
        cls.run_query(cls(), "MSCK REPAIR TABLE people")

    def test_results_are_as_athenas(self):
        execution = self.run_query("SELECT id, name, tags, at, id * 1.5 AS half, CAST(id AS double) AS d FROM people "
                                   "WHERE day = 1 ORDER BY id", ResultConfiguration={"OutputLocation": "s3://lake-results/a"})
        query_id = execution["QueryExecutionId"]
        self.assertEqual(execution["ResultConfiguration"]["OutputLocation"], f"s3://lake-results/a/{query_id}.csv")
        self.assertEqual((execution["StatementType"], execution["SubstatementType"]), ("DML", "SELECT"))
        self.assertGreater(execution["Statistics"]["DataScannedInBytes"], 100)
        text = self.body(execution["ResultConfiguration"]["OutputLocation"])
        self.assertEqual(text, '"id","name","tags","at","half","d"\n'
                               '"1","one","[a, b]","{city=Köln, zip=50667}","1.5","1.0"\n'
                               '"2",,"[]",,"3.0","2.0"\n'
                               '"3","say ""hi"",\nthen go","[c]","{city=Bonn, zip=null}","4.5","3.0"\n')
        result = self.athena.get_query_results(QueryExecutionId=query_id, MaxResults=2)
        info = {column["Name"]: column["Type"] for column in result["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]}
        self.assertEqual(info, {"id": "integer", "name": "varchar", "tags": "array", "at": "row", "half": "decimal",
                                "d": "double"})
        self.assertEqual(len(result["ResultSet"]["Rows"]), 2)
        rest = self.athena.get_query_results(QueryExecutionId=query_id, NextToken=result["NextToken"])
        self.assertEqual(rest["ResultSet"]["Rows"][0]["Data"][:2], [{"VarCharValue": "2"}, {}])
        self.assertEqual(rest["ResultSet"]["Rows"][1]["Data"][1], {"VarCharValue": 'say "hi",\nthen go'})
        self.assertNotIn("NextToken", rest)
        statistics = self.athena.get_query_runtime_statistics(QueryExecutionId=query_id)["QueryRuntimeStatistics"]
        self.assertEqual(statistics["Rows"]["OutputRows"], 3)

    def test_an_iceberg_table_is_merged_and_looked_back_at(self):
        self.run_query("CREATE TABLE stock (id bigint, name string, amount int) PARTITIONED BY (bucket(4, id)) "
                       "LOCATION 's3://lake-data/stock' TBLPROPERTIES ('table_type'='ICEBERG')")
        inserted = self.run_query("INSERT INTO stock VALUES (1, 'a', 10), (2, 'b', 20)")
        counted = self.athena.get_query_results(QueryExecutionId=inserted["QueryExecutionId"])
        self.assertEqual((counted["UpdateCount"], counted["ResultSet"]["Rows"]), (2, []))
        before = self.rows("SELECT CAST(current_timestamp AS varchar)")[0][0].removesuffix(" UTC")
        merged = self.run_query(
            "MERGE INTO stock t USING (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY n DESC) AS rank "
            "FROM (VALUES (2, 'b', 5, 1, 'U'), (2, 'b', 7, 2, 'U'), (1, 'a', 0, 1, 'D'), (3, 'c', 1, 1, 'I')) "
            "AS v(id, name, amount, n, op)) WHERE rank = 1) s ON t.id = s.id WHEN MATCHED AND s.op = 'D' THEN DELETE "
            "WHEN MATCHED THEN UPDATE SET amount = s.amount "
            "WHEN NOT MATCHED AND s.op <> 'D' THEN INSERT (id, name, amount) VALUES (s.id, s.name, s.amount)")
        counted = self.athena.get_query_results(QueryExecutionId=merged["QueryExecutionId"])
        self.assertEqual((counted["UpdateCount"], merged["SubstatementType"]), (3, "MERGE"))
        self.assertEqual(self.rows("SELECT * FROM stock ORDER BY id"), [["2", "b", "7"], ["3", "c", "1"]])
        old = self.rows(f"SELECT * FROM stock FOR TIMESTAMP AS OF TIMESTAMP '{before} UTC' ORDER BY id")
        self.assertEqual(old, [["1", "a", "10"], ["2", "b", "20"]])
        self.run_query("CREATE OR REPLACE VIEW all_names AS SELECT name FROM stock UNION ALL SELECT name FROM people")
        self.assertEqual(self.rows("SELECT count(*) FROM all_names"), [["6"]])
        self.assertEqual(self.rows("SHOW TABLES IN tests '*_names'"), [["all_names"]])
        self.assertIn(["id", "bigint", ""], self.rows("DESCRIBE stock"))

    def test_values_take_the_place_of_question_marks(self):
        rows = self.rows("SELECT id FROM people WHERE name = ? AND day = ?", ExecutionParameters=["'one'", "1"])
        self.assertEqual(rows, [["1"]])
        self.athena.create_prepared_statement(StatementName="by_id", WorkGroup="primary",
                                              QueryStatement="SELECT name FROM people WHERE id = ?")
        self.assertEqual(self.rows("EXECUTE by_id USING 4"), [["four"]])
        self.assertEqual(self.rows("EXECUTE by_id", ExecutionParameters=["1"]), [["one"]])
        self.refused("InvalidRequestException", self.begin, query="EXECUTE other USING 4")
        self.refused("InvalidRequestException", self.begin, query="SELECT ?", ExecutionParameters=["1; DROP TABLE people"])

    def test_what_is_wrong_is_refused_or_fails(self):
        self.assertIn("line 1:1", self.refused("InvalidRequestException", self.begin, query="SELEC 1"))
        self.refused("InvalidRequestException", self.begin, query="SELECT 1", WorkGroup="nowhere")
        self.refused("InvalidRequestException", self.begin, query="SELECT 1",
                     ResultConfiguration={"OutputLocation": "/tmp/here"})
        self.refused("InvalidRequestException", self.athena.get_query_execution, QueryExecutionId="nobody")
        self.refused("InvalidRequestException", self.athena.get_query_results, QueryExecutionId="nobody")
        self.refused("InvalidRequestException", self.athena.stop_query_execution, QueryExecutionId="nobody")
        self.fails("SELECT * FROM missing", "the table `tests.missing` does not exist")
        self.fails("SELECT transform(ARRAY[1], x -> x)", "NOT_SUPPORTED")
        self.fails("SELECT 1", "no-such-bucket", ResultConfiguration={"OutputLocation": "s3://no-such-bucket/"})
        failed = self.begin("SELECT * FROM missing")
        self.ended(failed)
        self.refused("InvalidRequestException", self.athena.get_query_results, QueryExecutionId=failed)

    def test_a_token_starts_one_query(self):
        token = "t" * 32
        first = self.begin("SELECT 1", ClientRequestToken=token)
        self.assertEqual(self.begin("SELECT 1", ClientRequestToken=token), first)
        self.refused("InvalidRequestException", self.begin, query="SELECT 2", ClientRequestToken=token)

    def test_a_long_query_is_stopped(self):
        numbers = "(SELECT x FROM UNNEST(sequence(1, 3000)) AS t(x))"
        query_id = self.begin(f"SELECT count(*) FROM {numbers} a, {numbers} b, {numbers} c WHERE a.x + b.x + c.x = 7")
        self.athena.stop_query_execution(QueryExecutionId=query_id)
        status = self.ended(query_id)["Status"]
        self.assertEqual(status["State"], "CANCELLED")
        self.athena.stop_query_execution(QueryExecutionId=query_id)
        self.refused("InvalidRequestException", self.athena.get_query_results, QueryExecutionId=query_id)

    def test_workgroups_bound_their_queries(self):
        self.athena.create_work_group(Name="small", Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://lake-results/small/"}, "BytesScannedCutoffPerQuery": 10_000_000},
            Tags=[{"Key": "team", "Value": "x"}])
        group = self.athena.get_work_group(WorkGroup="small")["WorkGroup"]
        self.assertTrue(group["Configuration"]["EnforceWorkGroupConfiguration"])
        arn = f"arn:aws:athena:{self.deployment['region']}:000000000000:workgroup/small"
        self.assertEqual(self.athena.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "team", "Value": "x"}])
        names = {group["Name"] for group in self.athena.list_work_groups()["WorkGroups"]}
        self.assertEqual(names, {"primary", "small"})
        enforced = self.run_query("SELECT 1", WorkGroup="small", ResultConfiguration={"OutputLocation": "s3://lake-data/x"})
        self.assertTrue(enforced["ResultConfiguration"]["OutputLocation"].startswith("s3://lake-results/small/"))
        self.s3.put_object(Bucket="lake-data", Key="big/a.json", Body=b'{"id": 1}\n' * 1_100_000)
        self.run_query("CREATE EXTERNAL TABLE big (id int) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' "
                       "LOCATION 's3://lake-data/big/'")
        status = self.ended(self.begin("SELECT count(*) FROM big", WorkGroup="small"))["Status"]
        self.assertEqual(status["State"], "CANCELLED", status)
        self.assertIn("Bytes scanned limit was exceeded", status["StateChangeReason"])
        self.athena.update_work_group(WorkGroup="small", State="DISABLED")
        self.refused("InvalidRequestException", self.begin, query="SELECT 1", WorkGroup="small")
        listed = self.athena.list_query_executions(WorkGroup="small", MaxResults=1)
        self.assertEqual(len(listed["QueryExecutionIds"]), 1)
        more = self.athena.list_query_executions(WorkGroup="small", NextToken=listed["NextToken"])
        batch = self.athena.batch_get_query_execution(QueryExecutionIds=more["QueryExecutionIds"] + ["nobody"])
        self.assertEqual((len(batch["QueryExecutions"]), len(batch["UnprocessedQueryExecutionIds"])), (1, 1))
        self.athena.delete_work_group(WorkGroup="small")
        self.refused("InvalidRequestException", self.athena.get_work_group, WorkGroup="small")

    def test_named_queries(self):
        made = self.athena.create_named_query(Name="n", Database="tests", QueryString="SELECT 1")["NamedQueryId"]
        self.assertEqual(self.athena.get_named_query(NamedQueryId=made)["NamedQuery"]["QueryString"], "SELECT 1")
        self.assertIn(made, self.athena.list_named_queries()["NamedQueryIds"])
        self.athena.delete_named_query(NamedQueryId=made)
        self.refused("InvalidRequestException", self.athena.get_named_query, NamedQueryId=made)

    def test_the_catalog_is_told(self):
        names = [one["Name"] for one in self.athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]]
        self.assertIn("tests", names)
        self.assertIn("default", names)
        table = self.athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="tests", TableName="people")
        table = table["TableMetadata"]
        self.assertEqual([column["Type"] for column in table["Columns"]],
                         ["int", "string", "array<string>", "struct<city:string,zip:string>"])
        self.assertEqual(table["PartitionKeys"], [{"Name": "day", "Type": "int"}])
        self.refused("MetadataException", self.athena.get_table_metadata, CatalogName="AwsDataCatalog",
                     DatabaseName="tests", TableName="missing")
        glued = self.glue.get_table(DatabaseName="tests", Name="people")["Table"]
        self.assertEqual(glued["StorageDescriptor"]["Location"], "s3://lake-data/people/")
        self.assertEqual(glued["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"],
                         "org.openx.data.jsonserde.JsonSerDe")
        partitions = self.glue.get_partitions(DatabaseName="tests", TableName="people", Expression="day > 1")
        self.assertEqual([one["Values"] for one in partitions["Partitions"]], [["2"]])
        self.refused("EntityNotFoundException", self.glue.get_table, DatabaseName="tests", Name="missing")
        self.refused("EntityNotFoundException", self.glue.get_table, DatabaseName="missing", Name="people")

    def test_the_command_line(self):
        begun = self.aws("athena", "start-query-execution", "--query-string", "SELECT 1 AS one")
        self.ended(begun["QueryExecutionId"])
        results = self.aws("athena", "get-query-results", "--query-execution-id", begun["QueryExecutionId"])
        self.assertEqual(results["ResultSet"]["Rows"][1]["Data"], [{"VarCharValue": "1"}])
        self.assertIn("tests", [one["Name"] for one in self.aws("glue", "get-databases")["DatabaseList"]])


class Catalog(AthenaTestCase):
    def test_tables_are_made_through_glue(self):
        self.glue.create_database(DatabaseInput={"Name": "made", "Description": "d"})
        self.refused("AlreadyExistsException", self.glue.create_database, DatabaseInput={"Name": "made"})
        self.s3.put_object(Bucket="lake-data", Key="csv/y=1/a.csv", Body=b"1,a\n2,b\n")
        self.s3.put_object(Bucket="lake-data", Key="csv/y=2/a.csv", Body=b"3,c\n")
        storage = {"Columns": [{"Name": "id", "Type": "int"}, {"Name": "Name", "Type": "string"}],
                   "Location": "s3://lake-data/csv/", "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                   "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                   "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                                 "Parameters": {"separatorChar": ","}}}
        table = {"Name": "t", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage,
                 "PartitionKeys": [{"Name": "y", "Type": "int"}], "Parameters": {"classification": "csv"}}
        self.glue.create_table(DatabaseName="made", TableInput=table)
        self.refused("AlreadyExistsException", self.glue.create_table, DatabaseName="made", TableInput=table)
        new = [{"Values": ["1"], "StorageDescriptor": {**storage, "Location": "s3://lake-data/csv/y=1/"}},
               {"Values": ["2"], "StorageDescriptor": {**storage, "Location": "s3://lake-data/csv/y=2/"}}]
        self.assertEqual(self.glue.batch_create_partition(DatabaseName="made", TableName="t", PartitionInputList=new)["Errors"], [])
        again = self.glue.batch_create_partition(DatabaseName="made", TableName="t", PartitionInputList=new[:1])
        self.assertEqual(again["Errors"][0]["ErrorDetail"]["ErrorCode"], "AlreadyExistsException")
        rows = self.rows("SELECT id, name, y FROM made.t WHERE y < 2 ORDER BY id")
        self.assertEqual(rows, [["1", "a", "1"], ["2", "b", "1"]])
        self.glue.delete_partition(DatabaseName="made", TableName="t", PartitionValues=["1"])
        self.assertEqual(self.rows("SELECT id FROM made.t"), [["3"]])
        version = self.glue.get_table(DatabaseName="made", Name="t")["Table"]["VersionId"]
        changed = {**table, "Description": "new"}
        self.glue.update_table(DatabaseName="made", TableInput=changed, VersionId=version)
        self.refused("ConcurrentModificationException", self.glue.update_table, DatabaseName="made", TableInput=changed,
                     VersionId=version)
        self.assertEqual([one["Name"] for one in self.glue.get_tables(DatabaseName="made", Expression="t*")["TableList"]], ["t"])
        orc = {**table, "Name": "o", "StorageDescriptor": {**storage, "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.ql.io.orc.OrcSerde"}}}
        self.assertIn("OrcSerde", self.refused("InvalidInputException", self.glue.create_table, DatabaseName="made",
                                               TableInput=orc))
        self.glue.delete_table(DatabaseName="made", Name="t")
        self.refused("EntityNotFoundException", self.glue.delete_table, DatabaseName="made", Name="t")
        self.glue.delete_database(Name="made")
        self.refused("EntityNotFoundException", self.glue.get_database, Name="made")


class StateMachines(AthenaTestCase):
    def execution(self, states, start):
        client = self.client("stepfunctions")
        definition = json.dumps({"StartAt": start, "States": states})
        name = f"m{abs(hash(definition))}"
        machine = client.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
        return client, client.start_execution(stateMachineArn=machine)["executionArn"]

    def end(self, client, arn):
        def looked():
            described = client.describe_execution(executionArn=arn)
            return described if described["status"] != "RUNNING" else None

        return until("the execution ends", looked)

    def test_a_query_is_waited_for_and_its_result_read(self):
        states = {
            "Query": {"Type": "Task", "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
                      "Parameters": {"QueryString": "SELECT 7 AS seven", "WorkGroup": "primary"},
                      "ResultPath": "$.query", "Next": "Results"},
            "Results": {"Type": "Task", "Resource": "arn:aws:states:::athena:getQueryResults",
                        "Parameters": {"QueryExecutionId.$": "$.query.QueryExecution.QueryExecutionId"},
                        "ResultPath": "$.results", "Next": "Again"},
            "Again": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:athena:getQueryExecution",
                      "Parameters": {"QueryExecutionId.$": "$.query.QueryExecution.QueryExecutionId"},
                      "ResultPath": "$.again", "Next": "Tables"},
            "Tables": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:glue:getDatabases", "Parameters": {},
                       "ResultPath": "$.databases", "End": True},
        }
        described = self.end(*self.execution(states, "Query"))
        self.assertEqual(described["status"], "SUCCEEDED", described)
        output = json.loads(described["output"])
        status = output["query"]["QueryExecution"]["Status"]
        self.assertEqual(status["State"], "SUCCEEDED")
        self.assertIsInstance(status["CompletionDateTime"], int)
        self.assertEqual(output["results"]["ResultSet"]["Rows"][1]["Data"], [{"VarCharValue": "7"}])
        self.assertRegex(output["again"]["QueryExecution"]["Status"]["CompletionDateTime"], r"^20\d\d-.*Z$")
        self.assertEqual(output["databases"]["DatabaseList"][0]["Name"], "default")

    def test_a_query_that_fails_fails_its_task(self):
        query = {"Type": "Task", "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
                 "Parameters": {"QueryString": "SELECT * FROM nowhere"}, "End": True}
        described = self.end(*self.execution({"Query": query}, "Query"))
        self.assertEqual((described["status"], described["error"]), ("FAILED", "States.TaskFailed"))
        cause = json.loads(described["cause"])["QueryExecution"]
        self.assertEqual(cause["Status"]["State"], "FAILED")
        self.assertIn("nowhere", cause["Status"]["StateChangeReason"])
        query["Parameters"] = {"QueryString": "SELEC 1"}
        described = self.end(*self.execution({"Query": query}, "Query"))
        self.assertEqual(described["error"], "Athena.InvalidRequestException")
        self.assertIn("(Service: AmazonAthena; Status Code: 400; Error Code: InvalidRequestException;", described["cause"])

    def test_a_query_is_stopped_with_its_execution(self):
        numbers = "(SELECT x FROM UNNEST(sequence(1, 3000)) AS t(x))"
        query = {"Type": "Task", "Resource": "arn:aws:states:::athena:startQueryExecution.sync", "End": True,
                 "Parameters": {"QueryString":
                                f"SELECT count(*) FROM {numbers} a, {numbers} b, {numbers} c WHERE a.x + b.x + c.x = 8"}}
        client, arn = self.execution({"Query": query}, "Query")

        def running():
            for query_id in self.athena.list_query_executions()["QueryExecutionIds"]:
                found = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
                if found["Query"].endswith("= 8") and found["Status"]["State"] == "RUNNING":
                    return query_id
            return None

        query_id = until("the query runs", running)
        client.stop_execution(executionArn=arn)
        self.assertEqual(self.ended(query_id)["Status"]["State"], "CANCELLED")
        self.assertEqual(self.end(client, arn)["status"], "ABORTED")


if __name__ == "__main__":
    unittest.main()
