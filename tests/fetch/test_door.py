from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bluetel.fetch.door import Door, Known, origin_of
from bluetel.fetch.errors import (
    AddressRefused,
    BadAnswer,
    Failure,
    NotAllowed,
    Refusal,
    TooLarge,
    Unreachable,
)
from bluetel.fetch.exchange import Credentials
from tests.fetch.site import Reply, Request, Respond, Site, authority, raw_server

LOOPBACK = ["127.0.0.0/8"]
SECRET = Credentials("alice", "s3cret-éà")


@pytest.fixture
def door() -> Iterator[Door]:
    opened = Door(allow=LOOPBACK)
    yield opened
    opened.close()


def always(reply: Reply) -> Respond:
    return lambda _: reply


class Names:
    """A resolver that gives one answer after the other, and says how often it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


# --- What may be asked ------------------------------------------------------------------------


def test_a_private_address_is_not_even_connected_to() -> None:
    with (
        Site(always(Reply())) as site,
        Door() as closed,
        pytest.raises(AddressRefused) as refused,
    ):
        closed.get(f"https://127.0.0.1:{site.port}/")

    assert refused.value.reason is Refusal.PRIVATE
    assert site.requests == []


@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]", "[::ffff:7f00:1]"],
)
def test_no_way_to_write_loopback_gets_through(host: str) -> None:
    with Door() as closed, pytest.raises((AddressRefused, Unreachable)) as refused:
        closed.get(f"https://{host}:8443/")

    if isinstance(refused.value, Unreachable):
        assert refused.value.reason is Failure.NAME


def test_plain_http_is_refused_to_a_private_address_that_was_named() -> None:
    with (
        Door(allow=["10.0.0.0/8"], resolver=Names(["10.1.1.1"])) as inside,
        pytest.raises(AddressRefused) as refused,
    ):
        inside.get("http://calendar.test/")

    assert refused.value.reason is Refusal.PLAIN_HTTP


def test_a_privileged_port_is_for_web_servers_only() -> None:
    with Door(resolver=Names(["8.8.8.8"])) as public, pytest.raises(AddressRefused) as refused:
        public.check("https://mail.test:25/")

    assert refused.value.reason is Refusal.PORT


def test_a_form_learns_the_normal_form_without_a_connection() -> None:
    with Door(resolver=Names(["8.8.8.8"])) as public:
        assert public.check("webcal://CAL.test/mine") == "https://cal.test/mine"


def test_a_mail_host_gives_the_addresses_to_connect_to() -> None:
    with Door(resolver=Names(["10.0.0.1", "8.8.8.8"])) as public:
        checked = public.host("Mail.test", 993, ports={143, 993})

    assert (checked.name, checked.addresses) == ("mail.test", ("8.8.8.8",))


@pytest.mark.parametrize("name", ["", "a/b", "me@host", "a b", "x\n"])
def test_a_mail_host_that_is_no_name_is_refused(name: str) -> None:
    with Door() as public, pytest.raises(AddressRefused):
        public.host(name, 993, ports={993})


def test_an_unencrypted_mail_host_may_only_be_loopback() -> None:
    with Door(allow=LOOPBACK, resolver=Names(["8.8.8.8"], ["127.0.0.1"])) as opened:
        with pytest.raises(AddressRefused):
            opened.host("mail.test", 143, ports={143}, plain=True)
        assert opened.host("mail.test", 143, ports={143}, plain=True).addresses == ("127.0.0.1",)


def test_a_name_without_address_is_unreachable() -> None:
    def nobody(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with Door(resolver=nobody) as public, pytest.raises(Unreachable) as failed:
        public.get("https://nobody.test/")

    assert failed.value.reason is Failure.NAME


# --- Pinning ----------------------------------------------------------------------------------


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    with Site(always(Reply(body=b"ok"))) as site:
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        with Door(allow=LOOPBACK, resolver=names) as opened:
            answer = opened.get(site.at("calendar.test"))

    assert answer.body == b"ok"
    assert names.asked == 1
    assert site.requests[0].headers["Host"] == f"calendar.test:{site.port}"


def test_a_name_that_moves_inside_is_refused_at_the_next_request() -> None:
    with Site(always(Reply(body=b"ok"))) as site:
        names = Names(["127.0.0.1"], ["127.0.0.1"], ["10.0.0.1"])
        with Door(allow=LOOPBACK, resolver=names) as opened:
            opened.get(site.at("calendar.test"))
            opened.get(site.at("calendar.test"))
            with pytest.raises(AddressRefused):
                opened.get(site.at("calendar.test"))


def test_the_next_address_is_tried_when_the_first_does_not_connect() -> None:
    with (
        Site(always(Reply(body=b"ok"))) as site,
        Door(allow=[*LOOPBACK, "::1/128"], resolver=Names(["::1", "127.0.0.1"])) as opened,
    ):
        assert opened.get(site.at("calendar.test")).body == b"ok"


def test_a_private_address_among_public_ones_is_passed_over() -> None:
    with (
        Site(always(Reply(body=b"ok"))) as site,
        Door(allow=["127.0.0.1/32"], resolver=Names(["10.0.0.1", "127.0.0.1"])) as opened,
    ):
        assert opened.get(site.at("calendar.test")).body == b"ok"


def test_the_certificate_must_be_for_the_name_asked(tmp_path: Path) -> None:
    ca_file, context = authority(tmp_path, "calendar.test")
    with (
        Site(always(Reply(body=b"ok")), context=context) as site,
        Door(allow=LOOPBACK, ca_file=str(ca_file), resolver=Names(["127.0.0.1"])) as opened,
    ):
        assert opened.get(site.at("calendar.test")).body == b"ok"
        with pytest.raises(Unreachable) as failed:
            opened.get(site.at("other.test"))

    assert failed.value.reason is Failure.CERTIFICATE


def test_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    _, context = authority(tmp_path, "calendar.test")
    with (
        Site(always(Reply(body=b"ok")), context=context) as site,
        Door(allow=LOOPBACK, resolver=Names(["127.0.0.1"])) as opened,
        pytest.raises(Unreachable) as failed,
    ):
        opened.get(site.at("calendar.test"))

    assert failed.value.reason is Failure.CERTIFICATE
    assert site.requests == []


def test_a_certificate_for_an_ip_address_is_accepted_for_it(tmp_path: Path) -> None:
    ca_file, context = authority(tmp_path, "127.0.0.1")
    with (
        Site(always(Reply(body=b"ok")), context=context) as site,
        Door(allow=LOOPBACK, ca_file=str(ca_file)) as opened,
    ):
        assert opened.get(site.url).body == b"ok"


def test_the_environment_sets_no_proxy(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Site(always(Reply(body=b"ok"))) as site:
        assert door.get(site.url).body == b"ok"


# --- Redirects --------------------------------------------------------------------------------


def test_a_redirect_keeps_the_method_and_the_body(door: Door) -> None:
    def respond(request: Request) -> Reply:
        if request.path == "/a":
            return Reply(301, headers={"Location": "/b"})
        return Reply(207, body=request.method.encode() + request.body)

    with Site(respond) as site:
        answer = door.request("PROPFIND", site.url + "/a", body=b"<x/>", credentials=SECRET)

    assert answer.body == b"PROPFIND<x/>"
    assert answer.url == site.url + "/b"
    assert site.requests[1].headers["Authorization"].startswith("Basic ")


def test_a_redirect_to_a_private_address_is_refused() -> None:
    with (
        Site(always(Reply(302, headers={"Location": "http://10.0.0.1/"}))) as site,
        Door(allow=LOOPBACK) as opened,
        pytest.raises(AddressRefused) as refused,
    ):
        opened.get(site.url)

    assert refused.value.reason is Refusal.PRIVATE


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/", "//u:p@x.test/"])
def test_a_redirect_to_another_kind_of_address_is_refused(door: Door, location: str) -> None:
    with (
        Site(always(Reply(302, headers={"Location": location}))) as site,
        pytest.raises(AddressRefused),
    ):
        door.get(site.url)


def test_a_redirect_never_drops_to_plain_http(tmp_path: Path) -> None:
    ca_file, context = authority(tmp_path, "127.0.0.1")
    with Site(always(Reply(body=b"plain"))) as plain:
        moved = Reply(302, headers={"Location": plain.url})
        with (
            Site(always(moved), context=context) as site,
            Door(allow=LOOPBACK, ca_file=str(ca_file)) as opened,
            pytest.raises(AddressRefused) as refused,
        ):
            opened.get(site.url)

    assert refused.value.reason is Refusal.PLAIN_HTTP
    assert plain.requests == []


def test_credentials_stay_with_the_origin_they_were_given_for(door: Door) -> None:
    with (
        Site(always(Reply(401))) as other,
        Site(always(Reply(302, headers={"Location": other.url + "/x"}))) as site,
        pytest.raises(NotAllowed) as refused,
    ):
        door.get(site.url, credentials=SECRET)

    assert "Authorization" in site.requests[0].headers
    assert "Authorization" not in other.requests[0].headers
    assert refused.value.origin == other.url


def test_a_write_does_not_follow_to_another_host(door: Door) -> None:
    with (
        Site(always(Reply(204))) as other,
        Site(always(Reply(307, headers={"Location": other.url}))) as site,
        pytest.raises(BadAnswer),
    ):
        door.request("PUT", site.url, body=b"a card")

    assert other.requests == []


def test_redirects_end_after_five(door: Door) -> None:
    with (
        Site(always(Reply(302, headers={"Location": "/again"}))) as site,
        pytest.raises(BadAnswer, match="too many redirects"),
    ):
        door.get(site.url)

    assert len(site.requests) == 6


# --- Limits -----------------------------------------------------------------------------------


def test_an_answer_over_the_limit_is_not_read_to_its_end(door: Door) -> None:
    with Site(always(Reply(body=b"x" * 300_000))) as site:
        with pytest.raises(TooLarge):
            door.get(site.url, max_bytes=100_000)
        assert len(door.get(site.url, max_bytes=300_000).body) == 300_000


def test_a_compression_bomb_is_not_unpacked(door: Door) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with (
        Site(always(Reply(body=bomb, headers={"Content-Encoding": "gzip"}))) as site,
        pytest.raises(TooLarge),
    ):
        door.get(site.url, max_bytes=1_000_000)


def test_a_compressed_answer_is_unpacked(door: Door) -> None:
    text = b"BEGIN:VCALENDAR " * 20_000
    packed = Reply(body=gzip.compress(text), headers={"Content-Encoding": "gzip"})
    with Site(always(packed)) as site:
        assert door.get(site.url).body == text


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", b"not gzip at all", id="not-gzip"),
        pytest.param("gzip", gzip.compress(b"whole" * 100)[:-12], id="cut"),
        pytest.param("br", b"x", id="unknown"),
    ],
)
def test_a_broken_encoding_is_a_bad_answer(door: Door, encoding: str, body: bytes) -> None:
    with (
        Site(always(Reply(body=body, headers={"Content-Encoding": encoding}))) as site,
        pytest.raises(BadAnswer),
    ):
        door.get(site.url)


def dripping(start: bytes, drop: bytes) -> Iterator[int]:
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(start)
        while not over.wait(0.02):
            connection.sendall(drop)

    with raw_server(serve) as port:
        yield port
    over.set()


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", id="body"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", id="body-without-length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Slow: ", id="headers"),
        pytest.param(b"", id="status"),
    ],
)
def test_a_server_that_drips_is_cut_off(start: bytes) -> None:
    for port in dripping(start, b"a"):
        with Door(allow=LOOPBACK, max_seconds=0.3) as opened:
            begun = time.monotonic()
            with pytest.raises(Unreachable) as failed:
                opened.get(f"http://127.0.0.1:{port}/")
            assert time.monotonic() - begun < 3

        assert failed.value.reason is Failure.TIMEOUT


def test_a_tls_handshake_that_drips_is_cut_off() -> None:
    for port in dripping(b"", b"\x16"):
        with Door(allow=LOOPBACK, max_seconds=0.3) as opened:
            begun = time.monotonic()
            with pytest.raises(Unreachable):
                opened.get(f"https://127.0.0.1:{port}/")
            assert time.monotonic() - begun < 3


def test_a_server_that_hangs_up_is_unreachable(door: Door) -> None:
    with raw_server(lambda connection: None) as port, pytest.raises(Unreachable) as failed:
        door.get(f"http://127.0.0.1:{port}/")

    assert failed.value.reason is Failure.CONNECTION


def test_a_kept_connection_that_was_closed_is_opened_again_for_reading(door: Door) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def once(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)
        connection.recv(65536)  # the second request is read, and the connection closed on it

    with raw_server(once) as port:
        url = f"http://127.0.0.1:{port}/"
        assert door.get(url).body == b"ok"
        assert door.get(url).body == b"ok"


def test_nothing_listening_is_unreachable(door: Door) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable) as failed:
            door.get(f"http://127.0.0.1:{free.getsockname()[1]}/")

    assert failed.value.reason is Failure.CONNECTION


# --- Asking again, and signing in ---------------------------------------------------------------


def test_what_is_known_is_not_sent_again(door: Door) -> None:
    def respond(request: Request) -> Reply:
        known = (request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since"))
        if known == ('"7"', "Mon, 02 Nov 2026 08:00:00 GMT"):
            return Reply(304)
        headers = {"ETag": '"7"', "Last-Modified": "Mon, 02 Nov 2026 08:00:00 GMT"}
        return Reply(body=b"events", headers=headers)

    with Site(respond) as site:
        first = door.get(site.url)
        again = door.get(site.url, known=Known(etag=first.etag, last_modified=first.last_modified))

    assert first.body == b"events"
    assert again.is_unchanged


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_sign_in_is_told_with_its_origin(door: Door, status: int) -> None:
    with (
        Site(always(Reply(status, body=b"internal details"))) as site,
        pytest.raises(NotAllowed) as refused,
    ):
        door.get(site.url + "/private/token-1234", credentials=SECRET)

    assert refused.value.status == status
    assert refused.value.origin == site.url


@pytest.mark.parametrize("status", [204, 206, 304, 404, 500])
def test_any_other_status_is_a_bad_answer(door: Door, status: int) -> None:
    with Site(always(Reply(status))) as site, pytest.raises(BadAnswer) as refused:
        door.get(site.url)

    assert refused.value.status == status


def test_no_error_repeats_the_path_the_body_or_the_password(door: Door) -> None:
    with Site(always(Reply(500, body=b"stack trace of an internal server"))) as site:
        with pytest.raises(BadAnswer) as failed:
            door.get(site.url + "/private-token-1234/basic.ics", credentials=SECRET)
        answer = door.request("GET", site.url + "/private-token-1234/", credentials=SECRET)

    told = f"{failed.value} {failed.value!r} {answer!r} {SECRET!r}"
    for secret in ("token-1234", "stack trace", "s3cret"):
        assert secret not in told
    assert failed.value.__cause__ is None


def test_of_a_long_error_page_only_the_beginning_is_read(door: Door) -> None:
    with Site(always(Reply(500, body=b"x" * 1_000_000))) as site:
        assert len(door.request("GET", site.url).body) <= 65536


def test_a_digest_challenge_is_answered(door: Door) -> None:
    def respond(request: Request) -> Reply:
        authorization = request.headers.get("Authorization", "")
        if authorization.startswith("Digest ") and 'username="alice"' in authorization:
            return Reply(body=b"in")
        return Reply(401, headers={"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'})

    with Site(respond) as site:
        assert door.get(site.url, credentials=SECRET).body == b"in"
        with pytest.raises(NotAllowed):
            door.get(site.url)


def test_what_may_be_shown_of_a_secret_address_is_its_origin() -> None:
    assert origin_of("webcal://cal.test/private-1234?key=5") == "https://cal.test"
