# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Programs that others published, unmodified, against our packages and our device."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import environments
import ktap
from nacre import Nacre
from packages import sample
from places import LOGS, OUT, TOP
from process import run
from rest import AUTHORITY
from results import Result, Status, check
from session import Session
from unit import Suite

SUITE = Suite("clients")

COMPAT = TOP / "tests" / "compat"


@SUITE.unit
def published_inspector(session: Session) -> list[Result]:
    """azuresphere_imagemetadata 0.2.2 reads, verifies and writes our image packages as we do."""
    python = environments.make("inspector", TOP / "tests" / "harness" / "inspector-requirements.txt")
    all_kinds = {"MutableStorage": {"SizeKB": 8}, "Gpio": [8, 9], "AllowedConnections": ["example.com"]}
    packages = [sample("hello-rust"), sample("hello-c"), session.packages.probe("all-kinds", ["live"], all_kinds)]
    certificate = TOP / "userspace" / "image-package" / "keys" / "development-signing.crt.pem"
    command: list[object] = [python, COMPAT / "inspector" / "check_packages.py", "--certificate", certificate]
    for package in packages:
        expected = LOGS / f"{package.file.stem}.json"
        expected.write_text(json.dumps(Nacre().read("image-package", "show", "--image-package", package.file)))
        command += [package.file, expected]
    ended = run(command, 120)
    results = []
    for package in packages:
        passed = f"{package.file}: ok" in ended.output.splitlines()
        status = Status.PASSED if passed else Status.FAILED
        results.append(Result(f"clients/inspector/{package.file.stem}", status, note="" if passed else ended.errors))
    check(ended.code == 0 or not all(result.status is Status.PASSED for result in results), ended.errors)
    return results


@SUITE.unit
def published_device_api_client(_: Session) -> list[Result]:
    """azuresphere-device-api 1.1.1 deploys, starts, stops, restarts and deletes an app of ours."""
    directory = COMPAT / "device-api"
    environment = OUT / "venv" / "device-api"
    log = LOGS / "device-api-environment.log"
    made = run([sys.executable, directory / "make_environment.py", environment, AUTHORITY], 600, log=log)
    check(made.code == 0, f"no virtual environment; see {log}:\n{made.output[-2000:]}")
    # The process namespace ends the board with the client, whatever ends the client.
    unshare = ["unshare", "--net", "--pid", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        unshare.append("--map-root-user")
    client: list[object] = [environment / "bin" / "python3", directory / "published_client.py", sample("hello-c").file, "--restart"]
    inside = [sys.executable, Path(__file__).parents[1] / "in_namespace.py", LOGS / "board-client"]
    ended = run([*unshare, *inside, *client], 900, log=LOGS / "device-api-client.log")
    results = ktap.read(ended.output, "clients/device_api")
    if ended.code != 0 and not any(result.status is Status.FAILED for result in results):
        results.append(Result("clients/device_api/end", Status.FAILED, note=ended.output[-2000:]))
    return results
