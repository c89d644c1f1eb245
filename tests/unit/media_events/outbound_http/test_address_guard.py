"""The guard on outbound HTTP: the same classifier when a URL is configured and when a request is sent."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from media_events.core.failures import PermanentConfigError, TransientError
from media_events.outbound_http.address_guard import TargetError, forbidden, parse_networks, parse_target, vet

FORBIDDEN = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.1",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2600:1f18::1",
    "2606:4700:4700::1111",
]


@pytest.mark.attack("N1")
@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_forbidden_at_send_time(address):
    target = parse_target("https://hooks.example.com/events")
    with pytest.raises(PermanentConfigError) as refused:
        vet(target, lambda _host, _port: [address])
    assert refused.value.code == "address-forbidden"


@pytest.mark.attack("N1")
@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_forbidden_in_a_url(address):
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(TargetError, match="forbidden"):
        parse_target(f"https://{host}/")


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_let_through(address):
    assert forbidden(ip_address(address)) is None


@pytest.mark.attack("N2")
@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://1.2.3.0x4/",
        "https://127.0.0.1./",
        "https://[::ffff:169.254.169.254]/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://localhost/",
        "https://localhost./",
        "https://LOCALHOST/",
        "https://anything.localhost/",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@evil.example.net/",
        "https://example.com\\@evil.example.net/",
        "https://example.com/\tpath",
        "https://exam\nple.com/",
        "https://example.com/ path",
        "https://exämple.com/",
        "https://example.com/#fragment",
        "https://example.com/#",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:abc/",
        "https:///path",
        "https://",
        "https://[::1/",
        "https://exa%6dple.com/",
        "https://-example.com/",
        "https://example..com/",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "example.com",
        "",
        None,
        7,
        "https://example.com/" + "a" * 3000,
        "https://" + "a" * 64 + ".example.com/",
    ],
)
def test_a_hostile_or_broken_url_is_refused_when_configured(url):
    with pytest.raises(TargetError):
        parse_target(url)


def test_a_good_url_is_taken_apart():
    target = parse_target("https://Hooks.Example.com:8443/a/b?token=c")
    assert (target.scheme, target.host, target.port, target.path) == (
        "https",
        "hooks.example.com",
        8443,
        "/a/b?token=c",
    )
    assert target.authority == "hooks.example.com:8443"


def test_what_is_shown_of_a_url_leaves_the_query_out():
    assert parse_target("https://example.com/a?key=secret").url == "https://example.com/a"


def test_an_ipv6_literal_keeps_its_brackets_in_the_host_header():
    assert parse_target("https://[2606:4700::1111]/").authority == "[2606:4700::1111]"


def test_http_needs_to_be_allowed():
    assert parse_target("http://example.com", allow_http=True).port == 80


OPENED = parse_networks(["127.0.0.0/8", "10.0.0.0/8"])


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "10.0.0.1"])
def test_whoever_sends_to_a_machine_of_their_own_learns_of_both_settings_at_once(host):
    with pytest.raises(TargetError) as refused:
        parse_target(f"http://{host}/events")
    assert "allow_http" in str(refused.value)
    assert any(part in str(refused.value) for part in ("its address is forbidden", "its host is the local machine"))
    assert parse_target(f"http://{host}/events", allow_http=True, allowed=OPENED).scheme == "http"


# --- resolving ---------------------------------------------------------------------------------------------------


@pytest.mark.attack("N3")
def test_one_forbidden_address_among_good_ones_is_enough_to_refuse():
    target = parse_target("https://example.com/")
    with pytest.raises(PermanentConfigError):
        vet(target, lambda _host, _port: ["8.8.8.8", "10.0.0.1"])


@pytest.mark.attack("N4")
def test_a_resolver_that_changes_its_answer_is_asked_once_per_connection():
    answers = [["8.8.8.8"], ["127.0.0.1"]]
    target = parse_target("https://rebinding.example.com/")
    assert vet(target, lambda _host, _port: answers.pop(0)) == ("8.8.8.8",)
    with pytest.raises(PermanentConfigError):
        vet(target, lambda _host, _port: answers.pop(0))


@pytest.mark.parametrize("answer", [[], ["not an address"]])
def test_a_host_without_an_address_may_have_one_later(answer):
    with pytest.raises(TransientError) as failed:
        vet(parse_target("https://example.com/"), lambda _host, _port: answer)
    assert failed.value.code == "dns-failed"


def test_a_resolver_that_fails_may_answer_later():
    def resolve(_host, _port):
        raise OSError("no such host")

    with pytest.raises(TransientError):
        vet(parse_target("https://example.com/"), resolve)


# --- private networks --------------------------------------------------------------------------------------------


def test_a_private_network_can_be_opened_for_a_destination():
    networks = parse_networks(["10.20.0.0/16"])
    target = parse_target("https://10.20.1.2/", allowed=networks)
    assert vet(target, lambda host, _port: [host], networks) == ("10.20.1.2",)


def test_opening_one_private_network_leaves_the_others_shut():
    with pytest.raises(TargetError):
        parse_target("https://10.21.0.1/", allowed=parse_networks(["10.20.0.0/16"]))


def test_an_opened_network_is_recognised_inside_a_mapped_address():
    assert forbidden(ip_address("::ffff:10.20.0.1"), parse_networks(["10.20.0.0/16"])) is None


def test_loopback_can_be_opened_by_name():
    networks = parse_networks(["127.0.0.0/8"])
    assert parse_target("http://localhost:8080/", allow_http=True, allowed=networks).host == "localhost"


@pytest.mark.attack("N6")
@pytest.mark.parametrize(
    "cidr", ["0.0.0.0/0", "169.254.0.0/16", "169.254.169.254/32", "fe80::/10", "8.8.8.0/24", "10.0.0.0/7", "x", 5, None]
)
def test_what_is_not_a_private_network_can_not_be_opened(cidr):
    with pytest.raises(TargetError):
        parse_networks([cidr])


@pytest.mark.attack("N6")
def test_a_metadata_service_stays_shut_inside_an_opened_network():
    networks = parse_networks(["fc00::/7"])
    assert forbidden(ip_address("fd00:ec2::254"), networks) is not None
    assert forbidden(ip_address("fd12::1"), networks) is None
