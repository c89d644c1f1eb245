"""The guard that keeps outbound HTTP away from private and special networks.

The same check runs twice: on the URL in a configuration, and on every address of the host before a request is sent. A
name is resolved once, all its addresses must pass, and the connection goes to a checked address, so a resolver that
changes its answer gains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentConfigError, TransientError
from media_events.core.value_classes import dataclass

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

Resolver = Callable[[str, int], Sequence[str]]
"""The addresses of a host and port, as text; raises ``OSError`` if there are none."""

# IANA's special-purpose registries (https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-),
# with multicast and the reserved blocks.
FORBIDDEN_IPV4: Final = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
FORBIDDEN_IPV6: Final = tuple(
    IPv6Network(text)
    for text in (
        *("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32"),
        *("2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)

# `allowed_private_cidrs` may open these. Link-local addresses stay closed: the metadata services of instances and
# containers, which give out credentials, are there.
OPENABLE: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "198.18.0.0/15"),
        *("::1/128", "fc00::/7"),
    )
)
NEVER: Final[tuple[Network, ...]] = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"), ip_network("fd00:ec2::/32"))

MAX_URL_CHARACTERS: Final = 2048
_MAX_HOST_CHARACTERS: Final = 253
_LABEL: Final = pattern(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")
_NUMERIC_LABEL: Final = pattern(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)\Z")
_PRINTABLE: Final = pattern(r"[\x21-\x7e]+\Z")


class TargetError(ValueError):
    """The URL is not allowed as a target; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed URL. ``host`` is lower-case without brackets; ``path`` begins with ``/`` and includes the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL without its query, fit for logs and messages."""
        return f"{self.scheme}://{self.authority}{self.path.split('?', 1)[0]}"


def parse_networks(value: Any) -> tuple[Network, ...]:
    """Read ``allowed_private_cidrs``.

    Raises:
        TargetError: an entry is not a CIDR block, or is outside :data:`OPENABLE`.
    """
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TargetError("must be a list of CIDR blocks")
    networks: list[Network] = []
    for text in value:
        try:
            network = ip_network(text if isinstance(text, str) else "")
        except ValueError:
            raise TargetError(f"{text!r} is not a CIDR block such as 10.20.0.0/16") from None
        if not any(_within(network, allowed) for allowed in OPENABLE):
            raise TargetError(
                f"{text} is not inside a private network (one of {', '.join(map(str, OPENABLE))}); "
                "public addresses need no entry, and no others can be allowed"
            )
        networks.append(network)
    return tuple(networks)


def parse_target(url: Any, *, allow_http: bool = False, allowed: Sequence[Network] = ()) -> Target:
    """Read a destination's URL.

    Raises:
        TargetError: the URL is not allowed.
    """
    parts = _split(url)
    if parts.scheme not in ("https", "http"):
        raise TargetError(f"its scheme must be https, not {parts.scheme or 'missing'}")
    if parts.scheme == "http" and not allow_http:
        raise TargetError(_HTTP + _further(parts, allowed))
    if "@" in parts.netloc:
        raise TargetError("it must not hold a user name or password; use auth with a secret")
    if parts.fragment or str(url).endswith("#"):
        raise TargetError("it must not have a fragment (#...)")
    try:
        port = parts.port
    except ValueError:
        raise TargetError("its port must be a number from 1 to 65535") from None
    if port == 0:
        raise TargetError("its port must be a number from 1 to 65535")
    host = _host(parts, allowed)
    path = parts.path or "/"
    if parts.query:
        path = f"{path}?{parts.query}"
    return Target(scheme=parts.scheme, host=host, port=port or (443 if parts.scheme == "https" else 80), path=path)


_HTTP: Final = "its scheme must be https (allow_http = true permits http, which anyone on the way can read)"


def _further(parts: SplitResult, allowed: Sequence[Network]) -> str:
    """What else is wrong: the author of a destination on the own machine should learn of both at once."""
    try:
        _host(parts, allowed)
    except TargetError as error:
        return f"; {error}"
    return ""


def _split(url: Any) -> SplitResult:
    if not isinstance(url, str) or not url:
        raise TargetError("it must be text such as https://example.com/events")
    if len(url) > MAX_URL_CHARACTERS:
        raise TargetError(f"it is longer than {MAX_URL_CHARACTERS} characters")
    # urlsplit silently drops tabs and newlines, so two parsers could see two hosts.
    if not _PRINTABLE.match(url) or "\\" in url:
        raise TargetError("it must be printable ASCII without spaces or backslashes (write the host in its xn-- form)")
    try:
        return urlsplit(url)
    except ValueError as error:
        raise TargetError(f"it is malformed: {error}") from None


def _host(parts: SplitResult, allowed: Sequence[Network]) -> str:
    host = (parts.hostname or "").lower()
    if not host:
        raise TargetError("it has no host")
    if "%" in host:
        raise TargetError("its host must not hold a zone id or percent-encoding")
    if ":" in host:
        address: Address | None = _literal(host)
        if address is None:
            raise TargetError("its host is not an IPv6 address")
    else:
        address = _ipv4_or_name(host)
    if address is not None:
        reason = forbidden(address, allowed)
        if reason is not None:
            raise TargetError(f"its address is forbidden: {reason}")
        return str(address)
    name = host.removesuffix(".")
    if (name == "localhost" or name.endswith(".localhost")) and not any(n.is_loopback for n in allowed):
        raise TargetError("its host is the local machine")
    return name


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _ipv4_or_name(host: str) -> Address | None:
    address = _literal(host)
    if address is not None:
        return address
    labels = host.removesuffix(".").split(".")
    # A resolver takes 2130706433, 0x7f.1 and 0177.0.0.1 for addresses (WHATWG: "ends in a number").
    if _NUMERIC_LABEL.match(labels[-1]):
        raise TargetError("its host is a number; write an address as four decimal parts without leading zeros")
    if len(host) > _MAX_HOST_CHARACTERS or not all(_LABEL.match(label) for label in labels):
        raise TargetError("its host is not a valid name")
    return None


def _within(network: Network, other: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(other, IPv4Network) and network.subnet_of(other)
    return isinstance(other, IPv6Network) and network.subnet_of(other)


def forbidden(address: Address, allowed: Sequence[Network] = ()) -> str | None:
    """The reason that nothing may be sent to ``address``; ``None`` if it is allowed."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return forbidden(address.ipv4_mapped, allowed)
        if address.scope_id is not None:
            return f"{address} has a zone id"
    for network in NEVER:
        if address in network:
            return f"{address} is link-local or a metadata service ({network})"
    if any(address in network for network in allowed):
        return None
    table: Sequence[Network] = FORBIDDEN_IPV4 if isinstance(address, IPv4Address) else FORBIDDEN_IPV6
    for network in table:
        if address in network:
            return f"{address} is not a public address ({network})"
    return None


def vet(target: Target, resolve: Resolver, allowed: Sequence[Network] = ()) -> tuple[str, ...]:
    """The checked addresses of ``target``, in the resolver's order.

    Raises:
        PermanentConfigError: ``address-forbidden``; a single forbidden address is enough.
        TransientError: ``dns-failed``.
    """
    try:
        answers = resolve(target.host, target.port)
        addresses = [ip_address(answer) for answer in answers]
    except (OSError, ValueError) as error:
        raise TransientError("dns-failed", f"the host {target.host} could not be resolved: {error}") from error
    if not addresses:
        raise TransientError("dns-failed", f"the host {target.host} has no address")
    for address in addresses:
        reason = forbidden(address, allowed)
        if reason is not None:
            raise PermanentConfigError(
                "address-forbidden",
                f"nothing is sent to {target.host}: {reason}; set allowed_private_cidrs to allow a private network",
            )
    return tuple(dict.fromkeys(str(address) for address in addresses))
