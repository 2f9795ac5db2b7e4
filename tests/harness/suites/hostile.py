# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Clients that do not behave, beside one that does."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
from collections.abc import Iterator

from device import Device
from places import seconds
from rest import secure
from results import check, equal
from session import Session
from unit import Suite

SUITE = Suite("hostile")


@contextlib.contextmanager
def serving_afterwards(session: Session) -> Iterator[Device]:
    """The device, which must serve afterwards, with an app that was not disturbed."""
    device = session.device()
    package = session.packages.probe("live", ["live"])
    with device.deployed(package):
        device.wait_log(package.component, "^alive")
        yield device
        device.until("an answer afterwards", device.rest.serves, 120)
        equal(device.app(package.component)["starts"], 1, "starts of the app")
        check("panic" not in device.board.text().lower(), "the kernel panicked")


def send(device: Device, request: bytes, limit: float = 30) -> bytes:
    """Sends bytes over TLS and reads what comes back until the device closes."""
    answer = b""
    with contextlib.suppress(OSError), secure(device.board.address, limit) as connection:
        connection.sendall(request)
        while part := connection.recv(4096):
            answer += part
    return answer


# Each breaks one rule; in all else it is what a good client sends.
REQUESTS = {
    "nothing but an end of line": b"\r\n\r\n",
    "no protocol": b"GET /status\r\n\r\n",
    "another protocol": b"GET /status HTTP/9.9\r\nHost: d\r\n\r\n",
    "binary": bytes(range(256)) * 8,
    "a head without end": b"GET /status HTTP/1.1\r\nHost: d\r\n" + b"X-Padding: " + b"a" * 100_000,
    "a thousand headers": b"GET /status HTTP/1.1\r\nHost: d\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    "two lengths": b"PUT /update/stage HTTP/1.1\r\nHost: d\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a negative length": b"PUT /update/stage HTTP/1.1\r\nHost: d\r\nContent-Type: application/octet-stream\r\nContent-Length: -1\r\n\r\n",
    "a huge length": b"PUT /update/stage HTTP/1.1\r\nHost: d\r\nContent-Type: application/octet-stream\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "a length over the limit": b"PUT /update/stage HTTP/1.1\r\nHost: d\r\nContent-Type: application/octet-stream\r\nContent-Length: 4000000000\r\n\r\n",
    "chunks": b"PUT /update/stage HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
    "a method that is not there": b"BREW /status HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
    "a path that climbs": b"GET /../../../etc/nacre/device-api.key.pem HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
    "a path with a NUL": b"GET /app/status/\0 HTTP/1.1\r\nHost: d\r\n\r\n",
    "a component id that is none": b"GET /app/status/../../x HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
}


@SUITE.unit
def odd_requests_are_answered_or_dropped(session: Session) -> None:
    """Requests against every rule of HTTP get a refusal or nothing, never what they ask for."""
    with serving_afterwards(session) as device:
        for name, request in REQUESTS.items():
            answer = send(device, request)
            check(b" 200 " not in answer.split(b"\r\n", 1)[0], f"{name}: {answer[:200]!r}")
            check(b"PRIVATE KEY" not in answer, f"{name} gave away the key")
        check(b" 200 " in send(device, b"GET /status HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n"), "a good request is refused")


@SUITE.unit
def bad_json_is_refused(session: Session) -> None:
    """Bodies that are no JSON, or JSON of another kind, are refused with a number, and change nothing."""
    with serving_afterwards(session) as device:
        before = device.images()
        for body in (b"{", b"[]", b"null", b'{"appControlMode":"Perhaps"}', b"\xff\xfe", b"[" * 4000, b'{"a":1e999}'):
            answer = device.rest.ask("POST", "/update/install", body, "application/json")
            check(answer.status >= 400 and answer.error() is not None or body == b'{"a":1e999}', f"{body[:40]!r}: {answer}")
        equal(device.images(), before, "images")


@SUITE.unit
def garbage_instead_of_tls_is_dropped(session: Session) -> None:
    """Bytes that are no TLS, and handshakes that are cut, do not stop the device from serving."""
    chance = random.Random(1)
    with serving_afterwards(session) as device:
        host, port = device.board.address.rsplit(":", 1)
        for length in (0, 1, 5, 100, 5000):
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), seconds(20)) as plain:
                plain.sendall(chance.randbytes(length))
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = version
            try:
                with socket.create_connection((host, int(port)), seconds(20)) as plain:
                    context.wrap_socket(plain).close()
                raise AssertionError(f"{version.name} was accepted")
            except OSError:
                # An ssl.SSLError is one, too: the handshake was refused.
                pass


@SUITE.unit
def silent_clients_do_not_shut_others_out(session: Session) -> None:
    """Twenty clients that connect and say nothing, or half a request, do not keep the device from others."""
    with serving_afterwards(session) as device:
        host, port = device.board.address.rsplit(":", 1)
        with contextlib.ExitStack() as clients:
            for _ in range(20):
                clients.enter_context(socket.create_connection((host, int(port)), seconds(20)))
            device.until("an answer beside silent clients", device.rest.serves, 180)
        with contextlib.suppress(OSError), secure(device.board.address) as half:
            half.sendall(b"GET /sta")
            device.until("an answer beside half a request", device.rest.serves, 180)


@SUITE.unit
def upload_that_breaks_off_leaves_nothing(session: Session) -> None:
    """An upload cut in the middle stages nothing, and the next one is taken."""
    package = session.packages.probe("count", ["count"], {"MutableStorage": {"SizeKB": 4}})
    with serving_afterwards(session) as device:
        content = package.content
        head = (
            "PUT /update/stage HTTP/1.1\r\nHost: d\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        with secure(device.board.address) as connection:
            connection.sendall(head.encode() + content[: len(content) // 2])
        device.until(
            "an end of the staging", lambda: not device.rest.get("/images")["has_staged_updates"], 120
        )
        device.until("room for the next upload", lambda: device.rest.stage(content).status == 200, 120)
        equal(device.rest.install("Manual").status, 200, "install")
        device.delete(package.component)
