# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Makes the virtual environment of the published device API client, with our authority in the place of Microsoft's.

The client pins the certificate authority in a file of its own package; that file is replaced, nothing else is.
"""

import argparse
import base64
import csv
import hashlib
import pathlib
import shutil
import subprocess
import sys
import venv

REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")
AUTHORITY = "azuresphere_device_api/certs/device_rest_api_certificate.pem"
RECORD = "azuresphere_device_api-1.1.1.dist-info/RECORD"


def make_environment(directory: pathlib.Path, authority: pathlib.Path) -> pathlib.Path:
    """Makes the environment in a directory, or brings one that is there up to date; returns its Python.

    Asks the package index only when something is missing. Raises CalledProcessError when the installation fails.
    """
    python = directory / "bin" / "python3"
    stamp = directory / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not python.exists() or not stamp.exists() or stamp.read_text(encoding="ascii") != wanted:
        shutil.rmtree(directory, ignore_errors=True)
        venv.create(directory, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--only-binary", ":all:", "--requirement", str(REQUIREMENTS)]
        subprocess.run(command, check=True)
        stamp.write_text(wanted, encoding="ascii")
    shutil.copyfile(authority, site_packages(directory) / AUTHORITY)
    return python


def site_packages(directory: pathlib.Path) -> pathlib.Path:
    """The folder of the environment that packages are installed in."""
    return next((directory / "lib").glob("python3.*/site-packages"))


def modified_files(site: pathlib.Path) -> list:
    """The files of the client that differ from what its publisher recorded, the authority left out."""
    modified = []
    with open(site / RECORD, newline="", encoding="utf-8") as record:
        for path, digest, _ in csv.reader(record):
            if not path.endswith((".py", ".pem")) or path == AUTHORITY:
                continue
            found = hashlib.sha256((site / path).read_bytes()).digest()
            if digest != "sha256=" + base64.urlsafe_b64encode(found).rstrip(b"=").decode("ascii"):
                modified.append(path)
    return modified


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path, help="where to make the environment")
    parser.add_argument("authority", type=pathlib.Path, help="PEM file of the authority that signed the device's certificate")
    options = parser.parse_args()
    try:
        print(make_environment(options.directory, options.authority))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"make_environment: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
