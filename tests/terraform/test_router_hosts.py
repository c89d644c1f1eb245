"""The router refuses, when planned, what the functions' guard would refuse when sending: by the same table."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from media_events.outbound_http.address_guard import TargetError, parse_networks, parse_target
from tests.unit.media_events.outbound_http.test_address_guard import FORBIDDEN, PUBLIC

pytestmark = pytest.mark.terraform

DEFINITIONS = Path(__file__).parents[2] / "modules" / "internal" / "hop-definitions"

HARNESS = """
variable "routes" {
  type = map(object({ target = object({
    http = optional(object({
      url                   = string
      allowed_private_cidrs = optional(list(string), [])
      auth                  = optional(object({ token_url = optional(string) }))
    }))
    api_destination = optional(object({
      url        = string
      allow_http = optional(bool, false)
      auth       = optional(object({ token_url = optional(string) }))
    }))
  }) }))
}
locals { routes = var.routes }
output "forbidden" { value = local.forbidden_urls }
"""


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


URLS = [
    *(f"https://{_host(address)}/events" for address in FORBIDDEN + PUBLIC),
    *(f"https://{_host(address)}:8443" for address in FORBIDDEN + PUBLIC),
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0X7F.1/",
    "https://127.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://1.2.3.0x4/",
    "https://010.8.8.8/",
    "https://[fe80::1%25eth0]/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://anything.localhost:8443/",
    "https://localhost.example.com/",
    "https://10.example.com/",
    "https://127.0.0.1.example.com/",
    "https://192.168.example.com/?to=10.0.0.1",
    "https://example.com/169.254.169.254",
    "https://cms.example.com:8443/localhost",
    "https://cms2/",
    "https://3com.example.com/",
]
OPENED = [
    ("https://10.20.0.1/", ["10.20.0.0/16"]),
    ("https://mam.localhost/", ["127.0.0.0/8"]),
    ("https://[fd12::1]/", ["fd12::/16"]),
    ("https://169.254.169.254/", ["10.0.0.0/8"]),
    ("https://[fd00:ec2::254]/", ["fd00::/8"]),
    ("https://0x7f.1/", ["127.0.0.0/8"]),
]


@pytest.fixture(scope="module")
def forbidden(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the module's own address_guard.tf finds, of all URLs at once and without any provider."""
    folder = tmp_path_factory.mktemp("router-hosts")
    shutil.copy(DEFINITIONS / "address_guard.tf", folder)
    (folder / "main.tf").write_text(HARNESS)
    routes: dict[str, Any] = {f"http {url}": {"target": {"http": {"url": url}}} for url in URLS}
    routes |= {f"api {url}": {"target": {"api_destination": {"url": url}}} for url in URLS}
    routes |= {
        f"opened {url}": {"target": {"http": {"url": url, "allowed_private_cidrs": cidrs}}} for url, cidrs in OPENED
    }
    token = {"url": "https://cms.example.com/", "auth": {"token_url": "https://10.0.0.1/token"}}
    routes |= {"http token": {"target": {"http": token}}, "api token": {"target": {"api_destination": token}}}
    here = {"url": "http://127.0.0.1:8080/", "allow_http": True}
    routes |= {"api here": {"target": {"api_destination": here}}}
    (folder / "terraform.tfvars.json").write_text(json.dumps({"routes": routes}))
    environ = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    for command in (["init", "-backend=false", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
        subprocess.run(["terraform", *command], cwd=folder, env=environ, check=True, capture_output=True, timeout=120)
    shown = subprocess.run(
        ["terraform", "output", "-json", "forbidden"],
        cwd=folder,
        env=environ,
        check=True,
        capture_output=True,
        timeout=60,
    )
    found: dict[str, list[str]] = json.loads(shown.stdout)
    return found


def _refused(url: str, cidrs: list[str]) -> bool:
    try:
        parse_target(url, allowed=parse_networks(cidrs))
    except TargetError:
        return True
    return False


def test_plan_refuses_what_the_guard_refuses(forbidden: dict[str, list[str]]) -> None:
    # An IPv4 address in IPv6's clothes is refused whatever it is.
    clothed = [url for url in URLS if "[::ffff:8.8.8.8]" in url]
    expected = {url: _refused(url, []) or url in clothed for url in URLS}

    assert {url: bool(forbidden[f"http {url}"]) for url in URLS} == expected
    assert {url: bool(forbidden[f"api {url}"]) for url in URLS} == expected


def test_what_is_opened_is_let_through_but_for_metadata_services(forbidden: dict[str, list[str]]) -> None:
    assert {url: bool(forbidden[f"opened {url}"]) for url, _ in OPENED} == {
        url: _refused(url, cidrs) for url, cidrs in OPENED
    }


def test_token_endpoints_are_looked_at_too(forbidden: dict[str, list[str]]) -> None:
    assert (forbidden["http token"], forbidden["api token"]) == (["https://10.0.0.1/token"], ["https://10.0.0.1/token"])


def test_api_destination_of_a_local_cloud_may_be_on_this_machine(forbidden: dict[str, list[str]]) -> None:
    assert forbidden["api here"] == []
