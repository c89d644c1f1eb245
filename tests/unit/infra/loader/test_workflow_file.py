"""The environments of a workflow file without mistakes."""

import json
from pathlib import Path

import pytest

from media_events_kit.infra.documents.diagnostics import WorkflowError
from media_events_kit.infra.loader.workflow_file import load as load_file
from media_events_kit.infra.model.destinations import HttpDestination, SqsDestination
from tests.fakes.workflows import SMALL, load, load_small

ROOT = Path(__file__).resolve().parents[4]
ENVIRONMENT = "dev: {region: eu-west-1}"


def test_defaults_fill_what_the_file_leaves_out():
    (environment,) = load_small().environments

    assert environment.stack_name == "media-dev"
    assert environment.prefix == "media-dev"
    assert environment.workflow.state.type == "local"
    assert environment.workflow.ingress["webhook"].throttle.rate == 100
    assert environment.failure["ready"].max_receive_count == 5
    assert environment.specifications == {"mux": {"preset": "mux"}}


def test_environments_come_in_the_files_order_and_overlay_the_base():
    workflow = load_small(
        {
            ENVIRONMENT: "prod: {region: eu-west-1, settings: {logs: {retention_days: 90}}}\n"
            "  dev: {region: us-east-1, name: other}"
        }
    )

    assert [(e.name, e.workflow.name, e.workflow.region) for e in workflow.environments] == [
        ("prod", "media", "eu-west-1"),
        ("dev", "other", "us-east-1"),
    ]
    assert [e.workflow.settings.logs.retention_days for e in workflow.environments] == [90, 30]


def test_only_the_environments_asked_for_are_read():
    text = {ENVIRONMENT: 'dev: {region: eu-west-1}\n  prod: {region: "${PROD_REGION}"}'}

    workflow = load_small(text, environ={"MEDIA_EVENTS_ENVIRONMENTS": "dev"})

    assert [environment.name for environment in workflow.environments] == ["dev"]
    with pytest.raises(WorkflowError, match="PROD_REGION is not set"):
        load_small(text)


def test_reference_that_every_environment_overrides_need_not_be_set():
    workflow = load_small(
        {
            '"https://cms.example.com/events"': '"${CMS_URL}"',
            ENVIRONMENT: "dev: {region: eu-west-1, destinations: {cms: {url: 'https://dev.example.com/'}}}",
        }
    )

    destination = workflow.environments[0].workflow.destinations["cms"]
    assert isinstance(destination, HttpDestination)
    assert destination.url == "https://dev.example.com/"


def test_destination_may_be_of_another_type_in_one_environment():
    queue = "{type: sqs, queue_arn: 'arn:aws:sqs:eu-west-1:123456789012:events'}"

    workflow = load_small({ENVIRONMENT: f"dev: {{region: eu-west-1, destinations: {{cms: {queue}}}}}"})

    assert isinstance(workflow.environments[0].workflow.destinations["cms"], SqsDestination)


def test_route_taken_out_of_an_environment_is_gone_there():
    workflow = load_small({ENVIRONMENT: f"{ENVIRONMENT}\n  bare: {{region: eu-west-1, routes: {{ready: null}}}}"})

    assert [list(environment.workflow.routes) for environment in workflow.environments] == [["ready"], []]
    assert [str(warning) for warning in workflow.warnings if "routes" in str(warning)] == [
        "line 6, routes: there are no routes: no event is delivered anywhere (environment bare)"
    ]


def test_failure_of_a_hop_overlays_the_general_one():
    workflow = load_small(
        {
            "routes:": "failure: {max_receive_count: 3, redrive: {max_count: 9}}\nroutes:",
            "    destination: cms": "    destination: cms\n    failure: {redrive: {base_delay_seconds: 5}}",
        }
    )

    failure = workflow.environments[0].failure["ready"]
    assert failure.max_receive_count == 3
    assert (failure.redrive.max_count, failure.redrive.base_delay_seconds) == (9, 5)


def test_specification_file_is_read_from_beside_the_workflow(tmp_path):
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "acme.toml").write_text('preset = "mux"\ntitle = "Acme"\n', encoding="utf-8")

    workflow = load(SMALL.replace("specification: mux", "specification: ./partners/acme.toml"), folder=tmp_path)

    assert workflow.environments[0].specifications["mux"] == {"preset": "mux", "title": "Acme"}


def test_definition_is_read_from_beside_the_workflow(tmp_path):
    machine = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    (tmp_path / "done.asl.json").write_text(json.dumps(machine, indent=2), encoding="utf-8")
    text = SMALL.replace(
        '{type: http, url: "https://cms.example.com/events"}', "{type: step-functions, definition: done.asl.json}"
    )

    workflow = load(text, folder=tmp_path)

    assert json.loads(workflow.environments[0].definitions["cms"]) == machine


@pytest.mark.parametrize(("payload", "told"), [({}, 1), ({"source": "partner.mux"}, 0)])
def test_wait_of_a_definition_that_names_no_source_is_told_of(tmp_path, payload, told):
    parameters = {
        "FunctionName": "${WaitFunctionArn}",
        "Payload": {"key.$": "$.a", "token.$": "$$.Task.Token", **payload},
    }
    wait = {"Type": "Task", "Resource": "arn:x", "Parameters": parameters, "End": True}
    (tmp_path / "wait.asl.json").write_text(json.dumps({"StartAt": "Wait", "States": {"Wait": wait}}), encoding="utf-8")
    text = SMALL.replace(
        '{type: http, url: "https://cms.example.com/events"}', "{type: step-functions, definition: wait.asl.json}"
    )

    found = [str(warning) for warning in load(text, folder=tmp_path).warnings]

    assert ["ends this wait" in warning for warning in found].count(True) == told


def test_state_in_s3_has_a_key_of_its_own_per_environment():
    states = "dev: {region: eu-west-1}\n  prod: {region: eu-west-1}\nstate: {type: s3, bucket: states}"

    workflow = load_small({ENVIRONMENT: states})

    assert [environment.state_key for environment in workflow.environments] == [
        "media-events/media/dev.tfstate",
        "media-events/media/prod.tfstate",
    ]


# -------------------------------------------------------------------------------------------------------- the file


def test_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(WorkflowError, match=r"workflow.yaml has 1 mistake:\n  line 1: there is no such file"):
        load_file(tmp_path / "workflow.yaml", {})


def test_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "workflow.yaml").write_bytes(b"name: \xff\xfe")

    with pytest.raises(WorkflowError, match="is not UTF-8 text"):
        load_file(tmp_path / "workflow.yaml", {})


def test_folder_in_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(WorkflowError, match="can't be read"):
        load_file(tmp_path, {})


def test_default_workflow_has_no_mistake_and_no_warning():
    workflow = load_file(ROOT / "workflow.yaml", {})

    assert [environment.name for environment in workflow.environments] == ["dev", "prod", "local"]
    assert workflow.warnings == ()
