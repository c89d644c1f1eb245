"""Settings and configuration documents, compared with the reference."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from media_events.core.configuration import ConfigurationError, FunctionSettings, load_document
from media_events.core.settings import SettingsError
from media_events.handlers import deliver, redrive, transform, webhook
from media_events.messaging.consumer_settings import ConsumerSettings

REFERENCE = (Path(__file__).parents[4] / "docs" / "reference" / "function-configuration.md").read_text()
HANDLERS = {
    "webhook": webhook.WebhookSettings,
    "transform": transform.TransformSettings,
    "deliver": deliver.DeliverSettings,
    "redrive": redrive.RedriveSettings,
}
URI = "s3://kit/configuration/f/x.json"


def promised(function):
    """The variables of a function in the table of the reference."""
    found = set()
    for line in REFERENCE.partition("## Environment variables")[2].partition("\n## ")[0].splitlines():
        if not line.startswith("| `"):
            continue
        variables, functions, _ = (cell.strip() for cell in line.strip("|").split("|")[:3])
        listed = re.findall(r"[a-z_]+", functions)
        for variable, only in re.findall(r"`([A-Z_0-9]+)`(?: \(([a-z_, ]+)\))?", variables):
            readers = re.findall(r"[a-z_]+", only) if only else listed
            if "all" in readers or function in readers:
                found.add(variable)
    return found


@pytest.mark.parametrize("function", HANDLERS)
def test_settings_are_those_of_the_reference(function):
    assert set(HANDLERS[function].variables()) == promised(function)


@pytest.mark.parametrize("settings", [*HANDLERS.values(), FunctionSettings, ConsumerSettings])
def test_missing_variables_are_all_named(settings):
    with pytest.raises(SettingsError) as caught:
        settings.from_env({})

    required = {name for name, needed in settings.variables().items() if needed}
    required |= {problem.split()[0] for problem in settings.contradictions({})}
    assert {problem.split()[0] for problem in caught.value.problems} == required


def test_consumer_settings_become_a_retry_policy():
    environ = dict.fromkeys(("CONFIGURATION_URI", "CONFIGURATION_SHA256", "HOP", "QUEUE_URL"), "x")
    environ |= {"DEAD_LETTER_QUEUE_URL": "x", "MAX_RECEIVE_COUNT": "7", "RETRY_MAX_SECONDS": "60.5"}

    policy = ConsumerSettings.from_env(environ).retry_policy

    assert (policy.max_receive_count, policy.base_seconds, policy.max_seconds) == (7, 5.0, 60.5)


def test_function_behind_a_queue_must_know_it_and_one_invoked_by_a_rule_has_none():
    environ = dict.fromkeys(("CONFIGURATION_URI", "CONFIGURATION_SHA256", "HOP", "DEAD_LETTER_QUEUE_URL"), "x")

    with pytest.raises(SettingsError, match="QUEUE_URL is not set; MAX_RECEIVE_COUNT is not set"):
        ConsumerSettings.from_env(environ)
    with pytest.raises(SettingsError, match="INVOCATION must be queue or direct, not 'Direct'"):
        ConsumerSettings.from_env(environ | {"INVOCATION": "Direct"})
    assert ConsumerSettings.from_env(environ | {"INVOCATION": "direct"}).invocation == "direct"


class Documents:
    def __init__(self, content):
        self.content = content

    def read(self, uri):
        assert uri == URI
        return self.content


def settings(sha256, packed=None):
    environ = {"CONFIGURATION_URI": URI, "CONFIGURATION_SHA256": sha256, "HOP": "route/cms"}
    return FunctionSettings.from_env(environ | ({} if packed is None else {"CONFIGURATION": packed}))


def settings_for(content, packed=None):
    return settings(hashlib.sha256(content).hexdigest().upper(), packed)


def packed(content):
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


class NoDocuments:
    def read(self, _uri):
        raise AssertionError("nothing is read")


def test_document_is_read_and_checked():
    content = json.dumps({"steps": []}).encode()

    assert load_document(Documents(content), settings_for(content)) == {"steps": []}
    assert load_document(Documents(content), settings_for(content, packed="")) == {"steps": []}


def test_document_in_the_environment_is_checked_and_needs_no_storage():
    content = json.dumps({"steps": ["é"]}).encode()

    assert load_document(NoDocuments(), settings_for(content, packed(content))) == {"steps": ["é"]}
    with pytest.raises(ConfigurationError, match="CONFIGURATION has SHA-256"):
        load_document(NoDocuments(), settings("0" * 64, packed(content)))


@pytest.mark.parametrize("text", ["!", "e30=", packed(b"{}")[:-8], packed(b"{}")[4:]])
def test_environment_that_holds_no_packed_document_is_refused(text):
    with pytest.raises(ConfigurationError, match="CONFIGURATION is not gzip in base64"):
        load_document(NoDocuments(), settings_for(b"{}", text))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_document_that_is_no_object_is_refused(content):
    with pytest.raises(ConfigurationError, match="JSON"):
        load_document(Documents(content), settings_for(content))
    with pytest.raises(ConfigurationError, match="JSON"):
        load_document(NoDocuments(), settings_for(content, packed(content)))


@pytest.mark.parametrize("sha256", ["0" * 64, "é"])
def test_document_with_another_digest_is_refused(sha256):
    with pytest.raises(ConfigurationError, match="but CONFIGURATION_SHA256 is"):
        load_document(Documents(b"{}"), settings(sha256))
