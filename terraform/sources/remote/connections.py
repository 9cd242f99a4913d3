"""Connections that refuse to lead into a private network, whatever a name resolves to."""

import socket
from typing import Any
from urllib.request import getproxies

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from terraform.errors import RemoteError
from terraform.sources.remote.access import is_private


def pool(connections: int, private: bool) -> PoolManager:
    """A pool with at most that many connections to each host; more requests wait. Where the environment names a proxy
    (HTTPS_PROXY), what is public goes through it, as compute nodes often need.

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
