"""AWS's signature: that of botocore, for the requests that are made without it."""

from __future__ import annotations

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from media_events.adapters.signature_v4 import Signer, host_of

URLS = [
    "https://dynamodb.eu-west-1.amazonaws.com/",
    "https://dynamodb.eu-west-1.amazonaws.com:443/",
    "https://EVENTS.example.com:8443/",
    "http://localhost:80/",
    "http://127.0.0.1:4566/",
    "http://[::1]:4566/",
]
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


@given(
    url=st.sampled_from(URLS),
    body=st.binary(max_size=300),
    headers=st.fixed_dictionaries({"X-Amz-Target": VALUES, "Content-Type": VALUES}),
    credentials=st.builds(ReadOnlyCredentials, KEYS, KEYS, st.none() | KEYS),
)
def test_signature_is_botocores(url, body, headers, credentials):
    region = "us-gov-west-1"
    request = AWSRequest("POST", url, headers, body)
    SigV4Auth(credentials, "dynamodb", region).add_auth(request)
    signer = Signer(host=host_of(url), region=region, service="dynamodb")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.strftime", lambda *_: request.headers["X-Amz-Date"])
        proof = signer.signed(headers, body, credentials)

    assert headers | proof == dict(request.headers.items())
