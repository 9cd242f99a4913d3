"""Where a source may go: redirects, private networks, proxies, secrets in addresses."""

import socket
import threading

import pytest
from servers.faults import Fault, Proxy
from servers.nginx import Nginx
from servers.remote_file import BODY, FAST, client, fetched

from terraform.errors import ConfigError, RemoteError
from terraform.sources.remote.hosts import Access, is_private, redact_url
from terraform.sources.remote.response import TIFF, plain_text


def test_a_redirect_within_the_list_is_followed(broken: Proxy) -> None:
    broken.breaks(Fault("redirect", match="^/old", body="/a.tif"))
    made = client(broken.url)
    assert made.get(made.access.url("old.tif"), TIFF, len(BODY)) == BODY


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.2:80/x", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "ftp://a.org/x",
     "https://evil.example/x", "//evil.example/x", "https://user:secret@good.example/x"],
)  # fmt: skip
def test_a_redirect_elsewhere_is_refused(broken: Proxy, target: str) -> None:
    broken.breaks(Fault("redirect", body=target))
    made = client(broken.url, hosts=("good.example",))
    with pytest.raises(RemoteError, match="refused to go to") as told:
        made.get(made.access.url("a.tif"), TIFF, 100)
    assert "secret" not in str(told.value) and len(broken.asked) == 1


def test_a_redirect_to_another_port_of_the_mirror_is_refused(broken: Proxy, server: Nginx) -> None:
    broken.breaks(Fault("redirect", body=f"{server.url}/a.tif"))
    with pytest.raises(RemoteError, match="refused to go to"):
        fetched(broken.url)
    assert server.hits() == []


def test_redirects_end(broken: Proxy) -> None:
    broken.breaks(Fault("redirect", body="/a.tif"))
    with pytest.raises(RemoteError, match="more than 5 redirects"):
        fetched(broken.url)


def test_a_listed_name_that_leads_into_a_private_network_is_refused(broken: Proxy) -> None:
    with socket.socket() as inside:
        inside.bind(("127.0.0.1", 0))
        inside.listen()
        inside.settimeout(0.2)
        host = f"localhost:{inside.getsockname()[1]}"
        broken.breaks(Fault("redirect", body=f"https://{host}/a.tif"))
        made = client(broken.url, hosts=(host,))
        with pytest.raises(RemoteError, match=r"localhost: it resolves to .*127\.0\.0\.1.* not on the public internet"):
            made.get(made.access.url("a.tif"), TIFF, 100)
        with pytest.raises(TimeoutError):
            inside.accept()


def test_a_proxy_of_the_environment_is_used_for_public_hosts_alone(
    monkeypatch: pytest.MonkeyPatch, server: Nginx
) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert fetched(server.url) == BODY
        heard: list[bytes] = []

        def refuse() -> None:
            connection, _ = listening.accept()
            heard.append(connection.recv(1000))
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        made = client("https://data.example/x", FAST.model_copy(update={"attempts": 1}), hosts=("data.example",))
        with pytest.raises(RemoteError, match="the proxy"):
            made.get(made.access.url("a.tif"), TIFF, 100)
        thread.join()
    assert heard[0].startswith(b"CONNECT data.example:443 ")


def test_addresses_of_base_urls() -> None:
    for url in ("file:///etc", "http://data.example/x", "https://me:key@data.example", "https://data.example/?key=1"):
        with pytest.raises(ConfigError):
            Access("test", url, ("data.example",))
    assert not Access("test", "https://data.example/x", ("data.example",)).mirrored
    assert Access("test", "http://10.1.2.3:8080/x", ("data.example",)).mirrored


def test_a_mirror_without_encryption_lies_in_a_private_network() -> None:
    made = client("http://192.0.2.1.nip.example")
    with pytest.raises(RemoteError, match="cannot be resolved"):
        made.get(made.access.url("x"), TIFF, 100)
    made = client("http://8.8.8.8")
    with pytest.raises(RemoteError, match="without encryption: use https"):
        made.get(made.access.url("x"), TIFF, 100)


def test_private_addresses() -> None:
    for address in ("127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:10.0.0.1",
                    "0.0.0.0", "100.64.0.1", "fd00::1"):  # noqa: S104 # fmt: skip
        assert is_private(address), address
    assert not is_private("8.8.8.8") and not is_private("2606:4700::1111")


def test_addresses_are_shown_without_secrets() -> None:
    assert redact_url("https://me:pw@a.org:8443/x?request=GetMap&API_Key=s3cret&X-Amz-Signature=s3cret&bbox=1,2") == (
        "https://a.org:8443/x?request=GetMap&bbox=1,2"
    )


def test_words_of_servers() -> None:
    report = (
        b'<?xml version="1.0"?><Report><ServiceException code="Undefined"><![CDATA[ no <b>layer ]]></ServiceException>'
    )
    assert plain_text(report) == "no layer"
    assert plain_text(b"<html><script>alert(1)</script><h1>Bad\x1b[31m Gateway</h1>") == "Bad [31m Gateway"
    assert len(plain_text(b"x" * 5000)) < 320
