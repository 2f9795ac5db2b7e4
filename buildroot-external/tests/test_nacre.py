# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Runtime tests in the shape of Buildroot's own: an image is booted, an app deployed, the machine switched off.

scripts/image.sh test runs them on the image that it built. Buildroot's runner can run them, too, and then builds the image.
NACRE names the command line tool of an app developer, NACRE_PACKAGE the image package to deploy.
"""

import os
import re
import socket
import subprocess

import infra.basetest
import pexpect

EXTERNAL = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(EXTERNAL)
MIB = 1024 * 1024


def load_config(name):
    """A configuration without its comments, which Buildroot's runner would take for settings."""
    with open(os.path.join(EXTERNAL, "configs", name)) as file:
        return "".join(line for line in file if re.match(r"(# )?BR2_", line))


def free_port():
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def erased_marks():
    """A second flash bank as it leaves the factory: each erase block with JFFS2's mark of an erased one."""
    mark = bytes.fromhex("851903200c000000b1b01ee4")
    return mark.ljust(256 * 1024, b"\xff") * (64 * MIB // (256 * 1024))


class NacreTest(infra.basetest.BRTest):
    """What the tests of one board share."""

    board = "qemu-virt"
    br2_external = [EXTERNAL]

    def image(self, name):
        return os.path.join(self.builddir, "images", name)

    def script(self, *words):
        """What scripts/image-flash.sh prints."""
        environment = {**os.environ, "BOARD": self.board, "NACRE_OUT": os.path.join(self.builddir, "scripts")}
        command = [os.path.join(TOP, "scripts", "image-flash.sh"), *words]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    def arguments(self, name):
        """The words of a machine of the board."""
        with open(os.path.join(TOP, "board", self.board, name)) as file:
            return [line.rstrip("\n") for line in file if not line.startswith("#")]

    def start(self, arguments, limit=60, **values):
        """Boots with the arguments that the board's file has, and waits until the device serves."""
        self.address = "127.0.0.1:{}".format(free_port())
        values = {"FORWARD": self.address, "APPEND": "", "QMP": os.path.join(self.builddir, "qmp"),
                  "DTB": self.image(self.board + ".dtb"), **values}
        words = self.arguments(arguments)
        for name, value in values.items():
            words = [word.replace("@{}@".format(name), str(value)) for word in words]
        kernel = words[words.index("-kernel") + 1]
        line = words[words.index("-append") + 1].split()
        # What the machine makes beside it, such as the logs of other cores, stays with the build.
        os.chdir(self.builddir)
        # Emulator brings these itself.
        for option in ("-kernel", "-append", "-serial"):
            place = words.index(option)
            del words[place:place + 2]
        words.remove("-nographic")
        self.emulator.boot(arch="armv7", kernel=kernel, kernel_cmdline=line, options=words[1:])
        self.expect(r"nacre: ready: ", limit)
        self.console = self.emulator.qemu.before

    def expect(self, pattern, limit):
        self.emulator.qemu.expect(pattern, timeout=limit * self.timeout_multiplier)

    def nacre(self, *words):
        """Runs the command line tool towards the device."""
        tool = os.environ.get("NACRE", os.path.join(TOP, "out", "host", "nacre"))
        ended = subprocess.run([tool, *words], env={**os.environ, "NACRE_DEVICE": self.address}, capture_output=True, text=True)
        self.assertEqual(ended.returncode, 0, "nacre {}: {}{}".format(" ".join(words), ended.stdout, ended.stderr))
        return ended.stdout

    def start_from_disk(self, **values):
        """Boots kernel and root as the quick loop does, with empty flash for the data."""
        data = os.path.join(self.builddir, "data.flash")
        with open(data, "wb") as file:
            file.write(erased_marks())
        self.start("qemu.args", KERNEL=self.image("zImage"), ROOTFS=self.image("rootfs.squashfs"), DATA=data, **values)

    def deploy_and_read(self):
        """Deploys the sample app through the device API and reads what it printed."""
        package = os.environ.get("NACRE_PACKAGE", self.image("hello-rust.imagepackage"))
        self.nacre("device", "sideload", "deploy", "--image-package", package)
        self.expect(r"nacre: app \S+ \(hello-rust\): started", 30)
        self.greeted()

    def greeted(self):
        """Waits for the app's words in its log."""
        shown = self.nacre("--json", "image-package", "show", "--image-package",
                           os.environ.get("NACRE_PACKAGE", self.image("hello-rust.imagepackage")))
        component = re.search(r'"componentId":\s*"([^"]+)"', shown).group(1)
        for _ in range(50 * self.timeout_multiplier):
            log = self.nacre("device", "app", "logs", "--component-id", component)
            if "Hello from Rust on Nacre!" in log:
                return
        self.fail("the app did not greet: {!r}".format(log))

    def power_off(self):
        """Presses the power button and waits until the machine is off."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(os.path.join(self.builddir, "qmp"))
            stream = control.makefile("rw")
            stream.readline()
            for command in ("qmp_capabilities", "system_powerdown"):
                stream.write('{{"execute": "{}"}}\n'.format(command))
                stream.flush()
                stream.readline()
            self.expect(r"nacre: power off", 30)
            self.expect(pexpect.EOF, 30)


class ShippingImage:
    """The tests of an image that ships."""

    def test_root_on_a_disk(self):
        """Kernel and root as the quick loop boots them."""
        self.start_from_disk()
        self.deploy_and_read()
        self.power_off()

    def test_flash_image(self):
        """Everything out of flash.img: the kernel by the manifest, the root read-only, data that outlive the power."""
        words = "\n".join(self.arguments("flash.args"))
        bank = re.search(r"@(FLASH:(\d+)M)@", words)
        table = re.search(r"@(MTDPARTS:([^:@]+):([^@]+))@", words)
        flash = os.path.join(self.builddir, "flash.bank")
        with open(self.image("flash.img"), "rb") as source, open(flash, "wb") as file:
            file.write(source.read().ljust(int(bank[2]) * MIB, b"\xff"))
        kernel = os.path.join(self.builddir, "kernel")
        self.script("kernel", flash, "a", kernel)
        parts = [line.split()[0] for line in self.script("parts").splitlines()]
        values = {"KERNEL": kernel, bank[1]: flash, table[1]: self.script("mtdparts", table[2], table[3]),
                  "ROOT": parts.index("root-a")}
        self.start("flash.args", **values)
        self.deploy_and_read()
        self.power_off()
        # The app is still there, and starts by itself.
        self.start("flash.args", **values)
        self.greeted()
        self.power_off()


class ImageForTests:
    """The tests of an image whose kernel watches and tests itself."""

    def test_kernel_tests_itself(self):
        """The kernel's own tests pass at boot, it finds no fault in itself, and the sample beside the image runs on it."""
        self.start_from_disk(limit=600, APPEND="loglevel=7")
        self.assertRegex(self.console, r"(?m)^(\[.*?\] )?ok \d+ \w*nacre\w*\s*$")
        self.assertNotIn("not ok ", self.console)
        self.deploy_and_read()
        self.power_off()
        for fault in ("WARNING:", "BUG:", "possible circular locking", "INFO: task"):
            self.assertNotIn(fault, self.console + self.emulator.qemu.before)


class TestNacreQemuVirt(ShippingImage, NacreTest):
    config = load_config("nacre_qemu_virt_defconfig")


class TestNacreQemuVirtTest(ImageForTests, NacreTest):
    config = load_config("nacre_qemu_virt_test_defconfig")


class TestNacreMt3620(ShippingImage, NacreTest):
    config = load_config("nacre_mt3620_defconfig")
    board = "mt3620"


class TestNacreMt3620Test(ImageForTests, NacreTest):
    config = load_config("nacre_mt3620_test_defconfig")
    board = "mt3620"
