# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules for every value that is sent to a gateway. Pure.

Private to the collection.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ._errors import InputError

SIGNIFICANT_DIGITS = 14
_END_OF_PEM = re.compile(r"-----END [A-Z0-9 ]+-----\s*\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")


def stored_number(value: float) -> float:
    """A number as a gateway keeps it: 14 significant digits, integral ones as integers.

    Source: gateway 3.9.1 returns ``33.333333333333`` for a written ``33.333333333333336``.

    :raises InputError: JSON has no such number.
    """
    if isinstance(value, int) and abs(value) < 10**SIGNIFICANT_DIGITS:
        return value
    try:
        rounded = float(f"{float(value):.{SIGNIFICANT_DIGITS}g}")
    except OverflowError:
        rounded = math.inf
    if not math.isfinite(rounded):
        raise InputError("must be a finite number")
    return int(rounded) if rounded.is_integer() else rounded


def as_stored(value: Any, at: str) -> Any:
    """``value`` with its numbers as a gateway keeps them, at any depth.

    :param at: its path, for messages.
    :raises InputError: JSON has no such value: an infinite number, a lone surrogate.
    """
    if isinstance(value, str):
        _refuse_surrogates(value, at)
        return value
    if isinstance(value, Mapping):
        for key in value:
            _refuse_surrogates(key, f"a key of {at}")
        return {key: as_stored(item, f"{at}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [as_stored(item, f"{at}.{position}") for position, item in enumerate(value, 1)]
    if _is_number(value):
        try:
            return stored_number(value)
        except InputError as exc:
            raise InputError(f"{at} {exc.message}") from exc
    return value


def map_scalars(value: Any, convert: Callable[[Any], Any]) -> Any:
    """A copy of a value with each of its scalars converted, at any depth; keys stay."""
    if isinstance(value, list):
        return [map_scalars(item, convert) for item in value]
    # The check for a mapping takes longer than all others.
    if not isinstance(value, str) and isinstance(value, Mapping):
        return {key: map_scalars(item, convert) for key, item in value.items()}
    return convert(value)


def same_value(value: Any) -> Any:
    """A form in which values are equal that a gateway keeps alike, at any depth.

    Numbers are equal to 14 digits, and white space after a PEM text makes no difference.
    """
    return map_scalars(value, _same_scalar)


def _same_scalar(value: Any) -> Any:
    if isinstance(value, str):
        return value.rstrip() if _END_OF_PEM.search(value) else value
    return stored_number(value) if _is_number(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _refuse_surrogates(value: Any, at: str) -> None:
    """Python strings can contain them, UTF-8 cannot."""
    if isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
        raise InputError(f"{at} contains a lone surrogate, which is not valid Unicode")
