"""TLS for the local endpoint: an authority of its own and a certificate for 127.0.0.1.

The modules' queue, topic and bucket policies refuse requests without TLS, and the local cloud enforces them. Over plain
HTTP no function could reach its own queue.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from media_events_kit.ops.shared.console import OperatorError

_DAYS: Final = 30
_RENEW_SECONDS: Final = (_DAYS - 7) * 86400
_EXTENSIONS: Final = """\
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.execute-api.localhost
"""
_KEY: Final = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: the authority to trust, and the endpoint's certificate and key."""

    authority: Path
    certificate: Path
    key: Path


def ensure(directory: Path) -> Certificates:
    """The certificates in ``directory``, renewed where they are missing or expire soon.

    Raises:
        OperatorError: openssl is missing or fails.
    """
    files = Certificates(directory / "authority.pem", directory / "endpoint.pem", directory / "endpoint.key")
    if all(path.exists() for path in (files.authority, files.certificate, files.key)):
        age = time.time() - files.certificate.stat().st_mtime
        if age < _RENEW_SECONDS:
            return files
    if shutil.which("openssl") is None:
        raise OperatorError(
            "openssl is not on PATH; it makes the certificate of the local cloud's endpoint",
            hint="install it (Debian: apt install openssl; macOS has it)",
        )
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority_key, request = directory / "authority.key", directory / "endpoint.csr"
    extensions = directory / "extensions.cnf"
    extensions.write_text(_EXTENSIONS, encoding="ascii")
    _openssl(
        "req", "-x509", *_KEY, "-keyout", authority_key, "-out", files.authority, "-days", str(_DAYS),
        "-subj", "/CN=media-events local cloud",
        "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    _openssl("req", "-new", *_KEY, "-keyout", files.key, "-out", request, "-subj", "/CN=127.0.0.1")
    _openssl(
        "x509", "-req", "-in", request, "-CA", files.authority, "-CAkey", authority_key, "-CAcreateserial",
        "-days", str(_DAYS), "-extfile", extensions, "-out", files.certificate,
    )  # fmt: skip
    # Without the authority's key nobody can make another certificate that is trusted.
    authority_key.unlink()
    files.key.chmod(0o600)
    return files


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(
        ["openssl", *(str(argument) for argument in arguments)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise OperatorError(f"openssl {arguments[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
