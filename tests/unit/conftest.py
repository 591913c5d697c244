# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the engine's tests: scripted gateways whose every answer must be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from unit.scripted import Script, Step


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    """Makes scripts; at the test's end each of their steps must have been asked for."""
    made: list[Script] = []

    def make(*expected: Step) -> Script:
        made.append(Script(expected))
        return made[-1]

    yield make
    for each in made:
        each.finish()
