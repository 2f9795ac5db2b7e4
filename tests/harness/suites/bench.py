# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Prices: what was counted is right, repeats, and has not grown beyond its gate."""

from __future__ import annotations

import json
import sys

import own
from places import LOGS, OUT, TOP
from process import build_environment, run
from results import Result, Skip, check, equal
from session import Session
from unit import Suite

SUITE = Suite("bench")

HERE = TOP / "tests" / "bench"


@SUITE.unit
def own_tests(_: Session) -> list[Result]:
    """What counts, what makes prices and what judges them is right, and refuses what it must."""
    return own.tests_of(HERE, "bench")


@SUITE.unit
def no_price_grew(_: Session) -> None:
    """Two boots count the same, bit for bit, and no price is beyond its gate; with a cheaper baseline the gate closes."""
    ended = run([TOP / "scripts" / "bench.sh", "--no-page"], 3600, environment=build_environment(), log=LOGS / "bench.log")
    if ended.code == 2:
        raise Skip(f"the baseline was counted with other tools, see {LOGS / 'bench.log'}")
    check(ended.code == 0, ended.output[-3000:])
    counted = json.loads((OUT / "bench" / "bench.json").read_text())
    doctored = {"tools": counted["tools"], "prices": {key: value * 0.9 for key, value in counted["prices"].items()}}
    file = OUT / "bench" / "doctored.json"
    file.write_text(json.dumps(doctored))
    compare = "import measure, pathlib, sys; measure.BASELINE = pathlib.Path(sys.argv[1]); sys.exit(measure.again())"
    environment = {"PYTHONPATH": f"{TOP / 'tests' / 'harness'}:{HERE}"}
    ended = run([sys.executable, "-c", compare, file], 120, environment=environment)
    equal(ended.code, 1, f"code with a baseline that is a tenth cheaper ({ended.errors})")
    missed = [key for key in counted["prices"] if f"\n  {key} " not in ended.errors]
    check(not missed, f"the gate did not close for {missed}:\n{ended.errors}")
