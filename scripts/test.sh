#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Runs the tests: test.sh [PATTERN]. Results as KTAP and JUnit, with all logs, in out/test.
. "$(dirname "$0")/lib.sh"

exec python3 "$TOP/tests/harness/run.py" "$@"
