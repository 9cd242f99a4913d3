"""A file on a real server, and clients that ask for it with little patience."""

import random

from terraform.config import Downloads
from terraform.sources.remote.client import Client
from terraform.sources.remote.hosts import Access
from terraform.sources.remote.response import TIFF

FAST = Downloads(
    attempts=4, backoff_s=0.01, connect_timeout_s=2, read_timeout_s=0.5, deadline_s=3, slowest_bytes_per_s=1e9,
    longest_wait_s=1,
)  # fmt: skip


# No part of it is like another: what is put in the wrong place shows.
BODY = b"II*\0" + random.Random(0).randbytes(1_280_000)


def client(url: str, settings: Downloads = FAST, hosts: tuple[str, ...] = (), connections: int = 4) -> Client:
    return Client(Access("test", url, hosts, connections), settings)


def fetched(url: str, settings: Downloads = FAST) -> bytes:
    made = client(url, settings)
    return made.get(made.access.url("a.tif"), TIFF, len(BODY))


def parts_of(url: str) -> tuple[Client, str]:
    made = client(url)
    return made, made.access.url("a.tif")
