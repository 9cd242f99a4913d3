"""Which addresses a source may reach.

Only https and named hosts, each redirect included, and never a private network, whatever a name resolves to.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import getproxies

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from terraform.errors import ConfigError, RemoteError

_HARMLESS = {
    "service", "version", "request", "layers", "layer", "styles", "style", "crs", "srs", "bbox", "width", "height",
    "format", "transparent", "tilematrixset", "tilematrix", "tilerow", "tilecol", "exceptions",
}  # fmt: skip
"""Query parameters that may be shown; any other could be a key."""


@dataclass(frozen=True)
class Access:
    """Where a source may be fetched from.

    Attributes
    ----------
    source : str
        Its name, for messages.
    base_url : str
        Where it is; a mirror when its host is not one of `hosts`.
    hosts : sequence of str
        Hosts that it may be served from or redirect to, by https on port 443 (or `host:port`).
    connections : int
        Most connections to one host.
    """

    source: str
    base_url: str
    hosts: Sequence[str]
    connections: int = 4

    def __post_init__(self) -> None:
        """Refuse a base URL that cannot be used, or that holds secrets."""
        parts = _split(self.base_url)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"{self.source}: base_url is no address that can be used: expected https://HOST/PATH")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ConfigError(
                f"{self.source}: base_url must be https://HOST/PATH alone, without a user, a key or a query: these "
                "would be written into logs and results"
            )
        if parts.scheme == "http" and any(parts.hostname == _host_and_port(entry)[0] for entry in self.hosts):
            raise ConfigError(f"{self.source}: base_url {self.base_url!r} is not encrypted: use https://")

    @property
    def mirrored(self) -> bool:
        """The base URL is a mirror: it may lie in a private network."""
        return not self._listed(self.base_url)

    def url(self, path: str) -> str:
        """Build the address of something below the base URL."""
        return f"{self.base_url.rstrip('/')}/{path.lstrip('/')}"

    def check(self, url: str) -> None:
        """Refuse an address that this source has no business with.

        Raises
        ------
        RemoteError
            It is not https, or its host is not on the list.
        """
        if self._listed(url) or (self.mirrored and _origin(url) == _origin(self.base_url)):
            return
        raise RemoteError(
            f"{self.source}: refused to go to {redact_url(url)}: allowed are https and "
            f"{', '.join(self.hosts) or 'no host'}{', and ' + self.base_url if self.mirrored else ''}; "
            "if the service has moved, set base_url or hosts of this source in config"
        )

    def may_be_private(self, url: str) -> bool:
        """Whether an address may lead into a private network: that of a mirror only."""
        return self.mirrored and _origin(url) == _origin(self.base_url)

    def _listed(self, url: str) -> bool:
        parts = _split(url)
        if parts is None or parts.scheme != "https" or parts.username or parts.password:
            return False
        host, port = (parts.hostname or "").lower(), parts.port or 443
        return any((host, port) == _host_and_port(entry) for entry in self.hosts)


def redact_url(url: str) -> str:
    """Reduce an address to what may be shown: no user, no password, nothing in its query that might be a key."""
    parts = _split(url)
    if parts is None:
        return "an unreadable address"
    query = urlencode([(k, v) for k, v in parse_qsl(parts.query) if k.lower() in _HARMLESS], safe="/:,.")
    host = parts.hostname or ""
    netloc = (f"[{host}]" if ":" in host else host) + (f":{parts.port}" if parts.port else "")
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def is_private(address: str) -> bool:
    """Not on the public internet: private, loopback, link-local, reserved."""
    ip = ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return not (mapped or ip).is_global


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts


def _origin(url: str) -> tuple[str, str, int] | None:
    parts = _split(url)
    if parts is None or parts.username or parts.password:
        return None
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)


def _host_and_port(entry: str) -> tuple[str, int]:
    host, _, port = entry.lower().partition(":")
    return host, int(port) if port.isdigit() else 443


def pool(connections: int, private: bool) -> PoolManager:
    """Open a pool with at most that many connections to each host; more requests wait.

    Where the environment names a proxy (HTTPS_PROXY), what is public goes through it, as compute nodes often need.

    Parameters
    ----------
    connections : int
    private : bool
        Addresses that are not on the public internet may be reached (a configured mirror), and only these without
        encryption.
    """
    proxy = None if private else getproxies().get("https")
    if proxy:
        # It resolves names and connects in our place: what it reaches is its operator's to bound.
        return ProxyManager(proxy, block=True, maxsize=connections, retries=False)
    manager = PoolManager(maxsize=connections, block=True, retries=False)
    manager.pool_classes_by_scheme = (
        {"http": _PrivatePool, "https": HTTPSConnectionPool} if private else {"https": _PublicTLSPool}
    )
    return manager


def _connected(connection: Any, addresses: list[str]) -> socket.socket:
    """Connect to one of the addresses that were checked: asking the name again might give others."""
    last: Exception | None = None
    for address in addresses:
        try:
            return create_connection(
                (address, connection.port), connection.timeout, socket_options=connection.socket_options
            )
        except TimeoutError as error:
            last = ConnectTimeoutError(connection, f"Connection to {connection.host} timed out.")
            last.__cause__ = error
        except OSError as error:
            last = NewConnectionError(connection, f"Failed to establish a new connection: {error}")
    raise last or NewConnectionError(connection, f"{connection.host} has no address")


def _addresses(connection: Any) -> list[str]:
    try:
        found = socket.getaddrinfo(connection.host.strip("[]"), connection.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _PublicTLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        addresses = _addresses(self)
        private = [address for address in addresses if is_private(address)]
        if private:
            raise RemoteError(
                f"refused to connect to {self.host}: it resolves to {', '.join(private)}, which is not on the public "
                "internet; for a mirror of your own set base_url of the source in config"
            )
        return _connected(self, addresses)


class _PrivateConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        addresses = _addresses(self)
        public = [address for address in addresses if not is_private(address)]
        if public:
            raise RemoteError(
                f"refused to connect to {self.host} ({', '.join(public)}) without encryption: use https:// in "
                "base_url; http:// is for a mirror in your own network"
            )
        return _connected(self, addresses)


class _PublicTLSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTLSConnection


class _PrivatePool(HTTPConnectionPool):
    ConnectionCls = _PrivateConnection
