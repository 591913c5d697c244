# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``blue_green_steps``; its documentation is the YAML file of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.module_utils._address import normalise_address
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError

_WEIGHT = 100


def blue_green_steps(
    blue: Sequence[Mapping[str, Any]],
    green: Sequence[Mapping[str, Any]],
    percents: Sequence[int] = (10, 50, 100),
    found: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The weights of each step and of the way back, as options ``targets`` of ``kong_target``.

    What rises goes first in each step, so that there is weight at any time.

    :param found: the targets that the upstream has, with their weights.
    :raises AnsibleFilterError: a set is empty, both have a target, or percents do not rise to 100.
    """
    _refuse_unusable(blue, green, percents)
    steps = [
        {
            "percent": int(percent),
            "rising": [_weighted(each, int(percent)) for each in green],
            "falling": [_weighted(each, 100 - int(percent)) for each in blue],
        }
        for percent in percents
    ]
    stored = {each["target"]: each["weight"] for each in found}
    back = {
        name: [{**each, "weight": stored.get(each["target"], 0)} for each in targets]
        for name, targets in (("rising", blue), ("falling", green))
    }
    return {"steps": steps, "back": {"percent": 0, **back}}


def _refuse_unusable(
    blue: Sequence[Mapping[str, Any]], green: Sequence[Mapping[str, Any]], percents: Sequence[int]
) -> None:
    for name, targets in (("blue", blue), ("green", green)):
        if not targets:
            raise AnsibleFilterError(f"{name} has no targets")
    try:
        addresses = [
            {normalise_address(str(each["target"])) for each in targets}
            for targets in (blue, green)
        ]
    except InputError as exc:
        raise AnsibleFilterError(exc.message) from exc
    both = addresses[0] & addresses[1]
    if both:
        raise AnsibleFilterError(f"blue and green both have the target {min(both)}")
    numbers = [int(each) for each in percents]
    rising = all(one < other for one, other in zip([0, *numbers], numbers))
    if not rising or numbers[-1:] != [100]:
        raise AnsibleFilterError(f"percents must rise from above 0 to 100, got {numbers}")


def _weighted(target: Mapping[str, Any], percent: int) -> dict[str, Any]:
    """A target with its part of its own weight; a small part is still one."""
    whole = int(target.get("weight", _WEIGHT))
    weight = max(1, round(whole * percent / 100)) if percent and whole else 0
    return {**target, "weight": weight}


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"blue_green_steps": blue_green_steps}
