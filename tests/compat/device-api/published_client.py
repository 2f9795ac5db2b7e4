# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Drives a device at 192.168.35.2:443 with the published client azuresphere-device-api 1.1.1; prints KTAP.

Run it with the Python of an environment made by make_environment.py, where 192.168.35.2 is reachable. Ends with exit
code 0 when every test passed, 1 when one failed. Apps on the device that are not in the package stay untouched.
"""

import argparse
import pathlib
import signal
import struct
import sys
import tempfile
import time
import uuid

import azuresphere_device_api
from azuresphere_device_api import app, capabilities, device, exceptions, image, manufacturing, sideload

from make_environment import modified_files

UNKNOWN_ID = "0b4d8d3c-5a6e-4f0a-9a5e-000000000001"
NOT_PRESENT = "Application is not present"
NOT_STAGED = "Image could not be staged"
NOT_TRUSTED = "Image not trusted by device"
# 16.3, which the client has no words for: the file system's checksum is wrong.
INVALID_IMAGE = "Unknown device error: 16777219"
SIGNATURE_SIZE = 64
RESTART_SECONDS = 180
STATE_SECONDS = 60
# The client itself waits for ever.
TEST_SECONDS = 240


def component_of(package: bytes) -> str:
    """The component id in the metadata block in front of the signature."""
    length_at = len(package) - SIGNATURE_SIZE - 4
    (length,) = struct.unpack_from("<I", package, length_at)
    block = package[length_at + 4 - length : length_at + 4]
    magic, sections = struct.unpack_from("<4sI", block)
    if magic != b"4X4M":
        raise ValueError("not an image package")
    offset = 8
    for _ in range(sections):
        name, size = struct.unpack_from("<2sH", block, offset)
        if name == b"ID":
            return str(uuid.UUID(bytes_le=block[offset + 8 : offset + 24]))
        offset += 4 + size
    raise ValueError("the package has no ID section")


def expect(found, wanted):
    """Fails the test when the two differ."""
    if found != wanted:
        raise AssertionError(f"expected {wanted!r}, found {found!r}")


def expect_refused(words, call, *arguments):
    """Fails the test unless the client raises one of its own errors with these words, or one of these texts."""
    texts = (words,) if isinstance(words, str) else words
    try:
        found = call(*arguments)
    except exceptions.AzureSphereDeviceApiException as error:
        if not any(text in str(error) for text in texts):
            raise AssertionError(f"expected {words!r} in the error {str(error)!r}") from error
        return
    raise AssertionError(f"expected a refusal with {words!r}, found {found!r}")


class Tests:
    """The tests in the order in which they run; each leaves the device as the next one needs it."""

    def __init__(self, package: pathlib.Path, restart: bool):
        self.path = str(package)
        self.bytes = package.read_bytes()
        self.component = component_of(self.bytes)
        self.restart = restart

    def state(self) -> str:
        return app.get_app_status(self.component)["state"]

    def wait_for_state(self, wanted: str):
        until = time.monotonic() + STATE_SECONDS
        while self.state() != wanted and time.monotonic() < until:
            time.sleep(0.1)
        expect(self.state(), wanted)

    def listed(self) -> list:
        return [entry for entry in image.get_images()["components"] if entry["uid"] == self.component]

    def stage_changed(self, words, package: bytes):
        with tempfile.NamedTemporaryFile(suffix=".imagepackage") as file:
            file.write(package)
            file.flush()
            expect_refused(words, sideload.stage_image, file.name)
        expect(image.get_images()["has_staged_updates"], False)
        expect(self.state(), "running")

    def test_client_is_the_published_one(self):
        site = pathlib.Path(azuresphere_device_api.__file__).parent.parent
        expect(modified_files(site), [])

    def test_interface_version(self):
        expect(device.get_device_rest_api_version(), {"REST-API-Version": "4.6.0"})

    def test_uptime_grows(self):
        before = device.get_device_status()["uptime"]
        time.sleep(1.1)
        after = device.get_device_status()["uptime"]
        if not before < after:
            raise AssertionError(f"uptime went from {before} to {after}")

    def test_os_version_is_a_text(self):
        expect(bool(device.get_device_os_version()["osversion"]), True)

    def test_device_is_unlocked_for_development(self):
        expect(11 in capabilities.get_device_capabilities()["device_capabilities"], True)

    def test_log_is_not_empty(self):
        log = device.get_diagnostic_log()
        expect((type(log), bool(log)), (bytes, True))

    def test_delete_before_deploying_leaves_nothing(self):
        expect(sideload.delete_image(self.component), {})
        expect(self.state(), "notPresent")
        expect(self.listed(), [])

    def test_unknown_id_is_not_present(self):
        expect(app.get_app_status(UNKNOWN_ID), {"state": "notPresent"})
        expect(app.get_app_status(UNKNOWN_ID.upper()), {"state": "notPresent"})

    def test_unknown_id_has_no_quota(self):
        expect_refused(NOT_PRESENT, app.get_app_quota, UNKNOWN_ID)

    def test_unknown_id_cannot_start_or_stop(self):
        words = "being in a conflicting state. " + NOT_PRESENT
        expect_refused(words, app.set_app_status, UNKNOWN_ID, "start")
        expect_refused(words, app.set_app_status, UNKNOWN_ID, "stop")

    def test_unknown_id_can_be_deleted(self):
        expect(sideload.delete_image(UNKNOWN_ID), {})

    def test_absent_part_of_the_interface_is_unavailable(self):
        expect_refused("This resource is unavailable on this device", manufacturing.get_device_manufacturing_state)

    def test_install_with_nothing_staged_is_no_error(self):
        expect(sideload.install_images(), {})

    def test_staged_app_is_not_present_yet(self):
        expect(sideload.stage_image(self.path), {})
        expect(self.state(), "notPresent")
        expect(image.get_images()["has_staged_updates"], True)

    def test_installed_app_runs(self):
        expect(sideload.install_images(), {})
        self.wait_for_state("running")
        expect(app.get_app_status(self.component.upper()), {"state": "running"})

    def test_installed_app_is_listed(self):
        images = image.get_images()
        for key in ("has_staged_updates", "is_ota_update_in_progress", "restart_required"):
            expect((key, images[key]), (key, False))
        (entry,) = self.listed()
        expect((entry["image_type"], entry["is_update_staged"]), (10, False))
        (only,) = entry["images"]
        expect(only["length_in_bytes"], len(self.bytes))
        expect(type(only["replica_type"]), int)

    def test_quota_has_numbers(self):
        quota = app.get_app_quota(self.component)
        expect(sorted(quota), ["LimitKB", "UsageKB"])
        expect({type(number) for number in quota.values()}, {int})

    def test_memory_statistics_have_numbers(self):
        numbers = app.get_memory_statistics()["memoryStats"]
        wanted = ["currentMemoryUsageInBytes", "peakUserModeMemoryUsageInBytes", "userModeMemoryUsageInBytes"]
        expect(sorted(numbers), wanted)

    def test_app_stops(self):
        expect(app.set_app_status(self.component, "stop"), {"state": "stopped"})
        self.wait_for_state("stopped")

    def test_stopped_app_can_be_stopped_again(self):
        expect(app.set_app_status(self.component, "stop"), {"state": "stopped"})

    def test_app_starts(self):
        expect(app.set_app_status(self.component, "start"), {"state": "running"})
        self.wait_for_state("running")

    def test_running_app_can_be_started_again(self):
        expect(app.set_app_status(self.component, "start"), {"state": "running"})

    def test_debugger_is_not_on_the_device(self):
        words = "Debugging server is not present on device"
        expect_refused(words, app.set_app_status, self.component, "startDebug")
        expect(app.set_app_status(self.component, "start"), {"state": "running"})

    def test_changed_signature_is_refused(self):
        changed = bytearray(self.bytes)
        changed[-1] ^= 1
        self.stage_changed(NOT_TRUSTED, bytes(changed))

    def test_changed_content_is_refused(self):
        changed = bytearray(self.bytes)
        changed[4096] ^= 1
        self.stage_changed((NOT_TRUSTED, INVALID_IMAGE), bytes(changed))

    def test_cut_package_is_refused(self):
        self.stage_changed((NOT_STAGED, NOT_TRUSTED, INVALID_IMAGE), self.bytes[:-1])

    def test_file_that_is_no_package_is_refused(self):
        self.stage_changed(NOT_STAGED, b"no image package" * 300)

    def test_manual_install_does_not_start(self):
        expect(sideload.stage_image(self.path), {})
        expect(sideload.install_images("Manual"), {})
        self.wait_for_state("stopped")
        expect(app.set_app_status(self.component, "start"), {"state": "running"})

    def test_restart_keeps_the_app(self):
        if not self.restart:
            return "a restart was not asked for"
        time.sleep(3)
        asked = time.monotonic()
        expect(device.restart_device(), {"restartingSystem": True})
        until = asked + RESTART_SECONDS
        while True:
            try:
                # A device that is slow to answer may be up for longer than it was before, but not since before it was asked.
                if time.monotonic() - device.get_device_status()["uptime"] > asked - 1:
                    break
            except exceptions.AzureSphereDeviceApiException:
                pass
            if time.monotonic() > until:
                raise AssertionError(f"the device is not back after {RESTART_SECONDS} s")
            time.sleep(0.25)
        self.wait_for_state("running")
        return None

    def test_deleted_app_is_gone(self):
        expect(sideload.delete_image(self.component), {})
        expect(self.state(), "notPresent")
        expect(self.listed(), [])
        expect_refused(NOT_PRESENT, app.get_app_quota, self.component)


def out_of_time(*_):
    """Ends a test that hangs; the next one goes on."""
    raise TimeoutError(f"no result after {TEST_SECONDS} s")


def run(tests: Tests) -> int:
    """Runs all tests and prints their results; returns how many failed."""
    signal.signal(signal.SIGALRM, out_of_time)
    names = [name for name in vars(Tests) if name.startswith("test_")]
    print(f"KTAP version 1\n1..{len(names)}", flush=True)
    failed = 0
    for number, name in enumerate(names, 1):
        title = name.removeprefix("test_")
        signal.alarm(TEST_SECONDS)
        try:
            skipped = getattr(tests, name)()
        except Exception as error:  # whatever the client raises is the result of the test
            failed += 1
            for line in f"{type(error).__name__}: {error}".splitlines():
                print(f"# {line}")
            print(f"not ok {number} {title}", flush=True)
        else:
            print(f"ok {number} {title}" + (f" # SKIP {skipped}" if skipped else ""), flush=True)
    signal.alarm(0)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=pathlib.Path, help="an image package that the device trusts")
    parser.add_argument("--restart", action="store_true", help="restart the device in one of the tests")
    options = parser.parse_args()
    try:
        tests = Tests(options.package, options.restart)
    except (OSError, ValueError, struct.error) as error:
        print(f"published_client: {options.package}: {error}", file=sys.stderr)
        return 2
    return 1 if run(tests) else 0


if __name__ == "__main__":
    sys.exit(main())
