"""Credentials are found by the names before them, in any text and in time that grows with it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.failures import scrub
from media_events.core.secret_text import (
    is_secret_name,
    mentions_secret,
    names_pattern,
    without_secrets,
    without_values,
)

NAMES = [
    *(
        "secretAccessKey",
        "access_key",
        "jwt",
        "pwd",
        "authorization",
        "Authorization",
        "cookie",
        "Set-Cookie",
        "cookies",
    ),
    *(
        "password",
        "passwd",
        "passphrase",
        "api_key",
        "apiKey",
        "private-key",
        "streamKey",
        "session_id",
        "refreshToken",
    ),
    *("client_secret", "x-signature", "credentials"),
]


@pytest.mark.attack("C14")
@pytest.mark.parametrize("name", NAMES)
def test_c14_value_under_a_credentials_name_is_hidden(name):
    assert is_secret_name(name)
    assert mentions_secret(name)
    for text in (f'{{"{name}": "PLANTED"}}', f"{name}=PLANTED&a=1", f"{name}: PLANTED", f"'{name}': 'PLANTED'"):
        assert "PLANTED" not in scrub(text)


@pytest.mark.attack("C14")
@pytest.mark.parametrize(
    "value",
    [
        {"a": "PLANTED", "b": ["PLANTED"]},
        ["PLANTED", {"a": 'PLAN"TED'}],
        'a"PLANTED',
        "a\\",
        [[["PLANTED]"]]],
    ],
)
@pytest.mark.parametrize("layers", [0, 1, 2])
def test_c14_whole_value_is_hidden_however_deep_it_is(value, layers):
    text = json.dumps({"token": value, "after": 1})
    for _ in range(layers):
        text = json.dumps({"text": text, "after": 1})

    clean = without_secrets(text)

    assert "PLANTED" not in clean
    assert "TED" not in clean
    assert "***" in clean


@pytest.mark.parametrize("text", ["token_count 3", "the secret is out", '{"token": null}', '{"tokens_used_in_all"'])
def test_text_without_a_credential_stays_as_it_is(text):
    assert without_secrets(text) == text


def test_what_follows_a_value_stays():
    assert without_secrets('{"token": {"a": [1, "}"]}, "id": "e-1"}') == '{"token": ***, "id": "e-1"}'
    assert without_secrets("token=abc the destination answered 503") == "token=*** the destination answered 503"


@pytest.mark.parametrize("name", ["token_count", "tokenizer", "author", "keyframe", "secretary", "asset_key"])
def test_name_that_only_begins_like_a_credentials_is_none(name):
    assert not is_secret_name(name)


@pytest.mark.attack("C14")
@pytest.mark.parametrize(
    "text",
    [
        '{"pass\\u0077ord": "PLANTED", ',
        '{"inner": "{\\"p\\\\u0061ssword\\": \\"PLANTED\\"}", ',
        "p%61ssword=PLANTED&a=1",
        "<r><password>PLANTED</password></r>",
        "<r><a:token kind='x'><b>PLANTED</b><token>PLANTED</token> PLANTED</a:token></r>",
        "<r><token>PLANTED",
        '--b\r\nContent-Disposition: form-data; name="api_key"\r\nX: y\r\n\r\nPLAN\r\nTED PLANTED\r\n--b--',
        '{"headers": [{"name": "Authorization", "value": "PLANTED"}, NaN',
        "Host: x\r\nCookie: a=PLANTED; b=PLANTED\r\nAuthorization: Digest a PLANTED",
    ],
)
def test_c14_value_is_hidden_however_its_name_is_written(text):
    clean = without_secrets(text)

    assert "PLAN" not in clean
    assert "TED" not in clean
    assert "***" in clean


@pytest.mark.parametrize(
    "text", ["<r><title>Token</title><tokens_left>3</tokens_left><token/>after</r>", "100%41 and \\u0041", "a <token b"]
)
def test_text_that_only_looks_marked_up_stays(text):
    assert without_secrets(text) == text


@given(st.text(alphabet="tokens\":={}[]\\'u0061 \n", max_size=80))
def test_any_text_is_taken(text):
    without_secrets(text)
    without_values(text, names_pattern(["token", "é", "😀"]), "***")


@pytest.mark.attack("C14")
@pytest.mark.parametrize(
    "unit",
    [
        '"',
        "\\",
        '\\"',
        "token",
        'token="',
        "token=\\",
        "token={",
        'token:["',
        "token:null",
        "a",
        "\\u0074",
        "token\\",
        "'",
        "<token>",
        "<token ",
        "<token></tokens>",
        "<token1></token1>",
        "content-disposition:",
        "content-disposition: form-data; name=token\n\n",
        '"name":"token","value":',
        "%74",
        "cookie:\n",
    ],
)
def test_c14_a_megabyte_of_the_worst_text_is_taken(unit):
    text = unit * (1_000_000 // len(unit))

    assert len(without_secrets(text)) <= 2 * len(text)
    assert len(without_values(text, names_pattern(["token", "a.b"]), "***")) <= 2 * len(text)
