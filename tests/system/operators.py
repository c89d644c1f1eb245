"""The operator's commands against the session's deployment, as people of different permissions run them."""

from __future__ import annotations

import http.cookiejar
import itertools
import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError

from media_events_kit.kit_files import KIT
from media_events_kit.ops.deployment.discovery import ENVIRONMENT_VARIABLE
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.paths import DIRECTORY_VARIABLE, LocalPaths


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What a command with `--json` printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Operator:
    """Runs `media-events`. ``variables`` say who it is; without them it is whoever started the local cloud."""

    paths: LocalPaths
    variables: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of this operator's shell."""
        return {
            **os.environ,
            ENVIRONMENT_VARIABLE: self.paths.environment,
            DIRECTORY_VARIABLE: str(self.paths.directory),
            **self.variables,
        }

    def run(self, *arguments: str) -> Said:
        """Run one command."""
        done = subprocess.run(
            [str(KIT / "bin" / "media-events"), *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def page(self) -> Iterator[str]:
        """Serve the page, as `media-events review serve` does; the link that lets a browser in."""
        command = [str(KIT / "bin" / "media-events"), "review", "serve", "--port", "0", "--json"]
        with subprocess.Popen(
            command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        ) as serving:
            try:
                assert serving.stdout is not None
                lines = list(itertools.takewhile(lambda line: line != "}\n", serving.stdout))
                yield json.loads("".join([*lines, "}"]))["url"]
            finally:
                # Not Ctrl-C, which a shell has its background jobs ignore, and all that they start.
                serving.terminate()


@dataclass(frozen=True)
class Visitor:
    """A browser without a screen: it has been let in by the page's link, and keeps its cookie."""

    home: str
    address: str
    opener: urllib.request.OpenerDirector

    @classmethod
    def enter(cls, link: str) -> Visitor:
        """Follow the link."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        home, way, key = link.partition("/enter")
        # Only browsers resolve the page's name without help.
        visitor = cls(home, f"http://127.0.0.1:{urllib.parse.urlsplit(link).port}", opener)
        status, _ = visitor.get(way + key)
        assert status == 200
        return visitor

    def get(self, path: str) -> tuple[int, str]:
        """The status and the page."""
        return self._ask(urllib.request.Request(self.address + path))  # the page's own address

    def post(self, of: str, path: str, **fields: str) -> tuple[int, str]:
        """Send a form of the page ``of``."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(of)[1])
        assert token is not None
        data = urllib.parse.urlencode({"csrf_token": token[1], **fields}).encode()
        return self._ask(urllib.request.Request(self.address + path, data=data, headers={"Origin": self.home}))

    def _ask(self, request: urllib.request.Request) -> tuple[int, str]:
        request.add_header("Host", self.home.removeprefix("http://"))
        try:
            with self.opener.open(request) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()


def with_policy(paths: LocalPaths, clients: Clients, name: str, policy: str) -> Operator:
    """Somebody with ``policy`` (JSON text) and nothing else."""
    iam = clients.iam
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    return Operator(paths, clients.record.variables() | keys)
