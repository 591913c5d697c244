# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What decK makes of a state file the collection makes, too, and each reads the other's dumps.

Each file of DECK_FILES, a directory, or of the project goes through both on an empty gateway.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from harness.deck import MISSING, deck_program
from harness.gateway import Gateway
from harness.paths import ROOT
from harness.round_trip import DeckRefusedError, RoundTrip, differences, is_state_file

PROGRAM = deck_program()
FOLDER = Path(os.environ.get("DECK_FILES") or ROOT / "tests/fixtures/deck")
FILES = sorted(path for path in FOLDER.rglob("*.*") if is_state_file(path))
# What is refused though decK takes it: our message, and why.
ON_PURPOSE = {
    r"consistent-hashing needs hash_on": "decK never settles on what the gateway makes of it",
}
# The values of variables in the project's files have every sign that means something to YAML.
VARIABLES = {
    "DECK_DIGITS": "00123", "DECK_WORD": "null", "DECK_SIGNS": "pa #ss: '\"\\x{[%&*",
    "DECK_LINES": "one\n  two\n\nthree\n",
}  # fmt: skip

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


@pytest.fixture
def trip(gateway: Gateway, tmp_path: Path, pems: dict[str, str]) -> RoundTrip:
    """Both clients, on a gateway that holds nothing."""
    texts = {
        "DECK_CERTIFICATE": pems["<cert 1>"],
        "DECK_KEY": pems["<key 1>"],
        "DECK_AUTHORITY": pems["<cert 2>"],
    }
    made = {name: value for name, value in os.environ.items() if name.startswith("DECK_")}
    made.pop("DECK_FILES", None)
    return RoundTrip(str(PROGRAM), gateway, tmp_path, {**VARIABLES, **texts, **made})


@pytest.fixture(scope="session", autouse=True)
def _is_ours(_gateway: Gateway) -> None:
    """These tests empty the gateway, so it has to be empty."""
    if any(_gateway.entities(f"/{path}") for path in ("services", "upstreams", "consumers")):
        pytest.skip("the gateway is not empty, and these tests would empty it")


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_both_clients_agree_on_a_file(trip: RoundTrip, file: Path) -> None:
    try:
        trip.deck("sync", file)
    except DeckRefusedError as exc:
        trip.empty()
        found = trip.ours(file, check=True)
        trip.empty()
        assert found.get("failed"), f"only decK refuses it: {exc}"
        assert found["msg"].strip() and "Traceback" not in found["msg"]
        return
    try:
        problems = differences(trip, file)
    finally:
        trip.empty()
    for message, reason in ON_PURPOSE.items():
        if any(re.search(message, problem) for problem in problems):
            pytest.skip(reason)
    assert problems == []
