"""Which addresses a source may reach: https and named hosts only, each redirect included."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

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
        """The address of something below the base URL."""
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
    """An address for messages and records: without user, password, and whatever in its query might be a key."""
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
