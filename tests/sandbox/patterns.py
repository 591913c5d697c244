# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lua patterns of the gateway's schemas, and PCRE, as Python's regular expressions."""

from __future__ import annotations

import functools
import re

CLASSES = {
    "a": "A-Za-z",
    "c": r"\x00-\x1f\x7f",
    "d": "0-9",
    "l": "a-z",
    "p": r"!-/:-@\[-`{-~",
    "s": r" \t\n\r\f\v",
    "u": "A-Z",
    "w": "A-Za-z0-9",
    "x": "A-Fa-f0-9",
}


def _set(pattern: str, start: int) -> tuple[str, int]:
    """A bracket set that begins at `start`, translated, and the index behind it."""
    index = start + 1
    out = "["
    if pattern[index : index + 1] == "^":
        out, index = "[^", index + 1
    first = index
    while index < len(pattern) and (pattern[index] != "]" or index == first):
        char = pattern[index]
        if char == "%":
            index += 1
            out += CLASSES.get(pattern[index], re.escape(pattern[index]))
        elif char == "-" and index > first and pattern[index + 1 : index + 2] not in ("]", ""):
            out += "-"
        else:
            out += re.escape(char)
        index += 1
    return out + "]", index + 1


def _single(pattern: str, index: int) -> tuple[str, int]:
    """One item of a pattern (a class, a set or a character) and the index behind it."""
    char = pattern[index]
    if char == "[":
        return _set(pattern, index)
    if char == "%":
        letter = pattern[index + 1]
        if letter.lower() in CLASSES:
            negated = "^" if letter.isupper() else ""
            return f"[{negated}{CLASSES[letter.lower()]}]", index + 2
        return re.escape(letter), index + 2
    return ("." if char == "." else re.escape(char)), index + 1


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A Lua pattern (no balanced matches and back references) as a compiled expression."""
    index = 0
    out = ""
    if pattern.startswith("^"):
        out, index = r"\A", 1
    while index < len(pattern):
        char = pattern[index]
        if char in "()":
            out, index = out + char, index + 1
        elif char == "$" and index == len(pattern) - 1:
            out, index = out + r"\Z", index + 1
        else:
            item, index = _single(pattern, index)
            if pattern[index : index + 1] in ("*", "+", "?", "-") and index < len(pattern):
                item += {"-": "*?"}.get(pattern[index], pattern[index])
                index += 1
            out += item
    return re.compile(out, re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether `text` holds a match, as `string.match` would find it."""
    return compiled(pattern).search(text) is not None


def python_pattern(pattern: str) -> re.Pattern[str]:
    """A path's or header's PCRE as Python's: named groups and the end of the text differ.

    Raises `re.error` for what Python cannot express.
    """
    text = re.sub(r"\(\?<(?![=!])", "(?P<", pattern)
    text = re.sub(r"(?<!\\)((?:\\\\)*)\\Z", r"\1(?=\\n?\\Z)", text)
    text = re.sub(r"(?<!\\)((?:\\\\)*)\\z", r"\1\\Z", text)
    return re.compile(text, re.ASCII)
