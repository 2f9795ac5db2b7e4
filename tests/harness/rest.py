# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The device API over TLS, for what the command line tool does not do: odd requests and raw answers."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any

from places import TOP, seconds

# The address in the device's certificate, whatever the way that leads there.
DEVICE_ADDRESS = "192.168.35.2"
AUTHORITY = TOP / "board" / "common" / "keys" / "device-ca.crt.pem"
JSON = "application/json"
OCTETS = "application/octet-stream"


@dataclass(frozen=True)
class Answer:
    """Status and body of one answer."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def error(self) -> int | None:
        """The device error number, when the body has one."""
        try:
            value = self.json()
        except ValueError:
            return None
        return value.get("error") if isinstance(value, dict) else None

    def detail(self) -> str:
        """The line in words of a refusal."""
        return str(self.json().get("detail", ""))


def secure(address: str, limit: float = 30) -> ssl.SSLSocket:
    """A TLS connection to the device, its certificate checked."""
    host, port = address.rsplit(":", 1)
    context = ssl.create_default_context(cafile=str(AUTHORITY))
    plain = socket.create_connection((host, int(port)), timeout=seconds(limit))
    try:
        return context.wrap_socket(plain, server_hostname=DEVICE_ADDRESS)
    except BaseException:
        plain.close()
        raise


class _Connection(http.client.HTTPConnection):
    """An HTTP connection over an open TLS socket."""

    def __init__(self, address: str, limit: float) -> None:
        super().__init__(DEVICE_ADDRESS)
        self._address = address
        self._limit = limit

    def connect(self) -> None:
        self.sock = secure(self._address, self._limit)


class Rest:
    """Requests to one device, each on a connection of its own."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        media: str | None = None,
        limit: float = 60,
    ) -> Answer:
        """One request and its answer."""
        connection = _Connection(self.address, limit)
        try:
            headers = {"Content-Type": media} if media else {}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """The JSON of a resource that must be there."""
        answer = self.ask("GET", path)
        if answer.status != 200:
            raise AssertionError(f"GET {path}: status {answer.status}: {answer.body!r}")
        return answer.json()

    def serves(self) -> bool:
        """Whether the device answers at all."""
        try:
            return self.ask("GET", "/status", limit=20).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def stage(self, package: bytes) -> Answer:
        """Stages an image package."""
        return self.ask("PUT", "/update/stage", package, OCTETS)

    def install(self, mode: str = "Auto") -> Answer:
        """Installs what is staged."""
        body = json.dumps({"appControlMode": mode}).encode()
        return self.ask("POST", "/update/install", body, JSON)

    def control(self, component: str, trigger: str) -> Answer:
        """Starts or stops an app."""
        return self.ask("PATCH", f"/app/status/{component}", json.dumps({"trigger": trigger}).encode(), JSON)
