"""`media-events route match` and `media-events route test`: results, exit statuses, and messages about bad input."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from media_events.adapters.aws_lambda.user_code import load
from media_events_kit.ops.cli import run

METADATA = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "partner.mux",
    "type": "asset.ready",
    "time": "2026-11-23T10:00:00Z",
    "partner": "mux",
    "ingress": "webhook",
    "nativetype": "video.asset.ready",
    "recordedtime": "2026-11-23T10:00:01Z",
    "partitionkey": "a-1",
    "subject": "a-1",
}
DETAIL = {"metadata": METADATA, "data": {"status": "ready", "size": 7}}
EVENT = {"source": "partner.mux", "detail-type": "asset.ready", "detail": {**DETAIL}}

WORKFLOW = """
name: media
partners: {mux: {specification: mux, ingress: webhook}}
transforms:
  shape:
    pattern: {detail-type: [{prefix: asset.}]}
    steps: [{map: {asset: metadata.subject, size: data.size}}]
  small-ones-out:
    pattern: {detail-type: [asset.small]}
    steps: [{drop: "data.size < `10`"}]
  off:
    pattern: {source: [partner.mux]}
    enabled: false
    steps: [{set: {x: 1}}]
destinations:
  cms: {type: http, url: "https://cms.example.com/events"}
routes:
  shaped:
    pattern: {detail: {data: {asset: [a-1]}}}
    destination: cms
  raw:
    pattern: {detail: {data: {size: [{numeric: [">", 5]}]}}}
    stage: received
    destination: cms
  large:
    pattern: {detail: {data: {size: [{numeric: [">", 100]}]}}}
    destination: cms
environments:
  dev: {region: eu-west-1}
  prod:
    region: eu-west-1
    routes: {raw: {pattern: {source: [partner.other]}}}
"""


@pytest.fixture
def file(tmp_path: Path):
    def write(content: Any, name: str = "event.json") -> str:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch):
    def feed(content: Any) -> None:
        raw = io.BytesIO(json.dumps(content).encode())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))

    return feed


def match(file, pattern: Any, event: Any = EVENT, *options: str) -> int:
    return run(["route", "match", "--pattern", file(pattern, "pattern.json"), "--event", file(event), *options])


# match


def test_a_match_has_status_0(file, capsys):
    assert match(file, {"source": ["partner.mux"]}) == 0

    assert capsys.readouterr() == ("match\n", "")


def test_no_match_is_explained_with_status_1(file, capsys):
    assert match(file, {"detail": {"data": {"size": [{"numeric": [">", 10]}]}}}) == 1

    assert capsys.readouterr() == (
        'no match\n  detail.data.size: wanted {"numeric":[">",10]}, but the event has 7\n',
        "",
    )


def test_alternatives_are_explained_and_many_of_them_counted(file, capsys):
    assert match(file, {"$or": [{"account": [str(number)]} for number in range(9)]}) == 1

    output = capsys.readouterr().out
    assert output.count("nor: ") == 5
    assert "nor 3 further alternatives" in output


def test_a_pattern_that_aws_refuses_is_refused_with_every_reason_and_status_2(file, capsys):
    assert match(file, {"source": "partner.mux", "detail": {}}) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "refused: AWS would not take this pattern\n"
        '  source: must be an object or an array: write ["partner.mux"]\n'
        "  detail: an empty object is not allowed\n"
    )


def test_a_pattern_that_only_the_kit_refuses_is_said_to_be(file, capsys):
    assert match(file, {"a": [{"anything-but": {"prefix": []}}]}) == 2

    assert "the kit would not take this pattern" in capsys.readouterr().err


def test_warnings_go_to_standard_error_and_do_not_change_the_status(file, capsys):
    assert match(file, {"source": [{"exists": True}, "x"]}) == 0

    captured = capsys.readouterr()
    assert captured.out == "match\n"
    assert "warning: source: {'exists': true} takes every value here" in captured.err


@pytest.mark.parametrize(
    ("pattern", "status", "result"),
    [({"source": ["partner.mux"]}, 0, "match"), ({"source": ["x"]}, 1, "no-match"), ({}, 2, "refused")],
    ids=["match", "no match", "refused"],
)
def test_json_has_the_result(file, capsys, pattern, status, result):
    assert match(file, pattern, EVENT, "--json") == status

    captured = capsys.readouterr()
    assert json.loads(captured.out)["result"] == result
    assert captured.err == ""


def test_json_has_the_mismatch_with_its_parts(file, capsys):
    match(file, {"$or": [{"source": ["x"]}, {"account": ["1"]}]}, EVENT, "--json")

    record = json.loads(capsys.readouterr().out)
    assert record["mismatch"]["field"] == "source"
    assert record["mismatch"]["path"] == "$or[0].source"
    assert record["mismatch"]["wanted"] == ["x"]
    assert record["mismatch"]["actual"] == ["partner.mux"]
    assert [other["path"] for other in record["alternatives"]] == ["$or[1].account"]


def test_either_file_may_be_standard_input(file, stdin, capsys):
    stdin(EVENT)
    assert run(["route", "match", "--pattern", file({"source": ["partner.mux"]}), "--event", "-"]) == 0
    stdin({"source": ["partner.mux"]})
    assert run(["route", "match", "--pattern", "-", "--event", file(EVENT)]) == 0
    assert capsys.readouterr().out == "match\nmatch\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ("[1]", "must be a JSON object"),
        ('{"a": [1], "a": [2]}', 'has the key "a" twice in one object; EventBridge would silently take the last one'),
        ('{"a":' * 20_000 + "1" + "}" * 20_000, "nested too deep"),
        ('{"a":' * 300 + "1" + "}" * 300, "no match"),
    ],
    ids=["no JSON", "no object", "key twice", "too deep", "deep"],
)
def test_unusable_events_are_refused_without_a_stack_trace(file, capsys, content, reason):
    status = match(file, {"source": ["x"]}, content)

    captured = capsys.readouterr()
    assert status == (1 if reason == "no match" else 2)
    assert reason in captured.err + captured.out
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--pattern", "-", "--event", "-"],
        ["--pattern", "missing.json", "--event", "missing.json"],
        ["--pattern", ".", "--event", "."],
        ["--pattern", "x"],
        ["--pattern", "x\0y", "--event", "x"],
        [],
    ],
    ids=["both stdin", "missing", "folder", "one only", "impossible name", "nothing"],
)
def test_unusable_arguments_have_status_2(arguments, capsys):
    assert run(["route", "match", *arguments]) == 2

    assert capsys.readouterr().err


def test_help_has_examples(capsys):
    for command in ("match", "test"):
        assert run(["route", command, "--help"]) == 0

    assert capsys.readouterr().out.count("Examples:") == 2


# test


def route_event(file, event: Any, *options: str, workflow: str = WORKFLOW) -> int:
    path = file(workflow, "workflow.yaml")
    return run(["route", "test", "--event", file(event), "--workflow", path, *options])


def decisions(capsys) -> dict[str, dict[str, Any]]:
    record = json.loads(capsys.readouterr().out)
    return {decision["hop"]: decision for decision in [*record["transforms"], *record["routes"]]}


def test_an_event_is_followed_through_the_transforms_to_the_routes(file, capsys):
    assert route_event(file, DETAIL) == 0

    assert capsys.readouterr().out == (
        "environment dev\n"
        "  transform/shape           takes it\n"
        '  transform/small-ones-out  no: detail-type: wanted "asset.small", but the event has "asset.ready"\n'
        "  transform/off             no: it would take it, but is switched off\n"
        "  route/shaped              takes the result of transform/shape, to cms\n"
        "  route/raw                 takes it, to cms\n"
        "  route/large               no, the result of transform/shape: detail.data.size: wanted "
        '{"numeric":[">",100]}, but the event has 7\n'
    )


def test_the_result_of_a_transform_is_in_the_json(file, capsys):
    route_event(file, DETAIL, "--json")

    found = decisions(capsys)
    (result,) = found["transform/shape"]["results"]
    assert result["detail"]["data"] == {"asset": "a-1", "size": 7}
    assert result["detail"]["metadata"]["stage"] == "transformed"
    assert found["route/shaped"]["of"] == ["transform/shape"]
    assert found["route/raw"]["of"] == ["the event"]
    assert found["transform/off"]["outcome"] == "switched-off"
    assert found["route/large"]["mismatch"]["field"] == "detail.data.size"


def test_an_eventbridge_event_is_used_unchanged(file, capsys):
    event = {**EVENT, "detail": {**DETAIL, "metadata": {**METADATA, "stage": "transformed"}}}

    assert route_event(file, event, "--json") == 1

    found = decisions(capsys)
    assert found["transform/shape"]["mismatch"]["field"] == "detail.metadata.stage"
    assert found["route/raw"]["mismatch"]["field"] == "detail.metadata.stage"


def test_a_redriven_event_is_taken_by_its_own_route_alone(file, capsys):
    metadata = {**METADATA, "stage": "received", "redrive": {"route": "route/raw", "count": 1}}

    assert route_event(file, {**DETAIL, "metadata": metadata}, "--json") == 0

    found = decisions(capsys)
    assert [hop for hop, decision in found.items() if decision["outcome"] == "taken"] == ["route/raw"]
    assert found["transform/shape"]["mismatch"]["actual"] == ["route/raw"]


def test_a_transform_that_drops_or_fails_leads_nowhere_and_says_so(file, capsys):
    small = {**DETAIL, "metadata": {**METADATA, "type": "asset.small"}}
    route_event(file, small)
    assert "transform/small-ones-out  takes it, but its steps drop the event" in capsys.readouterr().out

    broken = WORKFLOW.replace("size: data.size}", "size: length(data.size)}")
    route_event(file, DETAIL, workflow=broken)
    assert "transform/shape           takes it, but its steps fail: steps[0].map.size: " in capsys.readouterr().out

    incomplete = {"metadata": {"partner": "mux", "type": "asset.ready"}, "data": {}}
    route_event(file, incomplete)
    assert "but its detail is refused: not an event envelope: metadata.id is missing" in capsys.readouterr().out


def test_an_event_that_two_transforms_take_is_delivered_once(file, capsys):
    both = WORKFLOW.replace("enabled: false", "enabled: true").replace("set: {x: 1}", "set: {asset: a-1}")

    route_event(file, DETAIL, workflow=both)

    assert (
        "  route/shaped              takes the results of transform/shape and transform/off, to cms, "
        "but it gets only the first of them, since they have one id\n"
    ) in capsys.readouterr().out


def test_a_queue_gets_the_result_of_every_transform(file, capsys):
    both = WORKFLOW.replace("enabled: false", "enabled: true").replace("set: {x: 1}", "set: {asset: a-1}")
    queue = "{type: sqs, queue_arn: 'arn:aws:sqs:eu-west-1:111122223333:cms'}"

    route_event(file, DETAIL, workflow=both.replace('{type: http, url: "https://cms.example.com/events"}', queue))

    assert "to cms, but it gets all of them\n" in capsys.readouterr().out


def test_environments_differ_and_one_can_be_chosen(file, capsys):
    assert route_event(file, DETAIL, "--environment", "prod", "--json") == 0

    assert decisions(capsys)["route/raw"]["outcome"] == "not-taken"


def test_nothing_taken_has_status_1(file, capsys):
    other = {**DETAIL, "metadata": {**METADATA, "type": "other", "partner": "other"}, "data": {}}

    assert route_event(file, other) == 1

    assert "nothing takes this event" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"a": 1}, "it has neither detail (an EventBridge event) nor metadata"),
        ({"metadata": {"type": "x"}, "data": {}}, "metadata.partner must be text"),
        ("{", "is not JSON"),
    ],
    ids=["neither", "no partner", "no JSON"],
)
def test_a_document_that_is_no_event_is_refused(file, capsys, event, reason):
    assert route_event(file, event) == 2

    assert reason in capsys.readouterr().err


def test_a_broken_workflow_is_refused_with_its_mistakes(file, capsys):
    assert route_event(file, DETAIL, workflow=WORKFLOW.replace("asset.small", "{prefix: 5}")) == 2

    assert "'prefix'" in capsys.readouterr().err


def test_an_unknown_environment_or_workflow_is_refused(file, capsys, tmp_path):
    assert route_event(file, DETAIL, "--environment", "staging") == 2
    assert '--environment asks for "staging", which is not declared: there are dev, prod' in capsys.readouterr().err

    missing = str(tmp_path / "none.yaml")
    assert run(["route", "test", "--event", file(DETAIL), "--workflow", missing]) == 2
    assert "there is no such file" in capsys.readouterr().err


FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:classify"
ASKING = """\
name: media
partners:
  mux: {specification: mux, ingress: webhook}
transforms:
  complete:
    pattern: {detail-type: [asset.ready]}
    layers: ["arn:aws:lambda:eu-west-1:123456789012:layer:acme:7"]
    steps:
      - lookup: {into: file, http: {url: "https://api.example.com/{data.size}", auth: AUTH}}
      - lookup: {into: row, dynamodb: {table_arn: "TABLE", key: {id: data.size}}}
      - lookup: {into: object, s3: {bucket: inbox, key: "'a.mov'"}}
      - lookup: {into: sidecar, s3: {bucket: inbox, key: "'a.mov'", sidecar: "{stem}.json"}}
      - lookup: {into: other, http: {url: "https://open.example.com/{data.size}"}}
      - call: {function_arn: FUNCTION}
      - python: {function: "acme_route_steps:tidy"}
      - lookup: {into: never, when: data.none, s3: {bucket: inbox, key: data.key}}
      - lookup: {into: none, missing: pass, s3: {bucket: inbox, key: data.key}}
      - set: {done: true}
destinations:
  cms: {type: http, url: "https://cms.example.com/events"}
routes:
  done:
    pattern: {detail: {data: {done: [true]}}}
    destination: cms
environments:
  dev: {region: eu-west-1}
"""
for short, long in {
    "AUTH": '{type: basic, secret_arn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mam-AbCdEf"}',
    "TABLE": "arn:aws:dynamodb:eu-west-1:123456789012:table/titles",
    "FUNCTION": FUNCTION,
}.items():
    ASKING = ASKING.replace(short, long)


def test_steps_that_need_a_network_are_skipped_and_named(file, capsys):
    assert route_event(file, DETAIL, "--json", workflow=ASKING) == 0

    found = decisions(capsys)
    (result,) = found["transform/complete"]["results"]
    assert result["detail"]["data"] == {**DETAIL["data"], "done": True}
    assert found["transform/complete"]["passed_over"] == [
        "steps[0].lookup asks https://api.example.com/7",
        "steps[1].lookup asks the table titles for {'id': 7}",
        "steps[2].lookup asks S3 for s3://inbox/a.mov",
        "steps[3].lookup reads s3://inbox/a.json",
        "steps[4].lookup asks https://open.example.com/7",
        f"steps[5].call invokes the function {FUNCTION}",
        (
            "steps[6].python needs acme_route_steps:tidy: there is no module acme_route_steps: add a layer that has it "
            "under python/; here, name its folder: --python-path"
        ),
    ]
    assert found["route/done"]["of"] == ["transform/complete"]

    assert route_event(file, DETAIL, workflow=ASKING) == 0
    assert "    skipped: steps[2].lookup asks S3 for s3://inbox/a.mov\n" in capsys.readouterr().out


@pytest.fixture(name="steps")
def _steps(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    yield folder
    for module in ("acme_route_steps", "acme_route_package"):
        sys.modules.pop(module, None)
    load.cache_clear()


def test_python_steps_run_with_the_modules_of_the_named_folder(file, capsys, steps):
    load.cache_clear()
    (steps / "acme_route_steps.py").write_text("def tidy(event): return {'tidy': True}\n")

    route_event(file, DETAIL, "--json", "--python-path", str(steps), workflow=ASKING)

    (result,) = decisions(capsys)["transform/complete"]["results"]
    assert result["detail"]["data"] == {"tidy": True, "done": True}
    assert str(steps) not in sys.path


SPLITTING = """\
name: media
partners:
  mux: {specification: mux, ingress: webhook}
transforms:
  parts:
    pattern: {detail-type: [asset.ready]}
    package: ./own
    steps:
      - python: {function: "acme_route_package:parts"}
destinations:
  cms: {type: http, url: "https://cms.example.com/events"}
routes:
  long:
    pattern: {detail: {data: {n: [{numeric: [">", 1]}]}}}
    destination: cms
environments:
  dev: {region: eu-west-1}
"""


def test_every_event_of_a_split_is_tried(file, capsys, steps):
    (steps / "acme_route_package.py").write_text("def parts(event): return [{'n': n} for n in range(4)]\n")

    assert route_event(file, DETAIL, workflow=SPLITTING) == 0

    assert capsys.readouterr().out == (
        "environment dev\n"
        "  transform/parts  takes it, and splits it into 4 events\n"
        "  route/long       takes 2 of the results of transform/parts, to cms\n"
    )
    assert route_event(file, DETAIL, "--json", workflow=SPLITTING) == 0
    found = decisions(capsys)
    assert [result["detail"]["metadata"]["id"] for result in found["transform/parts"]["results"]] == [
        f"{METADATA['id']}/{n}" for n in range(4)
    ]
    assert found["route/long"]["of"] == ["transform/parts[2]", "transform/parts[3]"]


def test_pattern_and_event_may_be_yaml(tmp_path, capsys):
    pattern, event = tmp_path / "pattern.yaml", tmp_path / "event.yml"
    pattern.write_text("source: [partner.mux]\ndetail: {data: {size: [7]}}\n")
    event.write_text("source: partner.mux\ndetail: {data: {size: 7}}\n")

    assert run(["route", "match", "--pattern", str(pattern), "--event", str(event)]) == 0
    pattern.write_text("source: [partner.mux")
    assert run(["route", "match", "--pattern", str(pattern), "--event", str(event)]) == 2
    assert "is not YAML" in capsys.readouterr().err
