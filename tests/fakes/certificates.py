"""A private certificate authority for tests, made anew in each run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key, both PEM text."""

    certificate: str
    private_key: str

    @property
    def pem(self) -> str:
        """Both, as ``tls.client_certificate_secret_arn`` takes them."""
        return self.certificate + self.private_key


class CertificateAuthority:
    """Signs certificates; ``certificate`` is its own, PEM text."""

    def __init__(self, name: str = "Studio CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        own = _builder(self._name, self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.certificate = _pem(own.sign(self._key, hashes.SHA256()))

    def issue(self, *, address: str = "127.0.0.1", password: bytes | None = None, expired: bool = False) -> Certificate:
        """A certificate for ``address``, its key encrypted by ``password`` if there is one."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named(address), self._name, key, expired=expired).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False
        )
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()
        return Certificate(_pem(builder.sign(self._key, hashes.SHA256())), text)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, expired: bool = False
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=-1 if expired else 1))
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
