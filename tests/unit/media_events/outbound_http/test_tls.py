"""TLS with receivers of a private authority, and with ones that want a certificate: real handshakes on loopback."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from media_events.adapters.http_client import PinnedHttpClient
from media_events.core.failures import PermanentConfigError
from media_events.outbound_http.address_guard import parse_networks, parse_target
from media_events.outbound_http.client import Request
from media_events.outbound_http.endpoint import read_endpoint
from media_events.outbound_http.tls import TlsSecrets, tls_material
from tests.fakes.certificates import CertificateAuthority

LOOPBACK = parse_networks(["127.0.0.0/8"])
CA_ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:studio-ca"
CLIENT_ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:media-client"

STUDIO = CertificateAuthority()
OTHER = CertificateAuthority("Other CA")


class Answering(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """Shakes hands in the request's own thread, and closes as servers do: once the other side has read why."""

    def finish_request(self, request, client_address):
        request.settimeout(5)
        encrypted = self.context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        try:
            encrypted.do_handshake()
        except OSError:
            with suppress(OSError):
                socket.socket.shutdown(encrypted, socket.SHUT_WR)
                while socket.socket.recv(encrypted, 4096):
                    pass
        else:
            super().finish_request(encrypted, client_address)
        finally:
            encrypted.close()

    def handle_error(self, *_):
        pass


@contextmanager
def receiver(tmp_path, certificate, *, wants=None):
    """An HTTPS server; ``wants`` is the authority of the certificates that it takes of its callers."""
    file = tmp_path / "server.pem"
    file.write_text(certificate.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if wants is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=wants.certificate)
    with Server(("127.0.0.1", 0), Answering) as server:
        server.context = context
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}/in"
        finally:
            server.shutdown()
            thread.join()


def post(url, *, client=None, **secrets):
    """Post to ``url``; ``secrets`` are the values of ``ca`` and ``certificate``."""
    values = {CA_ARN: secrets.get("ca"), CLIENT_ARN: secrets.get("certificate")}
    named = TlsSecrets(
        ca_secret_arn=CA_ARN if "ca" in secrets else None,
        client_certificate_secret_arn=CLIENT_ARN if "certificate" in secrets else None,
    )
    material = tls_material(named, lambda arn: [values[arn], "the previous value"]) if secrets else None
    target = parse_target(url, allowed=LOOPBACK)
    return (client or PinnedHttpClient()).post(Request(target, {}, b"{}", 10.0, LOOPBACK, tls=material)).status


def refusal(url, **secrets):
    with pytest.raises(PermanentConfigError) as refused:
        post(url, **secrets)
    return refused.value


def test_a_receiver_of_a_private_authority_is_reached_where_its_authority_is_configured(tmp_path):
    with receiver(tmp_path, STUDIO.issue()) as url:
        assert post(url, ca=STUDIO.certificate) == 204
        assert post(url, ca=OTHER.certificate + STUDIO.certificate) == 204, "while an authority is replaced"


@pytest.mark.parametrize("secrets", [{}, {"ca": OTHER.certificate}], ids=["public authorities", "another authority"])
def test_an_unknown_authority_is_a_matter_of_configuration_and_the_message_says_which(tmp_path, secrets):
    with receiver(tmp_path, STUDIO.issue()) as url:
        refused = refusal(url, **secrets)
    assert refused.code == "tls-untrusted"
    assert url in refused.message
    assert "tls.ca_secret_arn" in refused.message


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [(STUDIO.issue(address="127.0.0.9"), "mismatch"), (STUDIO.issue(expired=True), "expired")],
    ids=["of another host", "expired"],
)
def test_a_trusted_authority_is_not_enough(tmp_path, certificate, reason):
    with receiver(tmp_path, certificate) as url:
        assert reason in refusal(url, ca=STUDIO.certificate).message


@pytest.mark.parametrize("form", ["PEM", "JSON"])
def test_a_receiver_that_wants_a_certificate_gets_ours(tmp_path, form):
    own = STUDIO.issue()
    secret = own.pem if form == "PEM" else json.dumps({"certificate": own.certificate, "private_key": own.private_key})
    with receiver(tmp_path, STUDIO.issue(), wants=STUDIO) as url:
        assert post(url, ca=STUDIO.certificate, certificate=secret) == 204


@pytest.mark.parametrize("secrets", [{}, {"certificate": OTHER.issue().pem}], ids=["none", "of another authority"])
def test_a_receiver_that_does_not_take_our_certificate_says_so(tmp_path, secrets):
    with receiver(tmp_path, STUDIO.issue(), wants=STUDIO) as url:
        refused = refusal(url, ca=STUDIO.certificate, **secrets)
    assert refused.code == "tls-refused"
    assert "tls.client_certificate_secret_arn" in refused.message


@pytest.mark.parametrize(
    "secrets",
    [
        {"ca": "planted-secret"},
        {"ca": "plänted-secret"},
        {"ca": "-----BEGIN CERTIFICATE-----\nplanted-secret\n-----END CERTIFICATE-----"},
        {"certificate": "planted-secret"},
        {"certificate": "{planted-secret"},
        {"certificate": '{"certificate": "planted-secret"}'},
        {"certificate": "planted-secret\ud800"},
        {"certificate": STUDIO.issue().certificate + STUDIO.issue().private_key},
        {"certificate": STUDIO.issue(password=b"planted-secret").pem},
    ],
)
def test_an_unusable_secret_is_named_and_not_shown(tmp_path, secrets):
    with receiver(tmp_path, STUDIO.issue()) as url:
        refused = refusal(url, **secrets)
    assert refused.code == "secret-unusable"
    assert (CA_ARN if "ca" in secrets else CLIENT_ARN) in refused.message
    assert "planted" not in refused.message


def test_a_connection_is_not_reused_with_other_material(tmp_path):
    client = PinnedHttpClient()
    with receiver(tmp_path, STUDIO.issue()) as url:
        assert post(url, client=client, ca=STUDIO.certificate) == 204
        with pytest.raises(PermanentConfigError):
            post(url, client=client, ca=OTHER.certificate)


def test_the_material_is_in_no_representation():
    material = tls_material(TlsSecrets(ca_secret_arn=CA_ARN), lambda _arn: ["planted-secret"])
    assert "planted" not in repr(material)


# --- configuration -----------------------------------------------------------------------------------------------


def problems_of(**endpoint):
    problems = []
    read_endpoint({"url": "https://cms.example.com/in", **endpoint}, problems)
    return problems


def test_tls_names_its_secrets_by_arn():
    assert problems_of(tls={"ca_secret_arn": CA_ARN, "client_certificate_secret_arn": CLIENT_ARN}) == []


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"tls": "CA"}, 'tls: must be an object such as {"ca_secret_arn": "..."}'),
        ({"tls": {}}, "tls: must name ca_secret_arn or client_certificate_secret_arn"),
        ({"tls": {"ca_secret_arn": "-----BEGIN"}}, "tls.ca_secret_arn"),
        ({"tls": {"ca_secret_arn": CA_ARN, "verify": False}}, "tls.verify"),
        (
            {"tls": {"ca_secret_arn": CA_ARN}, "url": "http://a.example.com/", "allow_http": True},
            "tls: is for an https",
        ),
    ],
)
def test_a_mistake_in_tls_is_named(settings, problem):
    assert [text for text in problems_of(**settings) if text.startswith(problem)]
