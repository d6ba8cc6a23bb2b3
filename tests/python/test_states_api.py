"""The Step Functions API by boto3: every operation of machines, versions, aliases and executions, with its errors."""

import json
import socket
import unittest
import unittest.mock

from harness import ROLE, CloudTestCase, until

PASS = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}})
WAIT = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}})
FAIL = json.dumps({"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "Broken", "Cause": "as told"}}})
LOG_GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/states/test:*"


class StatesTestCase(CloudTestCase):
    def setUp(self):
        self.states = self.client("stepfunctions")

    def machine(self, name, definition=PASS, **more):
        arn = self.states.create_state_machine(name=name, definition=definition, roleArn=ROLE, **more)["stateMachineArn"]
        self.addCleanup(self.states.delete_state_machine, stateMachineArn=arn)
        return arn

    def ended(self, execution):
        def look():
            described = self.states.describe_execution(executionArn=execution)
            return described if described["status"] != "RUNNING" else None

        return until(f"{execution} has ended", look)

    def run_machine(self, machine, **more):
        return self.ended(self.states.start_execution(stateMachineArn=machine, **more)["executionArn"])


class Machines(StatesTestCase):
    def test_creating_twice_is_creating_once(self):
        settings = {"loggingConfiguration": {"level": "OFF"}, "tracingConfiguration": {"enabled": True}}
        arn = self.machine("once", **settings)
        again = dict(name="once", definition=PASS, roleArn=ROLE + "2", tags=[{"key": "a", "value": "b"}])
        self.assertEqual(self.states.create_state_machine(**again, **settings)["stateMachineArn"], arn)
        self.assertEqual(self.states.describe_state_machine(stateMachineArn=arn)["roleArn"], ROLE)
        self.assertEqual(self.states.list_tags_for_resource(resourceArn=arn)["tags"], [])
        create = self.states.create_state_machine
        message = self.refused("StateMachineAlreadyExists", create, **again)
        self.assertEqual(message, f"State Machine Already Exists: '{arn}'")
        self.refused("StateMachineAlreadyExists", create, **again, **settings, type="EXPRESS")
        self.refused("StateMachineAlreadyExists", create, **again, **settings, publish=True)
        self.refused("StateMachineAlreadyExists", create, **{**again, "definition": WAIT}, **settings)

    def test_what_is_wrong_with_a_machine_has_its_own_error(self):
        def refused(code, **changes):
            return self.refused(code, self.states.create_state_machine,
                                **{"name": "wrong", "definition": PASS, "roleArn": ROLE, **changes})

        refused("InvalidName", name="a b")
        refused("InvalidDefinition", definition="{}")
        refused("InvalidArn", roleArn="nobody")
        refused("InvalidLoggingConfiguration", loggingConfiguration={"level": "ALL"})
        refused("InvalidEncryptionConfiguration", encryptionConfiguration={"type": "CUSTOMER_MANAGED_KMS_KEY"})
        refused("ValidationException", versionDescription="without publish")
        refused("ValidationException", tags=[{"key": "aws:mine", "value": ""}])
        refused("TooManyTags", tags=[{"key": str(number), "value": ""} for number in range(51)])
        message = refused("ValidationException", name="x" * 81, type="FAST")
        self.assertIn("2 validation errors detected: ", message)
        self.assertIn("at 'name' failed to satisfy constraint: Member must have length less than or equal to 80", message)
        self.assertIn("Member must satisfy enum value set: [STANDARD, EXPRESS]", message)

    def test_members_that_no_sdk_leaves_out(self):
        states = self.client("stepfunctions", parameter_validation=False)
        message = self.refused("ValidationException", states.start_execution, input="{}")
        self.assertEqual(message, "1 validation error detected: Value null at 'stateMachineArn' failed to satisfy "
                                  "constraint: Member must not be null")

    def test_a_description_shows_what_was_set(self):
        logging = {"level": "ERROR", "includeExecutionData": True,
                   "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": LOG_GROUP}}]}
        encryption = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/key", "kmsDataKeyReusePeriodSeconds": 300}
        definition = json.dumps({"StartAt": "Set", "States": {
            "Set": {"Type": "Pass", "Assign": {"one": 1}, "Next": "Use"},
            "Use": {"Type": "Pass", "Parameters": {"one.$": "$one"}, "End": True}}})
        arn = self.machine("shown", definition, loggingConfiguration=logging, encryptionConfiguration=encryption)
        shown = self.states.describe_state_machine(stateMachineArn=arn)
        self.assertEqual((shown["status"], shown["type"], shown["name"]), ("ACTIVE", "STANDARD", "shown"))
        self.assertEqual((shown["definition"], shown["roleArn"]), (definition, ROLE))
        self.assertEqual(shown["loggingConfiguration"], logging)
        self.assertEqual(shown["tracingConfiguration"], {"enabled": False})
        self.assertEqual(shown["encryptionConfiguration"], encryption)
        self.assertEqual(shown["variableReferences"], {"Use": ["one"]})
        self.assertNotIn("revisionId", shown)
        bare = self.states.describe_state_machine(stateMachineArn=arn, includedData="METADATA_ONLY")
        self.assertEqual((bare["definition"], "variableReferences" in bare), ("{}", False))
        execution = self.run_machine(arn, name="one")["executionArn"]
        used = self.states.describe_state_machine_for_execution(executionArn=execution)
        self.assertEqual((used["stateMachineArn"], used["definition"]), (arn, definition))
        self.assertEqual((used["loggingConfiguration"], used["encryptionConfiguration"]), (logging, encryption))

    def test_an_update_makes_a_revision_if_it_changes_anything(self):
        arn = self.machine("updated")
        update = self.states.update_state_machine
        message = self.refused("MissingRequiredParameter", update, stateMachineArn=arn)
        self.assertIn("must be specified", message)
        self.assertNotIn("revisionId", update(stateMachineArn=arn, definition=PASS))
        first = update(stateMachineArn=arn, definition=WAIT)["revisionId"]
        self.assertEqual(update(stateMachineArn=arn, definition=WAIT)["revisionId"], first)
        second = update(stateMachineArn=arn, tracingConfiguration={"enabled": True})["revisionId"]
        shown = self.states.describe_state_machine(stateMachineArn=arn)
        self.assertEqual((shown["revisionId"], shown["tracingConfiguration"]), (second, {"enabled": True}))
        self.assertNotEqual(first, second)
        self.refused("InvalidDefinition", update, stateMachineArn=arn, definition="[")
        self.refused("StateMachineDoesNotExist", update, stateMachineArn=arn + "-none", definition=PASS)
        self.refused("ValidationException", update, stateMachineArn=arn + ":1", definition=PASS)

    def test_a_deleted_machine_goes_when_its_executions_have_ended(self):
        arn = self.machine("deleted", WAIT)
        self.states.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "b"}])
        execution = self.states.start_execution(stateMachineArn=arn)["executionArn"]
        self.states.delete_state_machine(stateMachineArn=arn)
        self.assertEqual(self.states.describe_state_machine(stateMachineArn=arn)["status"], "DELETING")
        self.assertEqual(self.states.describe_execution(executionArn=execution)["status"], "RUNNING")
        self.refused("StateMachineDeleting", self.states.start_execution, stateMachineArn=arn)
        self.refused("StateMachineDeleting", self.states.update_state_machine, stateMachineArn=arn, definition=PASS)
        self.refused("StateMachineDeleting", self.states.publish_state_machine_version, stateMachineArn=arn)
        self.refused("StateMachineDeleting", self.states.create_state_machine, name="deleted", definition=PASS, roleArn=ROLE)
        self.states.stop_execution(executionArn=execution)

        def gone():
            listed = self.states.list_state_machines()["stateMachines"]
            return arn not in [machine["stateMachineArn"] for machine in listed]

        until("the machine is gone", gone)
        self.refused("StateMachineDoesNotExist", self.states.describe_state_machine, stateMachineArn=arn)
        self.machine("deleted")
        self.assertEqual(self.states.list_tags_for_resource(resourceArn=arn)["tags"], [])
        # What is not there is deleted already.
        self.states.delete_state_machine(stateMachineArn=arn + "-none")

    def test_machines_are_listed_by_page(self):
        arns = [self.machine(f"listed-{number}", type=kind) for number, kind in enumerate(["STANDARD", "EXPRESS", "STANDARD"])]
        pages = self.states.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 2})
        listed = {one["stateMachineArn"]: one["type"] for page in pages for one in page["stateMachines"]}
        self.assertEqual([listed[arn] for arn in arns], ["STANDARD", "EXPRESS", "STANDARD"])
        self.refused("InvalidToken", self.states.list_state_machines, nextToken="none of ours")
        self.refused("ValidationException", self.client("stepfunctions", parameter_validation=False).list_state_machines,
                     maxResults=1001)

    def test_tags(self):
        arn = self.machine("tagged", tags=[{"key": "one", "value": "1"}, {"key": "two", "value": "2"}])
        self.states.tag_resource(resourceArn=arn, tags=[{"key": "two", "value": "zwei"}, {"key": "three", "value": ""}])
        self.states.untag_resource(resourceArn=arn, tagKeys=["one", "none"])
        tags = {tag["key"]: tag["value"] for tag in self.states.list_tags_for_resource(resourceArn=arn)["tags"]}
        self.assertEqual(tags, {"two": "zwei", "three": ""})
        many = [{"key": str(number), "value": ""} for number in range(49)]
        self.refused("TooManyTags", self.states.tag_resource, resourceArn=arn, tags=many)
        self.refused("ResourceNotFound", self.states.tag_resource, resourceArn=arn + "-none", tags=many)
        self.refused("InvalidArn", self.states.list_tags_for_resource, resourceArn="tagged")
        activity = self.states.create_activity(name="tagged", tags=[{"key": "one", "value": "1"}])["activityArn"]
        self.states.tag_resource(resourceArn=activity, tags=[{"key": "two", "value": "2"}])
        self.assertEqual([tag["key"] for tag in self.states.list_tags_for_resource(resourceArn=activity)["tags"]], ["one", "two"])
        self.states.delete_activity(activityArn=activity)
        self.refused("ResourceNotFound", self.states.list_tags_for_resource, resourceArn=activity)


class Versions(StatesTestCase):
    def test_a_version_never_changes(self):
        made = self.states.create_state_machine(name="versions", definition=PASS, roleArn=ROLE, publish=True,
                                                versionDescription="first")
        arn, first = made["stateMachineArn"], made["stateMachineVersionArn"]
        self.addCleanup(self.states.delete_state_machine, stateMachineArn=arn)
        again = self.states.create_state_machine(name="versions", definition=PASS, roleArn=ROLE, publish=True,
                                                 versionDescription="first")
        self.assertEqual((first, again["stateMachineVersionArn"]), (arn + ":1", first))
        publish = self.states.publish_state_machine_version
        self.assertEqual(publish(stateMachineArn=arn)["stateMachineVersionArn"], first)
        self.refused("ConflictException", publish, stateMachineArn=arn, revisionId="another")
        self.assertEqual(publish(stateMachineArn=arn, revisionId="INITIAL")["stateMachineVersionArn"], first)
        updated = self.states.update_state_machine(stateMachineArn=arn, definition=FAIL, publish=True,
                                                   versionDescription="second")
        self.assertEqual(updated["stateMachineVersionArn"], arn + ":2")
        old, new = (self.states.describe_state_machine(stateMachineArn=f"{arn}:{number}") for number in (1, 2))
        self.assertEqual((old["stateMachineArn"], old["definition"], old["description"]), (first, PASS, "first"))
        self.assertEqual((new["definition"], new["description"], new["revisionId"]), (FAIL, "second", updated["revisionId"]))
        self.assertNotIn("revisionId", old)
        listed = self.states.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
        self.assertEqual([one["stateMachineVersionArn"] for one in listed], [arn + ":2", first])
        ran = [self.run_machine(target)["status"] for target in (first, arn + ":2", arn)]
        self.assertEqual(ran, ["SUCCEEDED", "FAILED", "FAILED"])
        of_first = self.states.list_executions(stateMachineArn=first)["executions"]
        self.assertEqual([one["stateMachineVersionArn"] for one in of_first], [first])
        self.assertEqual(len(self.states.list_executions(stateMachineArn=arn)["executions"]), 3)
        self.states.delete_state_machine_version(stateMachineVersionArn=first)
        self.states.delete_state_machine_version(stateMachineVersionArn=first)
        self.refused("StateMachineDoesNotExist", self.states.start_execution, stateMachineArn=first)
        self.refused("StateMachineDoesNotExist", self.states.describe_state_machine, stateMachineArn=first)
        self.refused("ValidationException", self.states.delete_state_machine_version, stateMachineVersionArn=arn)
        # A number is never used twice.
        self.states.delete_state_machine_version(stateMachineVersionArn=arn + ":2")
        self.assertEqual(publish(stateMachineArn=arn)["stateMachineVersionArn"], arn + ":3")

    def test_versions_are_listed_by_page(self):
        arn = self.machine("pages")
        for number in range(5):
            self.states.update_state_machine(stateMachineArn=arn, roleArn=f"{ROLE}{number}", publish=True)
        listed, token = [], {}
        while True:
            page = self.states.list_state_machine_versions(stateMachineArn=arn, maxResults=2, **token)
            listed += [one["stateMachineVersionArn"].rsplit(":", 1)[1] for one in page["stateMachineVersions"]]
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        self.assertEqual(listed, ["5", "4", "3", "2", "1"])
        self.refused("StateMachineDoesNotExist", self.states.list_state_machine_versions, stateMachineArn=arn + "-none")


class Aliases(StatesTestCase):
    def setUp(self):
        super().setUp()
        self.arn = self.machine("aliases", publish=True)
        self.one = self.arn + ":1"
        self.two = self.states.update_state_machine(stateMachineArn=self.arn, definition=FAIL, publish=True)["stateMachineVersionArn"]

    def tearDown(self):
        self.doCleanups()

        def gone():
            names = [one["name"] for one in self.states.list_state_machines()["stateMachines"]]
            return "aliases" not in names

        until("the machine is gone", gone)

    @staticmethod
    def route(*pairs):
        return [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in pairs]

    def test_an_alias_leads_to_versions_by_weight(self):
        made = self.states.create_state_machine_alias(name="PROD", description="d", routingConfiguration=self.route((self.one, 100)))
        alias = made["stateMachineAliasArn"]
        self.assertEqual(alias, self.arn + ":PROD")
        ran = self.run_machine(alias)
        self.assertEqual((ran["status"], ran["stateMachineArn"]), ("SUCCEEDED", self.arn))
        self.assertEqual((ran["stateMachineVersionArn"], ran["stateMachineAliasArn"]), (self.one, alias))
        self.states.update_state_machine_alias(stateMachineAliasArn=alias,
                                               routingConfiguration=self.route((self.one, 50), (self.two, 50)))
        executions = [self.states.start_execution(stateMachineArn=alias)["executionArn"] for _ in range(40)]
        taken = {self.ended(execution)["stateMachineVersionArn"] for execution in executions}
        self.assertEqual(taken, {self.one, self.two})
        listed = self.states.list_executions(stateMachineArn=alias)["executions"]
        self.assertEqual(len(listed), 41)
        self.assertEqual({one["stateMachineAliasArn"] for one in listed}, {alias})
        shown = self.states.describe_state_machine_alias(stateMachineAliasArn=alias)
        self.assertEqual((shown["name"], shown["description"]), ("PROD", "d"))
        self.assertEqual(shown["routingConfiguration"], self.route((self.one, 50), (self.two, 50)))
        self.assertGreaterEqual(shown["updateDate"], shown["creationDate"])
        message = self.refused("ConflictException", self.states.delete_state_machine_version, stateMachineVersionArn=self.one)
        self.assertIn("[PROD]", message)
        self.states.delete_state_machine_alias(stateMachineAliasArn=alias)
        self.refused("ResourceNotFound", self.states.delete_state_machine_alias, stateMachineAliasArn=alias)
        self.refused("ResourceNotFound", self.states.describe_state_machine_alias, stateMachineAliasArn=alias)
        self.refused("StateMachineDoesNotExist", self.states.start_execution, stateMachineArn=alias)
        self.states.delete_state_machine_version(stateMachineVersionArn=self.one)

    def test_what_is_wrong_with_an_alias_has_its_own_error(self):
        create = self.states.create_state_machine_alias
        good = dict(name="A", routingConfiguration=self.route((self.one, 100)))
        first = create(**good)
        self.assertEqual(create(**good)["creationDate"], first["creationDate"])
        self.refused("ConflictException", create, **{**good, "routingConfiguration": self.route((self.two, 100))})
        for routes in (self.route((self.one, 99)), self.route((self.one, 50), (self.one, 50)), self.route((self.arn, 100))):
            self.refused("ValidationException", create, name="B", routingConfiguration=routes)
        self.refused("ValidationException", create, **{**good, "name": "12"})
        self.refused("ResourceNotFound", create, name="B", routingConfiguration=self.route((self.arn + ":9", 100)))
        alias = first["stateMachineAliasArn"]
        self.refused("ValidationException", self.states.update_state_machine_alias, stateMachineAliasArn=alias)
        self.refused("ResourceNotFound", self.states.update_state_machine_alias, stateMachineAliasArn=self.arn + ":B", description="x")
        self.refused("InvalidArn", self.states.describe_state_machine_alias, stateMachineAliasArn=self.one)

    def test_aliases_are_listed_newest_first_and_by_version(self):
        for name, version in (("A", self.one), ("B", self.two), ("C", self.one)):
            self.states.create_state_machine_alias(name=name, routingConfiguration=self.route((version, 100)))

        def names(**which):
            listed = self.states.list_state_machine_aliases(**which)["stateMachineAliases"]
            return [one["stateMachineAliasArn"].rsplit(":", 1)[1] for one in listed]

        self.assertEqual(names(stateMachineArn=self.arn), ["C", "B", "A"])
        self.assertEqual(names(stateMachineArn=self.one), ["C", "A"])
        page = self.states.list_state_machine_aliases(stateMachineArn=self.arn, maxResults=2)
        self.assertEqual(names(stateMachineArn=self.arn, nextToken=page["nextToken"]), ["A"])


class Executions(StatesTestCase):
    def test_a_description_is_whole(self):
        arn = self.machine("described")
        trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
        started = self.states.start_execution(stateMachineArn=arn, name="one", input='{"a": 1}', traceHeader=trace)
        shown = self.ended(started["executionArn"])
        self.assertEqual(shown["startDate"], started["startDate"])
        self.assertEqual((shown["input"], shown["output"]), ('{"a": 1}', '{"a":1}'))
        self.assertEqual((shown["inputDetails"], shown["outputDetails"]), ({"included": True}, {"included": True}))
        self.assertEqual((shown["redriveCount"], shown["redriveStatus"]), (0, "NOT_REDRIVABLE"))
        self.assertEqual(shown["redriveStatusReason"], "Execution is SUCCEEDED and cannot be redriven")
        self.assertEqual(shown["traceHeader"], trace)
        self.assertNotIn("stateMachineVersionArn", shown)
        self.states.meta.events.register("before-send.sfn.StartExecution", self.trace)
        traced = self.states.start_execution(stateMachineArn=arn, traceHeader=trace)["executionArn"]
        self.assertEqual(self.ended(traced)["traceHeader"], "Root=header")
        bare = self.states.describe_execution(executionArn=started["executionArn"], includedData="METADATA_ONLY")
        self.assertEqual({"input", "output", "inputDetails", "outputDetails"} & set(bare), set())

    @staticmethod
    def trace(request, **_):
        request.headers["X-Amzn-Trace-Id"] = "Root=header"

    def test_starting_twice_is_starting_once(self):
        arn = self.machine("twice", WAIT)
        start = self.states.start_execution
        first = start(stateMachineArn=arn, name="one", input="{}")
        self.assertEqual(start(stateMachineArn=arn, name="one", input="{}")["startDate"], first["startDate"])
        message = self.refused("ExecutionAlreadyExists", start, stateMachineArn=arn, name="one", input="[]")
        self.assertEqual(message, f"Execution Already Exists: '{first['executionArn']}'")
        self.states.stop_execution(executionArn=first["executionArn"], error="Enough", cause="of it")
        stopped = self.ended(first["executionArn"])
        self.assertEqual((stopped["status"], stopped["error"], stopped["cause"]), ("ABORTED", "Enough", "of it"))
        again = self.states.stop_execution(executionArn=first["executionArn"])
        self.assertEqual(again["stopDate"], stopped["stopDate"])
        self.refused("ExecutionAlreadyExists", start, stateMachineArn=arn, name="one", input="{}")
        self.refused("InvalidExecutionInput", start, stateMachineArn=arn, input="{")
        self.refused("InvalidExecutionInput", start, stateMachineArn=arn, input="[" * 110 + "]" * 110)
        self.refused("InvalidName", start, stateMachineArn=arn, name="a/b")
        self.refused("ValidationException", start, stateMachineArn=arn, input=json.dumps("x" * 262_144))
        self.refused("ValidationException", start, stateMachineArn=arn + "/label")
        self.refused("InvalidArn", start, stateMachineArn=first["executionArn"])
        self.refused("StateMachineDoesNotExist", start, stateMachineArn=arn + "-none")
        self.refused("StateMachineDoesNotExist", start, stateMachineArn=arn + ":7")

    def test_lists_are_filtered_and_sorted_by_what_happened_last(self):
        arn = self.machine("lists", WAIT)
        executions = [self.states.start_execution(stateMachineArn=arn, name=str(number))["executionArn"] for number in range(3)]
        self.states.stop_execution(executionArn=executions[0])

        def names(**which):
            pages = self.states.get_paginator("list_executions").paginate(
                stateMachineArn=arn, PaginationConfig={"PageSize": 1}, **which)
            return "".join(one["name"] for page in pages for one in page["executions"])

        self.assertEqual(names(), "021")
        self.assertEqual(names(statusFilter="RUNNING"), "21")
        self.assertEqual(names(statusFilter="ABORTED"), "0")
        self.states.redrive_execution(executionArn=executions[0])
        self.assertEqual((names(redriveFilter="REDRIVEN"), names(redriveFilter="NOT_REDRIVEN")), ("0", "21"))
        for execution in executions:
            self.states.stop_execution(executionArn=execution)
        listing = self.client("stepfunctions", parameter_validation=False).list_executions
        self.refused("ValidationException", listing)
        self.refused("ValidationException", listing, stateMachineArn=arn, mapRunArn=arn)
        self.refused("ValidationException", listing, stateMachineArn=arn, statusFilter="PENDING_REDRIVE")
        self.refused("ValidationException", listing, stateMachineArn=arn, statusFilter="ODD")
        self.refused("StateMachineDoesNotExist", listing, stateMachineArn=arn + "-none")
        self.refused("ResourceNotFound", listing, stateMachineArn=arn + ":1")
        token = self.states.list_executions(stateMachineArn=arn, maxResults=1)["nextToken"]
        self.refused("InvalidToken", listing, stateMachineArn=arn, nextToken=token, statusFilter="ABORTED")

    def test_a_history_in_both_directions(self):
        arn = self.machine("history")
        execution = self.run_machine(arn, input='{"a":1}')["executionArn"]

        def events(**how):
            pages = self.states.get_paginator("get_execution_history").paginate(
                executionArn=execution, PaginationConfig={"PageSize": 2}, **how)
            return [event for page in pages for event in page["events"]]

        forwards = events()
        self.assertEqual([event["type"] for event in forwards],
                         ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"])
        self.assertEqual(events(reverseOrder=True), forwards[::-1])
        self.assertEqual(forwards[0]["executionStartedEventDetails"]["input"], '{"a":1}')
        bare = events(includeExecutionData=False)
        self.assertNotIn("input", bare[0]["executionStartedEventDetails"])
        get = self.states.get_execution_history
        self.refused("ExecutionDoesNotExist", get, executionArn=execution + "-none")
        self.refused("InvalidArn", get, executionArn=arn)
        self.refused("InvalidToken", get, executionArn=execution, nextToken="none of ours")

    def test_only_what_was_unsuccessful_is_redriven(self):
        arn = self.machine("redriven", FAIL)
        failed = self.run_machine(arn)
        execution = failed["executionArn"]
        self.assertEqual((failed["status"], failed["redriveStatus"]), ("FAILED", "REDRIVABLE"))
        redrive = self.states.redrive_execution
        first = redrive(executionArn=execution, clientToken="one")["redriveDate"]
        self.assertEqual(redrive(executionArn=execution, clientToken="one")["redriveDate"], first)
        self.assertEqual(self.ended(execution)["redriveCount"], 1)
        redrive(executionArn=execution, clientToken="two")
        self.assertEqual(redrive(executionArn=execution, clientToken="one")["redriveDate"], first)
        again = self.ended(execution)
        self.assertEqual((again["status"], again["redriveCount"]), ("FAILED", 2))
        types = [event["type"] for event in self.states.get_execution_history(executionArn=execution)["events"]]
        self.assertEqual(types.count("ExecutionRedriven"), 2)
        done = self.run_machine(self.machine("fine"))["executionArn"]
        message = self.refused("ExecutionNotRedrivable", redrive, executionArn=done)
        self.assertEqual(message, "Execution is SUCCEEDED and cannot be redriven")
        self.refused("ExecutionDoesNotExist", redrive, executionArn=done + "-none")
        self.refused("ValidationException", redrive, executionArn=execution, clientToken="a b")


class Express(StatesTestCase):
    def setUp(self):
        self.states = self.client("stepfunctions", inject_host_prefix=False)

    def test_a_synchronous_execution_gives_its_output(self):
        arn = self.machine("sync", type="EXPRESS")
        answer = self.states.start_sync_execution(stateMachineArn=arn, name="one", input='{"a": 1}', traceHeader="Root=1")
        prefix = arn.replace(":stateMachine:", ":express:") + ":one:"
        self.assertTrue(answer["executionArn"].startswith(prefix), answer["executionArn"])
        self.assertEqual((answer["status"], answer["output"], answer["input"]), ("SUCCEEDED", '{"a":1}', '{"a": 1}'))
        self.assertEqual((answer["stateMachineArn"], answer["name"], answer["traceHeader"]), (arn, "one", "Root=1"))
        self.assertGreaterEqual(answer["stopDate"], answer["startDate"])
        billed = answer["billingDetails"]
        self.assertEqual((billed["billedMemoryUsedInMB"], billed["billedDurationInMilliseconds"] % 100), (64, 0))
        # The name is free at once.
        self.assertNotEqual(self.states.start_sync_execution(stateMachineArn=arn, name="one")["executionArn"], answer["executionArn"])
        bare = self.states.start_sync_execution(stateMachineArn=arn, includedData="METADATA_ONLY")
        self.assertEqual({"input", "output"} & set(bare), set())

    def test_the_prefix_that_sdks_put_before_the_host(self):
        arn = self.machine("prefix", type="EXPRESS")
        resolve = socket.getaddrinfo

        def local(host, *more, **how):
            return resolve("localhost" if host == "sync-localhost" else host, *more, **how)

        port = self.deployment["endpoint_url"].rsplit(":", 1)[1]
        with unittest.mock.patch("socket.getaddrinfo", local):
            states = self.client("stepfunctions", endpoint_url=f"http://localhost:{port}")
            self.assertEqual(states.start_sync_execution(stateMachineArn=arn)["status"], "SUCCEEDED")

    def test_a_failure_is_an_answer(self):
        arn = self.machine("sync-fails", FAIL, type="EXPRESS")
        answer = self.states.start_sync_execution(stateMachineArn=arn)
        self.assertEqual((answer["status"], answer["error"], answer["cause"]), ("FAILED", "Broken", "as told"))
        self.assertNotIn("output", answer)
        late = json.dumps({"TimeoutSeconds": 1, **json.loads(WAIT)})
        answer = self.states.start_sync_execution(stateMachineArn=self.machine("sync-late", late, type="EXPRESS"))
        self.assertEqual((answer["status"], answer["error"]), ("TIMED_OUT", "States.Timeout"))

    def test_versions_and_aliases_of_express_machines(self):
        arn = self.machine("sync-versions", type="EXPRESS", publish=True)
        route = [{"stateMachineVersionArn": arn + ":1", "weight": 100}]
        alias = self.states.create_state_machine_alias(name="LIVE", routingConfiguration=route)["stateMachineAliasArn"]
        for target in (arn + ":1", alias):
            self.assertEqual(self.states.start_sync_execution(stateMachineArn=target)["status"], "SUCCEEDED")

    def test_an_asynchronous_execution_cannot_be_looked_at(self):
        arn = self.machine("async", type="EXPRESS")
        first, second = (self.states.start_execution(stateMachineArn=arn, name="same")["executionArn"] for _ in range(2))
        self.assertNotEqual(first, second)
        for call in (self.states.describe_execution, self.states.get_execution_history, self.states.stop_execution,
                     self.states.redrive_execution, self.states.describe_state_machine_for_execution):
            message = self.refused("InvalidArn", call, executionArn=first)
            self.assertEqual(message, "Invalid Arn: 'Resource type not valid in this context: express'")
        self.refused("StateMachineTypeNotSupported", self.states.list_executions, stateMachineArn=arn)

    def test_a_standard_machine_is_not_run_synchronously(self):
        start = self.states.start_sync_execution
        message = self.refused("StateMachineTypeNotSupported", start, stateMachineArn=self.machine("standard"))
        self.assertEqual(message, "This operation is not supported by this type of state machine")
        self.refused("StateMachineDoesNotExist", start, stateMachineArn=self.machine("standard") + "-none")
        self.refused("InvalidExecutionInput", start, stateMachineArn=self.machine("sync-input", type="EXPRESS"), input="{")


if __name__ == "__main__":
    unittest.main()
