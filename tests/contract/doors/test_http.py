"""The HTTP door: bounded, verified, reused, repeated only where that is safe, silent on secrets."""

from __future__ import annotations

import contextlib
import http.server
import logging
import random
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bluetel.telephony import http as module
from bluetel.telephony.errors import PbxUnavailable, ProtocolError, Rejected
from bluetel.telephony.http import (
    Answer,
    Deadline,
    HttpDoor,
    checked_url,
    is_loopback,
    tls_context,
)
from tests.contract.wazo.player import Player, Reply, playing

SECRET = "6f9d-very-secret"


@pytest.fixture
def player() -> Iterator[Player]:
    with playing() as started:
        yield started


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def door(player: Player, pauses: list[float]) -> Iterator[HttpDoor]:
    made = HttpDoor(player.url, sleep=pauses.append, rng=random.Random(1))
    yield made
    made.close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class TestAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "https://pbx.example.test",
            "https://pbx.example.test:8443/",
            "http://127.0.0.1:5000",
            "http://127.8.9.1",
            "http://[::1]:5000",
            "http://localhost:5000",
        ],
    )
    def test_it_is_accepted(self, url: str) -> None:
        assert checked_url(url) == url.rstrip("/")

    @pytest.mark.parametrize(
        "url",
        [
            "http://pbx.example.test",
            "http://192.0.2.1",
            "http://localhost.example.test",
            "http://127.0.0.1.example.test",
            "ftp://127.0.0.1",
            "https://",
            "pbx.example.test",
            "",
            f"https://user:{SECRET}@pbx.example.test",
            "https://pbx.example.test/?token=1",
            "https://pbx.example.test/#x",
            "https://té_l.example.test",
            "https://[v1.a:b]",
            f"https://{'é' * 80}.example.test",
        ],
    )
    def test_it_is_refused_without_being_quoted(self, url: str) -> None:
        with pytest.raises(Rejected) as caught:
            checked_url(url)
        assert SECRET not in str(caught.value)

    def test_plain_http_is_told_apart_from_other_mistakes(self) -> None:
        with pytest.raises(Rejected, match="loopback only"):
            HttpDoor("http://pbx.example.test")

    def test_an_address_is_loopback_without_asking_a_name_server(self) -> None:
        assert is_loopback("LOCALHOST")
        assert not is_loopback("pbx.example.test")


class TestAnswers:
    def test_any_status_is_an_answer(self, player: Player, door: HttpDoor) -> None:
        player.answer("GET", "/a", Reply(418, {"tea": True}, {"Content-Type": "x/y; charset=z"}))
        answer = door.send("GET", "/a", what="tea")
        assert (answer.status, answer.json(), answer.media_type) == (418, {"tea": True}, "x/y")

    def test_parameters_headers_and_body_arrive(self, player: Player, door: HttpDoor) -> None:
        player.answer("PUT", "/a", Reply(204))
        door.send(
            "PUT",
            "/a",
            what="x",
            params={"digits": "1#", "n": 2},
            headers={"X-Auth-Token": SECRET},
            body={"é": None},
        )
        (seen,) = player.requests
        assert (seen.query, seen.body) == ({"digits": "1#", "n": "2"}, {"é": None})
        assert seen.headers["X-Auth-Token"] == SECRET
        assert seen.headers["User-Agent"] == "BlueTel"

    def test_a_redirect_is_not_followed(self, player: Player, door: HttpDoor) -> None:
        player.answer("GET", "/a", Reply(302, None, {"Location": "/b"}))
        assert door.send("GET", "/a", what="x").status == 302
        assert len(player.requests) == 1

    def test_a_cookie_is_not_kept(self, player: Player, door: HttpDoor) -> None:
        player.answer("GET", "/a", Reply(200, {}, {"Set-Cookie": "a=b; Path=/"}))
        door.send("GET", "/a", what="x")
        door.send("GET", "/a", what="x")
        assert "Cookie" not in player.requests[1].headers

    def test_the_environments_proxy_and_netrc_are_not_used(
        self,
        player: Player,
        door: HttpDoor,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login a password b\n")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
        player.answer("GET", "/a", Reply(200, {}))
        door.send("GET", "/a", what="x")
        assert "Authorization" not in player.requests[0].headers

    @pytest.mark.parametrize(
        ("value", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)]
    )
    def test_when_to_come_back(
        self, player: Player, door: HttpDoor, value: str, seconds: float | None
    ) -> None:
        player.answer("POST", "/a", Reply(503, None, {"Retry-After": value}))
        assert door.send("POST", "/a", what="x").retry_after == seconds

    @pytest.mark.parametrize("body", [b"<html>", b"", b"[" * 200_000], ids=["html", "none", "deep"])
    def test_what_is_no_json_is_a_protocol_error(self, body: bytes) -> None:
        with pytest.raises(ProtocolError):
            Answer(status=200, body=body).json()

    def test_a_body_never_shows_in_a_repr(self) -> None:
        assert SECRET not in repr(Answer(status=200, body=SECRET.encode()))

    def test_an_answer_too_long_is_given_up(
        self, player: Player, door: HttpDoor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MOST_BYTES", 1000)
        player.answer("GET", "/a", Reply(200, b"x" * 200_000))
        with pytest.raises(PbxUnavailable, match="too long"):
            door.send("GET", "/a", what="x")


class TestRepeats:
    @pytest.mark.parametrize("status", [502, 503, 504])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_a_read_is_repeated_after_a_passing_failure(
        self, player: Player, door: HttpDoor, pauses: list[float], status: int, method: str
    ) -> None:
        player.answer(method, "/a", Reply(status), Reply(status), Reply(200))
        assert door.send(method, "/a", what="x").status == 200
        assert len(pauses) == 2

    def test_three_times_at_most(self, player: Player, door: HttpDoor) -> None:
        player.answer("GET", "/a", Reply(503))
        assert door.send("GET", "/a", what="x").status == 503
        assert len(player.requests) == 3

    @pytest.mark.parametrize("status", [500, 501, 429, 404, 401])
    def test_no_other_status_is_repeated(self, player: Player, door: HttpDoor, status: int) -> None:
        player.answer("GET", "/a", Reply(status))
        assert door.send("GET", "/a", what="x").status == status
        assert len(player.requests) == 1

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    @pytest.mark.parametrize("status", [502, 503, 504])
    def test_no_command_is_ever_repeated(
        self, player: Player, door: HttpDoor, method: str, status: int
    ) -> None:
        player.answer(method, "/a", Reply(status))
        assert door.send(method, "/a", what="x").status == status
        assert len(player.requests) == 1

    def test_a_read_is_repeated_after_a_connection_that_broke(
        self, player: Player, door: HttpDoor
    ) -> None:
        player.answer("GET", "/a", Reply(0, drop=True), Reply(200))
        assert door.send("GET", "/a", what="x").status == 200

    def test_a_command_whose_connection_broke_may_have_been_done(
        self, player: Player, door: HttpDoor
    ) -> None:
        player.answer("POST", "/a", Reply(0, drop=True))
        with pytest.raises(PbxUnavailable) as caught:
            door.send("POST", "/a", what="x")
        assert caught.value.maybe_done
        assert len(player.requests) == 1

    def test_a_command_that_found_no_connection_was_not_done(self, pauses: list[float]) -> None:
        door = HttpDoor(f"http://127.0.0.1:{closed_port()}", sleep=pauses.append)
        with pytest.raises(PbxUnavailable, match="no connection") as caught:
            door.send("POST", "/a", what="x")
        assert not caught.value.maybe_done
        assert pauses == []

    def test_a_read_that_found_no_connection_is_tried_three_times(
        self, pauses: list[float]
    ) -> None:
        door = HttpDoor(f"http://127.0.0.1:{closed_port()}", sleep=pauses.append)
        with pytest.raises(PbxUnavailable) as caught:
            door.send("GET", "/a", what="x")
        assert not caught.value.maybe_done
        assert len(pauses) == 2

    def test_there_is_no_repeat_that_the_deadline_leaves_no_time_for(
        self, player: Player, door: HttpDoor, pauses: list[float]
    ) -> None:
        player.answer("GET", "/a", Reply(503))
        assert door.send("GET", "/a", what="x", deadline=Deadline(0.04)).status == 503
        assert pauses == []


class TestTime:
    def test_a_hung_pbx_is_given_up_at_the_deadline(self, player: Player, door: HttpDoor) -> None:
        player.answer("POST", "/a", Reply(0, hang=True))
        started = time.monotonic()
        with pytest.raises(PbxUnavailable, match="no answer in time") as caught:
            door.send("POST", "/a", what="x", deadline=Deadline(0.2))
        assert time.monotonic() - started < 2
        assert caught.value.maybe_done

    def test_a_read_that_hung_is_not_repeated(self, player: Player, door: HttpDoor) -> None:
        player.answer("GET", "/a", Reply(0, hang=True))
        with pytest.raises(PbxUnavailable):
            door.send("GET", "/a", what="x", deadline=Deadline(0.2))
        assert len(player.requests) == 1

    def test_no_time_left_means_nothing_is_sent(self, player: Player, door: HttpDoor) -> None:
        with pytest.raises(PbxUnavailable, match="no time left") as caught:
            door.send("POST", "/a", what="x", deadline=Deadline(0))
        assert not caught.value.maybe_done
        assert player.requests == []

    def test_a_body_that_stops_halfway_is_given_up(self, player: Player, door: HttpDoor) -> None:
        player.answer("GET", "/a", Reply(200, b"half", {"X-Length": "8"}, stall=True))
        with pytest.raises(PbxUnavailable, match="no whole answer in time"):
            door.send("GET", "/a", what="x", deadline=Deadline(0.3))

    def test_a_body_cut_short_is_no_answer(self, player: Player, door: HttpDoor) -> None:
        player.answer("GET", "/a", Reply(200, b"half", {"X-Length": "8"}), Reply(200, b"whole"))
        assert door.send("GET", "/a", what="x").body == b"whole"

    def test_a_host_that_never_connects_is_given_up(self) -> None:
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            port = deaf.getsockname()[1]
            with contextlib.ExitStack() as stack:
                # Fill the queue of connections nobody accepts.
                for _ in range(4):
                    waiting = stack.enter_context(socket.socket())
                    waiting.setblocking(False)
                    waiting.connect_ex(("127.0.0.1", port))
                door = HttpDoor(f"http://127.0.0.1:{port}")
                with pytest.raises(PbxUnavailable, match="no connection in time") as caught:
                    door.send("POST", "/a", what="x", deadline=Deadline(0.3))
        assert not caught.value.maybe_done

    def test_an_answer_that_is_no_http_is_a_broken_connection(self) -> None:
        with talking_nonsense() as url, pytest.raises(PbxUnavailable, match="broke") as caught:
            HttpDoor(url).send("POST", "/a", what="x")
        assert caught.value.maybe_done

    @pytest.mark.parametrize("value", ["a\nb", "a\r\n b", " a", "łódź"])
    def test_a_header_that_cannot_be_sent_is_no_answer(
        self, player: Player, door: HttpDoor, value: str
    ) -> None:
        with pytest.raises(PbxUnavailable, match="InvalidHeader"):
            door.send("GET", "/a", what="x", headers={"Wazo-Tenant": value})
        assert player.requests == []

    def test_an_answer_that_trickles_in_is_given_up(self) -> None:
        with trickling() as url:
            slow = HttpDoor(url)
            started = time.monotonic()
            with pytest.raises(PbxUnavailable, match="in time"):
                slow.send("GET", "/a", what="x", deadline=Deadline(0.4))
            assert time.monotonic() - started < 3
            slow.close()

    def test_a_deadline_counts_down_to_nothing(self) -> None:
        now = [5.0]
        deadline = Deadline(2.0, clock=lambda: now[0])
        assert deadline.remaining() == 2.0
        now[0] = 9.0
        assert deadline.remaining() == 0.0


@contextmanager
def talking_nonsense() -> Iterator[str]:
    """A server that answers one request with something else than HTTP."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(b"220 mail.example.test ESMTP\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@contextmanager
def trickling() -> Iterator[str]:
    """A server whose body comes a byte every 50 ms, for ever."""
    done = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            while not done.wait(0.05):
                try:
                    self.wfile.write(b"x")
                except OSError:
                    return

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()


class TestConnections:
    def test_one_thread_uses_one_connection(self, player: Player, door: HttpDoor) -> None:
        player.answer("GET", "/a", Reply(200, {}))
        for _ in range(200):
            door.send("GET", "/a", what="x")
        assert player.connections == 1

    def test_threads_share_the_pool(self, player: Player, door: HttpDoor) -> None:
        player.answer("POST", "/a", Reply(200, {}))
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: door.send("POST", "/a", what="x"), range(1000)))
        assert len(player.requests) == 1000
        assert player.connections <= 10

    def test_new_threads_find_the_old_connections(self, player: Player, door: HttpDoor) -> None:
        player.answer("GET", "/a", Reply(200, {}))
        for _ in range(20):
            thread = threading.Thread(target=door.send, args=("GET", "/a"), kwargs={"what": "x"})
            thread.start()
            thread.join()
        assert player.connections == 1

    def test_after_closing_it_opens_new_ones(self, player: Player, door: HttpDoor) -> None:
        player.answer("GET", "/a", Reply(200, {}))
        door.send("GET", "/a", what="x")
        door.close()
        door.send("GET", "/a", what="x")
        assert player.connections == 2


class TestLogs:
    def test_an_outage_is_logged_once_and_its_end_once(
        self, player: Player, door: HttpDoor, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, logger="bluetel.telephony.http")
        player.answer("GET", "/a", *[Reply(0, drop=True)] * 6, Reply(200, {}))
        for _ in range(2):
            with pytest.raises(PbxUnavailable):
                door.send("GET", "/a", what="x")
        door.send("GET", "/a", what="x")
        door.send("GET", "/a", what="x")
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]

    def test_tokens_and_queries_stay_out_of_the_librarys_debug_lines_too(
        self, player: Player, door: HttpDoor, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        player.answer("GET", f"/api/auth/0.1/token/{SECRET}", Reply(200, {}))
        door.send(
            "GET",
            f"/api/auth/0.1/token/{SECRET}",
            what="x",
            params={"term": SECRET},
            headers={"X-Auth-Token": SECRET},
        )
        assert "/token/***" in caplog.text
        assert SECRET not in caplog.text

    def test_no_error_and_no_traceback_holds_the_address(self) -> None:
        door = HttpDoor(f"http://127.0.0.1:{closed_port()}", sleep=lambda _: None)
        with pytest.raises(PbxUnavailable) as caught:
            door.send("GET", f"/token/{SECRET}", what="x", params={"q": SECRET})
        assert SECRET not in str(caught.value)
        assert SECRET not in "".join(str(caught.getrepr(style="native")).split("door.send(")[-1:])
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, as a fresh Wazo has one, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pbx")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "pbx.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class TestTls:
    @pytest.fixture
    def secure(self, certificate: Path) -> Iterator[str]:
        with playing(certificate) as player:
            player.answer("GET", "/a", Reply(200, {"ok": True}))
            player.answer("POST", "/a", Reply(200, {"ok": True}))
            yield player.url

    def test_a_certificate_nobody_trusts_is_refused_and_nothing_was_sent(self, secure: str) -> None:
        door = HttpDoor(secure, context=tls_context(""))
        with pytest.raises(PbxUnavailable, match="not trusted") as caught:
            door.send("POST", "/a", what="x")
        assert not caught.value.maybe_done

    def test_an_extra_ca_file_makes_it_trusted(self, secure: str, certificate: Path) -> None:
        door = HttpDoor(secure, context=tls_context(str(certificate)))
        assert door.send("GET", "/a", what="x").json() == {"ok": True}
        door.close()

    def test_the_name_must_fit_too(self, secure: str, certificate: Path) -> None:
        door = HttpDoor(
            secure.replace("127.0.0.1", "localhost"), context=tls_context(str(certificate))
        )
        with pytest.raises(PbxUnavailable, match="not trusted"):
            door.send("GET", "/a", what="x")

    def test_verification_is_on_whatever_is_given(self, certificate: Path) -> None:
        for context in (tls_context(""), tls_context(str(certificate))):
            assert context.verify_mode is ssl.CERT_REQUIRED
            assert context.check_hostname

    @pytest.mark.parametrize("content", [None, "not a certificate"])
    def test_a_ca_file_that_cannot_be_read_is_refused(
        self, tmp_path: Path, content: str | None
    ) -> None:
        path = tmp_path / "ca.pem"
        if content is not None:
            path.write_text(content)
        with pytest.raises(Rejected, match="CA file"):
            tls_context(str(path))
