"""Clients that nobody here wrote, against the running cloud: awswrangler reads queries into pandas and writes tables,
PyIceberg reads and commits through Glue's catalog.

SLUICE names the program; PYTHONPATH leads to the harness of the other tests.
"""

import os
import unittest

import awswrangler as wr
import pandas as pd
import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import NoSuchTableError

from harness import CloudTestCase, until


class ClientTestCase(CloudTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings = {"AWS_ENDPOINT_URL": cls.deployment["endpoint_url"], "AWS_ACCESS_KEY_ID": "sluice",
                        "AWS_SECRET_ACCESS_KEY": "sluice", "AWS_DEFAULT_REGION": cls.deployment["region"]}
        cls.before = {name: os.environ.get(name) for name in cls.settings}
        os.environ.update(cls.settings)
        cls.athena = cls.client(cls, "athena")
        cls.client(cls, "s3").create_bucket(Bucket="clients")
        cls.sql("CREATE DATABASE clients")

    @classmethod
    def tearDownClass(cls):
        for name, value in cls.before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        super().tearDownClass()

    @classmethod
    def sql(cls, statement):
        """Runs a statement to its end."""
        query_id = cls.athena.start_query_execution(QueryString=statement,
                                                    QueryExecutionContext={"Database": "clients"})["QueryExecutionId"]

        def ended():
            status = cls.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
            return status if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") else None

        status = until("the statement ends", ended)
        assert status["State"] == "SUCCEEDED", (statement, status)
        return query_id

    def rows(self, query):
        rows = self.athena.get_query_results(QueryExecutionId=self.sql(query))["ResultSet"]["Rows"]
        return [[datum.get("VarCharValue") for datum in row["Data"]] for row in rows[1:]]


class Wrangler(ClientTestCase):
    def test_a_query_becomes_a_frame(self):
        query = """SELECT * FROM (VALUES (1, 'a"b', 1.5, DATE '2024-01-02', TIMESTAMP '2024-01-02 03:04:05', true),
                   (2, NULL, NULL, NULL, NULL, NULL)) AS t(id, name, price, day, seen, good) ORDER BY id"""
        frame = wr.athena.read_sql_query(query, database="clients", ctas_approach=False)
        self.assertEqual(list(frame["id"]), [1, 2])
        self.assertEqual(frame["name"][0], 'a"b')
        self.assertTrue(pd.isna(frame["name"][1]) and pd.isna(frame["price"][1]) and pd.isna(frame["good"][1]))
        self.assertEqual(float(frame["price"][0]), 1.5)
        self.assertEqual(str(frame["day"][0]), "2024-01-02")
        self.assertEqual(frame["seen"][0], pd.Timestamp("2024-01-02 03:04:05"))

    def test_a_query_goes_through_a_table(self):
        frame = wr.athena.read_sql_query("SELECT x, x * 2 AS twice, ARRAY['a', 'b'] AS l FROM UNNEST(sequence(1, 5)) AS t(x)",
                                         database="clients")
        self.assertEqual(sorted(frame["twice"]), [2, 4, 6, 8, 10])
        self.assertEqual(list(frame["l"][0]), ["a", "b"])
        self.assertEqual(list(wr.catalog.get_tables(database="clients", name_prefix="temp_table")), [])

    def test_a_frame_becomes_a_table(self):
        frame = pd.DataFrame({"id": [1, 2, 3], "name": ["a", None, "c"], "part": ["x", "y", "x"]})
        wr.s3.to_parquet(frame, path="s3://clients/frame/", dataset=True, database="clients", table="frame",
                         partition_cols=["part"])
        self.assertEqual(self.rows("SELECT id, name FROM frame WHERE part = 'x' ORDER BY id"), [["1", "a"], ["3", "c"]])
        more = pd.DataFrame({"id": [4], "name": ["d"], "part": ["z"]})
        wr.s3.to_parquet(more, path="s3://clients/frame/", dataset=True, database="clients", table="frame",
                         partition_cols=["part"], mode="append")
        self.assertEqual(self.rows("SELECT count(*), count(DISTINCT part) FROM frame"), [["4", "3"]])
        self.assertEqual(wr.catalog.table(database="clients", table="frame")["Partition"].tolist(), [False, False, True])
        self.assertTrue(wr.catalog.does_table_exist(database="clients", table="frame"))


class Iceberg(ClientTestCase):
    def catalog(self):
        return GlueCatalog("local", **{
            "glue.endpoint": self.deployment["endpoint_url"], "glue.region": self.deployment["region"],
            "glue.access-key-id": "sluice", "glue.secret-access-key": "sluice",
            "s3.endpoint": self.deployment["endpoint_url"], "s3.access-key-id": "sluice",
            "s3.secret-access-key": "sluice", "s3.region": self.deployment["region"],
        })

    def test_a_table_is_read_and_written_by_both(self):
        self.sql("CREATE TABLE both (id bigint, name string) PARTITIONED BY (name) "
                 "LOCATION 's3://clients/both' TBLPROPERTIES ('table_type'='ICEBERG')")
        self.sql("INSERT INTO both VALUES (1, 'a'), (2, 'b')")
        table = self.catalog().load_table("clients.both")
        self.assertEqual(sorted(table.scan().to_arrow().to_pydict()["id"]), [1, 2])
        table.append(pa.table({"id": pa.array([3], pa.int64()), "name": pa.array(["c"])}))
        self.assertEqual(self.rows("SELECT * FROM both ORDER BY id"), [["1", "a"], ["2", "b"], ["3", "c"]])
        self.sql("MERGE INTO both t USING (VALUES (2, 'B'), (4, 'd')) AS s(id, name) ON t.id = s.id "
                 "WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name)")
        # It is refused once, because the table has moved, and goes on from where the table is.
        table.append(pa.table({"id": pa.array([9], pa.int64()), "name": pa.array(["late"])}))
        table.refresh()
        self.assertEqual(sorted(table.scan().to_arrow().to_pydict()["name"]), ["B", "a", "c", "d", "late"])
        table.append(pa.table({"id": pa.array([5], pa.int64()), "name": pa.array(["e"])}))
        self.assertEqual(self.rows("SELECT count(*) FROM both"), [["6"]])

    def test_a_table_that_another_engine_made(self):
        catalog = self.catalog()
        schema = pa.schema([("id", pa.int64()), ("tags", pa.list_(pa.string()))])
        table = catalog.create_table("clients.made", schema=schema, location="s3://clients/made",
                                     properties={"format-version": "2"})
        table.append(pa.table({"id": [1], "tags": [["x", "y"]]}, schema=schema))
        self.assertEqual(self.rows("SELECT id, tag FROM made CROSS JOIN UNNEST(tags) AS t(tag) ORDER BY tag"),
                         [["1", "x"], ["1", "y"]])
        self.sql("INSERT INTO made VALUES (2, ARRAY['z'])")
        table.refresh()
        self.assertEqual(table.scan().to_arrow().num_rows, 2)
        self.assertIn(("clients", "made"), catalog.list_tables("clients"))
        catalog.drop_table("clients.made")
        with self.assertRaises(NoSuchTableError):
            catalog.load_table("clients.made")


if __name__ == "__main__":
    unittest.main()
