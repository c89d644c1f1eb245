"""The verifier: every method, the strict rules, and the attacks that it must resist."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from typing import Any

import ecdsa
import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_events.partners.presets import preset_names
from media_events.partners.proof_parts import MAX_CANDIDATES, Request
from media_events.partners.signature_verification import verify
from media_events.partners.specification import parse_specification
from tests.fakes.partners import hex_hmac, preset, request, standard_signature, vectors

NOW = 1_741_083_330
BODY = b'{"type":"asset.ready","id":"evt_1"}'
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD = preset("standard-webhooks").verification


def scheme(**verification: Any):
    identity = "signed_form" if "{sorted_form}" in verification.get("content", "") else "body.id"
    return parse_specification({"id": identity, "type": "body.type", "verification": verification}).verification


def standard(**changes: Any):
    """A request that Standard Webhooks verifies, but for ``changes`` to its headers (``None`` removes one)."""
    identity, timestamp = changes.pop("signed_id", "msg_1"), str(changes.pop("signed_time", NOW))
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": standard_signature(SECRET, identity, timestamp, BODY),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return request(BODY, {name: value for name, value in headers.items() if value is not None})


def judge(sent: Request, secrets=(SECRET,), now: float = NOW):
    return verify(STANDARD, sent, secrets, now)


GOOD = standard_signature(SECRET, "msg_1", str(NOW), BODY)

# The attack catalogue, rows A1 to A19.


@pytest.mark.attack("A1")
def test_a1_missing_signature_is_refused():
    assert judge(standard(webhook_signature=None)).reason == "signature-missing"
    assert judge(standard(webhook_signature="")).reason == "signature-missing"


@pytest.mark.attack("A2")
def test_a2_garbage_signature_is_refused():
    assert judge(standard(webhook_signature="garbage")).reason == "signature-malformed"


@pytest.mark.attack("A3")
@pytest.mark.parametrize(
    "header",
    [f"garbage {GOOD}", f"v1,!! {GOOD}", f"v1,é {GOOD}", f"v9,AAAA {GOOD}", f"{GOOD} garbage", f"v1 , {GOOD}"],
)
def test_a3_garbage_beside_a_good_signature_does_no_harm(header):
    assert judge(standard(webhook_signature=header)).valid is True


@pytest.mark.attack("A4")
def test_a4_spaces_between_signatures_do_no_harm():
    assert judge(standard(webhook_signature=f"  v1,AAAA   {GOOD}  ")).valid is True


@pytest.mark.attack("A5")
@pytest.mark.parametrize("broken", [f"v1,{GOOD}", f"{GOOD}=", f"{GOOD},b", "v1,a,b", "v1,", GOOD[:11]])
def test_a5_signature_with_extra_characters_is_refused(broken):
    assert judge(standard(webhook_signature=broken)).valid is False


@pytest.mark.attack("A6")
@pytest.mark.parametrize("broken", ["v1,é", "é", f"v1,{GOOD[3:]}é", "v1,\udcff", "v1,\uff4d\uff55"])
def test_a6_non_ascii_signature_is_refused(broken):
    assert judge(standard(webhook_signature=broken)).valid is False


@pytest.mark.attack("A7")
@pytest.mark.parametrize("broken", ["v1,====", "v1,A", "v1,AAA", "v1,*"])
def test_a7_invalid_base64_is_refused(broken):
    assert judge(standard(webhook_signature=broken)).reason == "signature-malformed"


@pytest.mark.attack("A8")
def test_a8_only_the_canonical_spelling_of_base64_is_accepted():
    signature = GOOD.removeprefix("v1,")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray_bits = signature[:-2] + alphabet[alphabet.index(signature[-2]) ^ 1] + "="
    assert base64.b64decode(stray_bits) == base64.b64decode(signature)

    for spelling in (
        stray_bits,
        signature[:10] + "!!" + signature[10:],
        signature[:10] + "\n" + signature[10:],
        signature.rstrip("="),
    ):
        assert judge(standard(webhook_signature=f"v1,{spelling}")).valid is False


@pytest.mark.attack("A9")
@pytest.mark.parametrize("time", ["abc", "-1", "nan", "inf", "9" * 400, "1" * 13, "0x10", "١٢٣"])
def test_a9_malformed_timestamp_is_refused(time):
    assert judge(standard(signed_time=time)).reason == "timestamp-malformed"


@pytest.mark.attack("A9")
def test_a9_empty_or_missing_timestamp_is_refused():
    assert judge(standard(webhook_timestamp="")).reason == "timestamp-missing"
    assert judge(standard(webhook_timestamp=None)).reason == "timestamp-missing"


@pytest.mark.attack("A10")
@pytest.mark.parametrize(
    "time", [f"+{NOW}", f" {NOW}", f"{NOW} ", f"{NOW}.9", "1_741_083_330", f"{NOW}e0", f"{NOW}abc", f"{NOW}\n"]
)
def test_a10_timestamp_that_lenient_parsers_take_is_refused(time):
    assert judge(standard(signed_time=time)).reason == "timestamp-malformed"


@pytest.mark.attack("A11")
def test_a11_timestamp_300_seconds_old_is_accepted_and_301_is_refused():
    assert judge(standard(), now=NOW + 300.99).valid is True
    assert judge(standard(), now=NOW + 301).reason == "timestamp-too-old"


@pytest.mark.attack("A12")
@pytest.mark.parametrize("ahead", [301, 86_400, 315_360_000])
def test_a12_timestamp_in_the_future_is_refused(ahead):
    assert judge(standard(signed_time=NOW + ahead)).reason == "timestamp-in-future"


@pytest.mark.attack("A14")
def test_a14_old_request_is_refused_by_its_signed_time_whatever_the_header_says():
    assert judge(standard(), now=NOW + 86_400).reason == "timestamp-too-old"
    assert judge(standard(webhook_timestamp=str(NOW + 86_400)), now=NOW + 86_400).reason == "signature-mismatch"


TWILIO = scheme(
    method="hmac",
    algorithm="sha1",
    encoding="base64",
    signature_header="x-twilio-signature",
    content="{url}{sorted_form}",
)
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_BODY = b"CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&From=%2B12349013030&To=%2B18005551212"


def twilio(body: bytes = TWILIO_BODY, url: str = TWILIO_URL, content_type: str = "application/x-www-form-urlencoded"):
    signed = hmac.new(
        b"12345",
        TWILIO_URL.encode() + b"CallSidCA1234567890ABCDECaller+12349013030Digits1234From+12349013030To+18005551212",
        hashlib.sha1,
    ).digest()
    headers = {"x-twilio-signature": base64.b64encode(signed).decode(), "content-type": content_type}
    return verify(TWILIO, request(body, headers, url=url), ["12345"], 0)


def test_sorted_form_verifies_and_signs_the_query_string():
    assert twilio().valid is True
    assert twilio(b"&".join(reversed(TWILIO_BODY.split(b"&")))).valid is True
    assert twilio(url="https://mycompany.com/myapp.php").reason == "signature-mismatch"


@pytest.mark.attack("A16")
@pytest.mark.parametrize(
    "shifted",
    [
        TWILIO_BODY + b"&Digits=",
        TWILIO_BODY + b"&X=",
        TWILIO_BODY.replace(b"Digits=1234&", b""),
        b"",
    ],
)
def test_a16_form_with_other_fields_is_refused(shifted):
    assert twilio(shifted).valid is False


@pytest.mark.parametrize("text", ["Hi From Bob", "To", "call me Tomorrow"])
def test_a_form_is_taken_whatever_fields_come_and_whatever_names_are_in_a_text(text):
    signature = hex_hmac("key", f"Body{text}From1New2To3".encode())
    body = f"To=3&New=2&From=1&Body={text}".encode()
    sent = request(body, {"x-sig": signature, "content-type": "application/x-www-form-urlencoded"})
    verification = scheme(method="hmac", signature_header="x-sig", content="{sorted_form}")

    assert verify(verification, sent, ["key"], 0).valid is True


def test_a_field_that_comes_twice_is_signed_by_its_distinct_values_in_order():
    signature = hex_hmac("key", b"MediaUrlaMediaUrlb")
    headers = {"x-sig": signature, "content-type": "application/x-www-form-urlencoded"}
    verification = scheme(method="hmac", signature_header="x-sig", content="{sorted_form}")

    assert verify(verification, request(b"MediaUrl=b&MediaUrl=a&MediaUrl=b", headers), ["key"], 0).valid is True


@pytest.mark.attack("A17")
def test_a17_json_where_a_form_is_signed_is_an_unsupported_content_type():
    assert twilio(b'{"A":"xTAMPERED"}', content_type="application/json").reason == "content-type-unsupported"


@pytest.mark.attack("A18")
def test_a18_message_id_with_a_dot_is_malformed_since_its_boundary_is_ambiguous():
    assert judge(standard(signed_id="msg_a.1614265330")).reason == "message-id-malformed"
    assert judge(standard(signed_id="msg\n1")).reason == "message-id-malformed"
    assert judge(standard(signed_id="m" * 257)).reason == "message-id-malformed"


@pytest.mark.attack("A19")
@pytest.mark.parametrize("name", ["webhook-signature", "webhook-timestamp", "webhook-id"])
def test_a19_repeated_security_header_is_refused_in_any_case(name):
    sent = standard()
    value = sent.values(name)[0]
    doubled = Request(sent.method, sent.url, [*sent.headers, (name.title(), value)], sent.body)

    assert judge(doubled).reason == "header-duplicate"


@pytest.mark.attack("C11")
def test_c11_specification_without_verification_refuses_everything():
    assert verify(None, standard(), [SECRET], NOW).reason == "verification-not-configured"


def test_open_specification_is_open_only_because_it_says_so():
    assert verify(scheme(method="none", allow_unverified=True), request(), [], NOW).valid is None


# Secrets.


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_=", "whsec_ ", "not base64!", "é", "\ud800"])
def test_malformed_secret_is_unusable_and_does_not_break_the_others(secret):
    assert judge(standard(), secrets=[secret]).reason == "secret-unusable"
    assert judge(standard(), secrets=[secret, SECRET]).secret_index == 1


@pytest.mark.parametrize("secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr"])
def test_unpadded_secret_verifies(secret):
    key = base64.b64decode(secret + "=" * (-len(secret) % 4))
    signature = base64.b64encode(hmac.new(key, f"msg_1.{NOW}.".encode() + BODY, hashlib.sha256).digest()).decode()

    assert judge(standard(webhook_signature=f"v1,{signature}"), secrets=[f"whsec_{secret}"]).valid is True


def test_published_multi_signature_vector_of_the_rust_library_verifies():
    sent = request(
        b'{"email":"test@example.com","username":"test_user"}',
        {
            "webhook-id": "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "webhook-timestamp": "1649367553",
            "webhook-signature": "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        },
    )

    assert verify(STANDARD, sent, ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"], 1649367553).valid is True


def test_candidates_beyond_the_limit_are_not_looked_at():
    wrong = "v1," + base64.b64encode(bytes(32)).decode()
    within = " ".join([wrong] * (MAX_CANDIDATES - 1) + [GOOD])
    beyond = " ".join([wrong] * MAX_CANDIDATES + [GOOD])

    assert judge(standard(webhook_signature=within)).valid is True
    assert judge(standard(webhook_signature=beyond)).reason == "signature-mismatch"
    assert judge(standard(webhook_signature="v1," * 10_000)).reason == "signature-malformed"


# ed25519.

ED25519_PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
ED25519_SIGNATURE = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="


def ed25519_request(signature: str = ED25519_SIGNATURE, body: bytes = b'{"test": 2432232314}'):
    return request(
        body,
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": signature,
        },
    )


def test_published_ed25519_vector_verifies_beside_an_hmac_of_a_key_we_lack():
    assert verify(STANDARD, ed25519_request(), [ED25519_PUBLIC], 1614265330).valid is True
    assert (
        verify(
            STANDARD, ed25519_request(f"{GOOD} {ED25519_SIGNATURE}"), [SECRET, ED25519_PUBLIC], 1614265330
        ).secret_index
        == 1
    )


def test_ed25519_signature_fails_on_any_change_and_under_any_other_key():
    assert verify(STANDARD, ed25519_request(body=b'{"test": 2432232315}'), [ED25519_PUBLIC], 1614265330).valid is False
    changed = ED25519_SIGNATURE.replace("hnO3", "hnO4")
    assert verify(STANDARD, ed25519_request(changed), [ED25519_PUBLIC], 1614265330).valid is False
    for key in ("whpk_", "whpk_AAAA", "whpk_" + base64.b64encode(bytes(32)).decode(), SECRET):
        assert verify(STANDARD, ed25519_request(), [key], 1614265330).valid is False


@pytest.mark.attack("A22")
@pytest.mark.parametrize("prefix", ["whpk_", "", "WHPK_", " whpk_", "whsk_"])
def test_a22_public_key_is_never_used_as_an_hmac_secret_even_without_its_prefix(prefix):
    key = base64.b64decode(ED25519_PUBLIC.removeprefix("whpk_"))
    forged = base64.b64encode(
        hmac.new(key, b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{}", hashlib.sha256).digest()
    ).decode()

    stored = prefix + ED25519_PUBLIC.removeprefix("whpk_")
    assert verify(STANDARD, ed25519_request(f"v1,{forged}", b"{}"), [stored], 1614265330).valid is False


def test_ed25519_as_a_method_of_its_own_verifies_hex():
    signing = ecdsa.SigningKey.generate(curve=ecdsa.Ed25519)
    public = signing.get_verifying_key().to_string().hex()
    verification = scheme(
        method="ed25519",
        encoding="hex",
        key_format="hex",
        signature_header="x-signature-ed25519",
        timestamp="header:x-signature-timestamp",
        content="{timestamp}{body}",
    )
    headers = {"x-signature-ed25519": signing.sign(f"{NOW}".encode() + BODY).hex(), "x-signature-timestamp": str(NOW)}

    assert verify(verification, request(BODY, headers), [public], NOW).valid is True
    assert verify(verification, request(BODY + b" ", headers), [public], NOW).reason == "signature-mismatch"
    assert verify(verification, request(BODY, headers), ["00"], NOW).reason == "secret-unusable"


# JWT whose claims are the body.

JW = preset("jwplayer").verification
JW_BODY = {"event": "media_available", "media_id": "AbCdEf12", "event_time": "2025-03-04T10:15:30+00:00"}


def jw_request(
    claims: Any = JW_BODY, body: Any = JW_BODY, *, key: str = "s" * 32, algorithm: str = "HS256", scheme_word="Bearer"
):
    token = jwt.encode(claims, key, algorithm=algorithm)
    return request(json.dumps(body).encode(), {"authorization": f"{scheme_word} {token}"})


def test_jwt_with_the_bodys_claims_verifies_whatever_their_order_and_spacing():
    reordered = dict(reversed(JW_BODY.items()))

    assert verify(JW, jw_request(body=reordered), ["s" * 32], NOW).valid is True
    assert verify(JW, jw_request(scheme_word="bearer"), ["s" * 32], NOW).valid is True


def test_jwt_with_a_short_secret_of_the_partners_choice_verifies():
    token_header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")
    claims = base64.urlsafe_b64encode(json.dumps(JW_BODY).encode()).rstrip(b"=")
    signature = base64.urlsafe_b64encode(hmac.new(b"short", token_header + b"." + claims, "sha256").digest()).rstrip(
        b"="
    )
    sent = request(
        json.dumps(JW_BODY).encode(),
        {"authorization": f"Bearer {(token_header + b'.' + claims + b'.' + signature).decode()}"},
    )

    assert verify(JW, sent, ["short"], NOW).valid is True


@pytest.mark.parametrize(
    "body",
    [
        {**JW_BODY, "media_id": "ZZZZZZZZ"},
        {**JW_BODY, "extra": 1},
        {"event": "media_available"},
        {**JW_BODY, "event": True},
        [],
    ],
)
def test_jwt_whose_claims_differ_from_the_body_is_refused(body):
    assert verify(JW, jw_request(body=body), ["s" * 32], NOW).reason == "claims-mismatch"


def test_jwt_is_compared_as_json_so_true_is_not_one():
    assert (
        verify(JW, jw_request({**JW_BODY, "n": 1}, {**JW_BODY, "n": True}), ["s" * 32], NOW).reason == "claims-mismatch"
    )


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_jwt_of_another_algorithm_is_refused(algorithm):
    assert verify(JW, jw_request(algorithm=algorithm, key="s" * 64), ["s" * 64], NOW).reason == "algorithm-not-allowed"


def test_jwt_without_a_signature_is_refused():
    for name in ("none", "None", "HS256"):
        header = base64.urlsafe_b64encode(json.dumps({"alg": name}).encode()).rstrip(b"=").decode()
        claims = base64.urlsafe_b64encode(json.dumps(JW_BODY).encode()).rstrip(b"=").decode()
        for token in (f"{header}.{claims}.", f"{header}.{claims}", f"{header}.{claims}.AAAA"):
            sent = request(json.dumps(JW_BODY).encode(), {"authorization": f"Bearer {token}"})
            assert verify(JW, sent, ["s" * 32], NOW).valid is False


def test_jwt_is_refused_outside_the_tolerance_of_its_event_time_in_both_directions():
    span = 7 * 86_400
    assert verify(JW, jw_request(), ["s" * 32], NOW + span).valid is True
    assert verify(JW, jw_request(), ["s" * 32], NOW + span + 1).reason == "timestamp-too-old"
    assert verify(JW, jw_request(), ["s" * 32], NOW - span - 1).reason == "timestamp-in-future"
    timeless = {"event": "media_available"}
    assert verify(JW, jw_request(timeless, timeless), ["s" * 32], NOW).reason == "timestamp-missing"


# Static tokens and Basic.


def test_static_token_in_a_header_is_compared_whole():
    verification = scheme(method="static_token", signature_header="X-Secret")

    assert verify(verification, request(headers={"x-secret": "s3cret"}), ["s3cret"], NOW).valid is True
    for wrong in ("s3cre", "s3crett", "S3CRET", " ", "é"):
        assert verify(verification, request(headers={"x-secret": wrong}), ["s3cret"], NOW).reason == "token-mismatch"
    assert verify(verification, request(), ["s3cret"], NOW).reason == "token-missing"


def test_static_token_with_a_prefix_needs_the_prefix():
    verification = scheme(method="static_token", signature_header="authorization", signature_format="prefix:Bearer ")

    assert verify(verification, request(headers={"authorization": "Bearer s3cret"}), ["s3cret"], NOW).valid is True
    assert (
        verify(verification, request(headers={"authorization": "s3cret"}), ["s3cret"], NOW).reason == "token-malformed"
    )


def test_static_token_in_the_query_is_read_once_only():
    verification = preset("brightcove-cms").verification

    def judged(url: str):
        return verify(verification, request(url=url), ["s3cret+/="], NOW)

    assert judged("https://h/webhooks/b?token=s3cret%2B%2F%3D").valid is True
    assert judged("https://h/webhooks/b?token=wrong").reason == "token-mismatch"
    assert judged("https://h/webhooks/b").reason == "token-missing"
    assert judged("https://h/webhooks/b?token=wrong&token=s3cret%2B%2F%3D").reason == "query-duplicate"
    assert judged("https://[::1/?token=s3cret%2B%2F%3D").reason == "url-malformed"


BASIC = preset("vidicore").verification


def basic(text: str, scheme_word: str = "Basic"):
    return request(headers={"authorization": f"{scheme_word} {base64.b64encode(text.encode()).decode()}"})


@pytest.mark.attack("C10")
def test_c10_basic_credentials_split_at_the_first_colon_and_ignore_the_schemes_case():
    assert verify(BASIC, basic("user:pass:with:colons"), ["user:pass:with:colons"], NOW).valid is True
    assert verify(BASIC, basic("user:pässword", "bAsIc"), ["user:pässword"], NOW).valid is True
    assert verify(BASIC, basic("user:wrong"), ["user:right"], NOW).reason == "credentials-mismatch"
    assert verify(BASIC, basic("user:pass", "Bearer"), ["user:pass"], NOW).reason == "credentials-malformed"
    assert verify(BASIC, basic("userpass"), ["userpass"], NOW).reason == "credentials-malformed"
    assert (
        verify(BASIC, request(headers={"authorization": "Basic"}), ["user:pass"], NOW).reason == "credentials-malformed"
    )
    assert verify(BASIC, request(), ["user:pass"], NOW).reason == "credentials-missing"


# Schemes that no preset uses.


@pytest.mark.parametrize("content", ["{body}{secret}", "{timestamp}{body}{secret}", "{secret}{body}{secret}"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_digest_with_the_secret_after_the_body_verifies(content, encoding, algorithm):
    extra = {"timestamp": "header:x-time"} if "{timestamp}" in content else {}
    verification = scheme(
        method="digest", algorithm=algorithm, encoding=encoding, signature_header="x-sig", content=content, **extra
    )
    signed = content.format(secret="s3cret", body=BODY.decode(), timestamp=NOW).encode()
    digest = hashlib.new(algorithm, signed).digest()
    text = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()

    def judged(body: bytes, secret: str):
        return verify(verification, request(body, {"x-sig": text, "x-time": str(NOW)}), [secret], NOW)

    assert judged(BODY, "s3cret").valid is True
    assert judged(BODY + b" ", "s3cret").reason == "signature-mismatch"
    assert judged(BODY, "other").reason == "signature-mismatch"


def test_kv_pairs_stand_in_any_order_with_several_candidates_and_split_at_the_first_equals_sign():
    verification = scheme(
        method="hmac",
        encoding="base64",
        signature_header="x-sig",
        signature_format={"kind": "kv", "separator": ";", "keys": ["s", "s2"]},
        timestamp="kv:time",
        content="{timestamp}.{body}",
    )
    good = base64.b64encode(hmac.new(b"key", f"{NOW}.".encode() + BODY, "sha256").digest()).decode()
    wrong = base64.b64encode(bytes(32)).decode()
    assert good.endswith("=")

    for text in (
        f"s={good};time={NOW}",
        f"x=1; s={wrong}; time={NOW}; s2={good}",
        f"junk;s={wrong};s={good};time={NOW};",
    ):
        assert verify(verification, request(BODY, {"x-sig": text}), ["key"], NOW).valid is True
    assert (
        verify(verification, request(BODY, {"x-sig": f"v9={good};time={NOW}"}), ["key"], NOW).reason
        == "signature-malformed"
    )
    assert verify(verification, request(BODY, {"x-sig": f"s={good}"}), ["key"], NOW).reason == "timestamp-missing"
    repeated = f"s={good};time={NOW};time={NOW}"
    assert verify(verification, request(BODY, {"x-sig": repeated}), ["key"], NOW).reason == "timestamp-malformed"


@pytest.mark.parametrize(
    ("unit", "zone", "text", "valid"),
    [
        ("ms", None, f"{NOW}123", True),
        ("ms", None, f"{NOW - 301}999", False),
        ("iso", None, "2025-03-04T10:15:30Z", True),
        ("iso", None, "2025-03-04T11:15:30.5+01:00", True),
        ("iso", None, "2025-03-04T10:15:30", False),
        ("iso", "UTC", "2025-03-04T10:15:30", True),
        ("iso", None, "2025-03-04T09:15:30Z", False),
        ("iso", None, "soon", False),
    ],
)
def test_signed_time_in_other_units_is_checked_and_used_verbatim(unit, zone, text, valid):
    timestamp = {"from": "header:x-time", "unit": unit, **({"zone": zone} if zone else {})}
    verification = scheme(method="hmac", signature_header="x-sig", timestamp=timestamp, content="{timestamp}|{body}")
    headers = {"x-time": text, "x-sig": hex_hmac("key", f"{text}|".encode() + BODY)}

    assert verify(verification, request(BODY, headers), ["key"], NOW).valid is valid


def test_tolerance_zero_leaves_the_time_unchecked_but_signed():
    verification = scheme(
        method="hmac",
        signature_header="x-sig",
        timestamp="header:x-time",
        content="{timestamp}.{body}",
        tolerance_seconds=0,
    )
    headers = {"x-time": "1", "x-sig": hex_hmac("key", b"1." + BODY)}

    assert verify(verification, request(BODY, headers), ["key"], NOW).valid is True
    assert verify(verification, request(BODY, {**headers, "x-time": "2"}), ["key"], NOW).valid is False


def test_required_headers_must_have_exactly_their_value():
    verification = scheme(
        method="hmac", signature_header="x-sig", require_headers={"X-Algo": "sha256", "X-Version": "1"}
    )
    headers = {"x-sig": hex_hmac("key", BODY), "x-algo": "sha256", "x-version": "1"}

    assert verify(verification, request(BODY, headers), ["key"], NOW).valid is True
    for wrong in ({"x-algo": "SHA256"}, {"x-algo": ""}, {"x-version": "11"}):
        assert (
            verify(verification, request(BODY, {**headers, **wrong}), ["key"], NOW).reason == "required-header-mismatch"
        )
    del headers["x-algo"]
    assert verify(verification, request(BODY, headers), ["key"], NOW).reason == "required-header-mismatch"


def test_body_digest_in_the_signed_url_binds_the_body():
    verification = scheme(
        method="hmac",
        algorithm="sha1",
        encoding="base64",
        signature_header="x-sig",
        content="{url}",
        body_digest={"query": "bodySHA256"},
    )
    url = f"https://h/webhooks/t?a=1&bodySHA256={hashlib.sha256(BODY).hexdigest()}"
    headers = {"x-sig": base64.b64encode(hmac.new(b"key", url.encode(), "sha1").digest()).decode()}

    assert verify(verification, request(BODY, headers, url=url), ["key"], NOW).valid is True
    assert verify(verification, request(BODY + b" ", headers, url=url), ["key"], NOW).reason == "body-digest-mismatch"
    assert verify(verification, request(BODY, headers, url=url + "&x=1"), ["key"], NOW).reason == "signature-mismatch"
    assert verify(verification, request(BODY, headers, url="https://h/"), ["key"], NOW).reason == "body-digest-missing"


def test_signature_in_the_query_verifies():
    verification = scheme(method="hmac", signature_query="sig")
    url = f"https://h/webhooks/t?sig={hex_hmac('key', BODY)}"

    assert verify(verification, request(BODY, url=url), ["key"], NOW).valid is True
    assert verify(verification, request(BODY + b" ", url=url), ["key"], NOW).valid is False


def test_hex_key_and_upper_case_hex_signature_verify():
    verification = scheme(method="hmac", signature_header="x-sig", key_format="hex")
    signature = hmac.new(bytes.fromhex("00ff"), BODY, "sha256").hexdigest().upper()

    assert verify(verification, request(BODY, {"x-sig": signature}), ["00ff"], NOW).valid is True
    assert verify(verification, request(BODY, {"x-sig": signature}), ["00f"], NOW).reason == "secret-unusable"


def test_bodies_that_are_no_text_are_signed_as_bytes():
    body = bytes(range(256))
    verification = preset("bitmovin").verification

    sent = request(body, {"bitmovin-signature": hmac.new(b"key", body, "sha512").hexdigest()})
    assert verify(verification, sent, ["key"], NOW).valid is True


# No input raises.

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "v1,", "t=1,v1=", "Bearer a.b.c", "Basic Og==", "v0=", "sha256=", f"{NOW}", GOOD, "\ud800"]),
    st.binary(max_size=20).map(lambda raw: raw.decode("latin-1")),
)
SCHEMES = [preset(name).verification for name in preset_names()]
SCHEMES = [found for found in SCHEMES if found is not None] + [TWILIO]
NAMES = sorted({name for found in SCHEMES for name in found.security_headers()} | {"content-type", "x"})


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(
    verification=st.sampled_from(SCHEMES),
    headers=st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=6),
    url=TEXTS,
    body=st.binary(max_size=60),
    secrets=st.lists(TEXTS, max_size=3),
    now=st.one_of(st.floats(), st.integers(-(10**30), 10**30).map(float)),
)
def test_no_input_raises_in_the_verifier_and_none_verifies_by_chance(  # noqa: PLR0917 - drawn, not passed
    verification, headers, url, body, secrets, now
):
    verdict = verify(verification, Request("POST", url, headers, body), secrets, now)

    if verification.method not in ("static_token", "basic"):
        assert verdict.valid is False
    if math.isfinite(now):
        assert verdict.reason != "verifier-fault"


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_mutation_of_a_genuine_request_raises_or_verifies(data):
    vector = data.draw(st.sampled_from([v for v in vectors() if v["name"] in ("mux", "slack", "standard-webhooks")]))
    verification = preset(vector["name"]).verification
    header = data.draw(st.sampled_from(sorted(vector["headers"])))
    value = vector["headers"][header]
    position = data.draw(st.integers(0, len(value) - 1))
    changed = value[:position] + data.draw(st.text(max_size=3)) + value[position + 1 :]
    sent = request(vector["body"].encode(), {**vector["headers"], header: changed})

    verdict = verify(verification, sent, [vector["secret"]], vector["now"])

    assert verdict.reason != "verifier-fault"
    if verdict.valid:
        # A change that leaves the good candidate whole: in junk beside it, or none at all.
        good = value.split(" ")[-1] if header == "webhook-signature" else value
        assert good in changed or changed.replace(" ", "") == value.replace(" ", "") or changed.lower() == value.lower()
