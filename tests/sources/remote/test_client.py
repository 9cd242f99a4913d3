"""A client against a real server with faults in between: what it promises, and what it refuses."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from servers.faults import Fault, Proxy, What
from servers.nginx import Nginx
from servers.remote_file import BODY, FAST, client, fetched

from terraform.errors import RemoteError
from terraform.sources.remote.response import JPEG, TIFF, NotFound
from terraform.sources.remote.retry import pause_s, retry_after_s


def test_a_file_arrives_whole_and_the_client_names_itself(server: Nginx) -> None:
    assert fetched(server.url, FAST.model_copy(update={"contact": "me@example.org"})) == BODY
    (hit,) = server.hits()
    assert hit.agent.startswith("terraform-planets/") and "me@example.org" in hit.agent


@pytest.mark.parametrize("what", ["drop", "truncate", "stall", "html"])
def test_what_fails_once_is_asked_for_again(broken: Proxy, what: What) -> None:
    broken.breaks(Fault(what, times=1, pause_s=1.0, body="wait"))
    assert fetched(broken.url) == BODY
    assert len(broken.asked) == 2


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_busy_service_is_asked_again(broken: Proxy, code: int) -> None:
    broken.breaks(Fault("status", times=2, code=code))
    assert fetched(broken.url) == BODY
    assert len(broken.asked) == 3


@pytest.mark.parametrize("code", [429, 503])
def test_a_service_that_stays_busy_ends_in_resume_later(broken: Proxy, code: int) -> None:
    broken.breaks(Fault("status", code=code, body="Too many requests"))
    with pytest.raises(
        RemoteError, match=r"Too many requests \(4 attempts\).*run the same command again later"
    ) as told:
        fetched(broken.url)
    assert told.value.exit_code == 4 and len(broken.asked) == FAST.attempts


@pytest.mark.parametrize("code", [400, 401, 403, 451])
def test_a_refusal_is_not_asked_again(broken: Proxy, code: int) -> None:
    broken.breaks(Fault("status", code=code, body="<Error><Code>AccessDenied</Code></Error>", kind="application/xml"))
    with pytest.raises(RemoteError, match=rf"refuses \(status {code}\): AccessDenied"):
        fetched(broken.url)
    assert len(broken.asked) == 1


def test_what_is_not_there_is_told_apart(server: Nginx) -> None:
    made = client(server.url)
    with pytest.raises(NotFound, match=r"/b\.tif does not exist \(status 404\): 404 Not Found"):
        made.get(made.access.url("b.tif"), TIFF, 100)


def test_a_page_with_status_200_is_an_error_in_the_servers_words(server: Nginx) -> None:
    made = client(server.url)
    with pytest.raises(RemoteError, match=r"did not send a TIFF \(its Content-Type is text/html\): please log in"):
        made.get(made.access.url("page.html"), TIFF, 1000)


def test_content_that_is_not_what_its_type_says_is_an_error(broken: Proxy) -> None:
    broken.breaks(Fault("status", code=200, kind="image/jpeg", body="ServiceException: no such layer"))
    made = client(broken.url)
    with pytest.raises(RemoteError, match=r"a JPEG \(it begins with b'ServiceE'\): ServiceException: no such layer"):
        made.get(made.access.url("a.jpg"), JPEG, 1000)


def test_a_response_is_never_larger_than_expected(broken: Proxy, server: Nginx) -> None:
    made = client(server.url)
    with pytest.raises(RemoteError, match="at most 1,000 are expected"):
        made.get(made.access.url("a.tif"), TIFF, 1000)
    assert made.counted.bytes <= 1000


@pytest.mark.parametrize("value", ["1", " 1 "])
def test_retry_after_in_seconds_is_honoured(broken: Proxy, value: str) -> None:
    broken.breaks(Fault("status", times=1, code=429, headers={"Retry-After": value}))
    assert fetched(broken.url) == BODY
    first, second = broken.asked
    assert second.at_s - first.at_s >= 1.0


def test_retry_after_as_a_date_is_honoured(broken: Proxy) -> None:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2))
    broken.breaks(Fault("status", times=1, code=503, headers={"Retry-After": date}))
    assert fetched(broken.url, FAST.model_copy(update={"longest_wait_s": 3, "deadline_s": 6})) == BODY
    first, second = broken.asked
    assert second.at_s - first.at_s >= 0.9


def test_a_retry_after_beyond_the_limit_ends_at_once(broken: Proxy) -> None:
    broken.breaks(Fault("status", code=429, headers={"Retry-After": "3600"}, body="quota exceeded"))
    with pytest.raises(RemoteError, match=r"quota exceeded; it asks to come back in 3600 s.*again later to resume"):
        fetched(broken.url)
    assert len(broken.asked) == 1


@pytest.mark.parametrize("value", ["-5", "soon", "", "1e400", "9" * 400])
def test_a_senseless_retry_after_is_ignored_or_refused(broken: Proxy, value: str) -> None:
    broken.breaks(Fault("status", times=1, code=503, headers={"Retry-After": value}))
    if value.startswith("9"):
        with pytest.raises(RemoteError, match="asks to come back"):
            fetched(broken.url)
    else:
        assert fetched(broken.url) == BODY


def test_what_a_server_asks_for() -> None:
    assert retry_after_s(None) is None and retry_after_s("x") is None and retry_after_s("7") == 7
    assert retry_after_s("Thu, 01 Jan 1970 00:00:00 GMT") == 0
    jitter = random.Random(1)
    pauses = [pause_s(attempt, 1.0, jitter) for attempt in range(30)]
    assert all(0 <= pause <= 60 for pause in pauses) and len(set(pauses)) > 20


def test_a_trickle_ends_at_the_deadline(broken: Proxy) -> None:
    broken.breaks(Fault("slow", pause_s=0.05))
    made = client(broken.url, FAST.model_copy(update={"deadline_s": 1.0}))
    with pytest.raises(RemoteError, match="too slowly"):
        made.get(made.access.url("a.tif"), TIFF, len(BODY))
    assert len(broken.asked) == 1 and made.counted.bytes < len(BODY) / 4


def test_a_server_that_never_answers_ends_at_the_deadline(broken: Proxy) -> None:
    broken.breaks(Fault("stall", pause_s=5))
    with pytest.raises(RemoteError, match="does not answer in time"):
        fetched(broken.url, FAST.model_copy(update={"deadline_s": 1.2, "attempts": 100}))
    assert 1 <= len(broken.asked) <= 3  # each waits for half a second


def test_nothing_listens() -> None:
    with pytest.raises(RemoteError, match="cannot be reached"):
        fetched("http://127.0.0.1:9", FAST)


def test_no_more_connections_than_allowed_and_these_are_used_again(server: Nginx) -> None:
    made = client(server.url, connections=2)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: made.get(made.access.url("a.tif"), TIFF, len(BODY)), range(12)))
    hits = server.hits()
    assert len(hits) == 12 and len({hit.connection for hit in hits}) <= 2
