"""A rename with `formerly` changes nothing in AWS, whatever is renamed."""

import pytest

BEFORE = """\
name: media
ingress:
  jobs: {type: sqs}
partners:
  house:
    specification: {verification: {method: none, allow_unverified: true}, id: body.id, type: body.type, time: body.time}
    ingress: jobs
transforms:
  trim:
    pattern: {detail-type: [asset.ready]}
    steps: [{map: {id: metadata.id}}]
destinations:
  cms: {type: http, url: "https://cms.example.com/events", ordering: strict}
  mam: {type: sqs, queue_arn: "arn:aws:sqs:eu-west-1:123456789012:mam", manage_queue_policy: true}
  calls:
    type: api-destination
    url: "https://calls.example.com/"
    connection: {arn: "arn:aws:events:eu-west-1:123456789012:connection/calls/0f7a"}
routes:
  ready: {pattern: {detail-type: [asset.ready]}, destination: cms}
  to-mam: {pattern: {detail-type: [asset.ready]}, destination: mam}
  to-calls: {pattern: {detail-type: [asset.ready]}, destination: calls}
environments:
  dev: {region: eu-west-1}
"""
RENAMES = {
    "route": {"  ready: {pattern": "  finished: {formerly: [ready], pattern"},
    "route of a rule": {"  to-mam: {pattern": "  to-archive: {formerly: [to-mam], pattern"},
    "transform": {"  trim:\n": "  shorten:\n    formerly: [trim]\n"},
    "ingress": {"  jobs: {type: sqs}": "  orders: {type: sqs, formerly: [jobs]}", "ingress: jobs": "ingress: orders"},
    "destination": {"  cms: {type": "  portal: {formerly: [cms], type", "destination: cms": "destination: portal"},
    "destination of a rule": {
        "  mam: {type": "  archive: {formerly: [mam], type",
        "destination: mam": "destination: archive",
    },
    "api destination": {"  calls:\n": "  hooks:\n    formerly: [calls]\n", "destination: calls": "destination: hooks"},
    "twice": {
        "  cms: {type": "  desk: {formerly: [cms, portal], type",
        "destination: cms": "destination: desk",
        "  ready: {pattern": "  done: {formerly: [ready, finished], pattern",
    },
}


def _replaced(changes):
    text = BEFORE
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("changes", RENAMES.values(), ids=RENAMES)
def test_rename_changes_no_resource(synthesise, changes):
    before = synthesise(BEFORE)["dev"].document
    after = synthesise(_replaced(changes))["dev"].document

    renamed = after["output"].pop("renamed")["value"]
    assert after["output"]["archive_replay"]["value"].pop("renamed") == renamed
    for document in (before, after):
        del document["//"]
    assert after == before
    assert renamed


def test_all_names_of_a_member_are_known_for_the_first(synthesise):
    after = synthesise(_replaced(RENAMES["twice"]))["dev"].document

    assert after["output"]["renamed"]["value"] == {
        "route/finished": "route/ready",
        "route/done": "route/ready",
        "destination/portal": "destination/cms",
        "destination/desk": "destination/cms",
    }
