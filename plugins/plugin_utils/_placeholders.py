# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Placeholders of state files: ``${{ env "DECK_HOST" }}``, put into the text before it is YAML.

PRIVATE to the collection: it can change in any release.

decK renders whole Go templates; here it is what state files use of them: ``env``, ``toInt``,
``toFloat``, ``toBool`` and ``indent``, with pipes and parentheses. No message shows a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from ..module_utils._errors import InputError

PREFIX = "DECK_"
OPENING = "${{"

_Value = Union[str, bool, int, float]
_QUOTED = r'"(?:[^"\\\n]|\\.)*"|`[^`]*`'
_REST = re.compile(rf"((?:{_QUOTED}|(?!}}}})[^\"`])*)}}}}")
_TOKEN = re.compile(
    rf"\s*(?:(?P<text>{_QUOTED})|(?P<number>\d+)\b|(?P<word>[A-Za-z]\w*)|(?P<mark>[|()])|(?P<rest>\S))"
)
# The words of Go's strconv.ParseBool.
_BOOLS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_TAKES: dict[str, tuple[type, ...]] = {
    "env": (str,),
    "toBool": (str,),
    "toInt": (str,),
    "toFloat": (str,),
    "indent": (int, str),
}
_USAGE = {
    "env": 'the name of a variable: env "DECK_HOST"',
    "indent": "a number of spaces and a text: indent 8",
}


@dataclass(frozen=True)
class Rendered:
    """A text without placeholders.

    :param lines: for each line of the text the line of the file that it comes from, from 1.
    """

    text: str
    lines: tuple[int, ...]

    def line(self, index: int) -> int:
        """The file's line of a line of the text, counted from 0; behind the last it is the last."""
        return self.lines[min(index, len(self.lines) - 1)]


def render(text: str, name: str, environment: Mapping[str, str]) -> Rendered:
    """Replace each placeholder that does not stand in a line beginning with ``#``.

    :param name: the file, for messages.
    :raises InputError: an unset variable, one without the prefix, a value of another type, or
        anything else of Go's templates.
    """
    parts: list[str] = []
    lines = [1]
    line, position = 1, 0
    for start, end in _placeholders(text, name):
        before, expression = text[position:start], text[start:end]
        value = ""
        lines += range(line + 1, line + 1 + before.count("\n"))
        line += before.count("\n")
        if expression.startswith(OPENING):
            value = _shown(_Expression(expression, f"{name}:{line}", environment).value())
        lines += [line] * value.count("\n")
        line += expression.count("\n")
        parts += [before, value]
        position = end
    rest = text[position:]
    lines += range(line + 1, line + 1 + rest.count("\n"))
    return Rendered("".join([*parts, rest]), tuple(lines))


def _placeholders(text: str, name: str) -> list[tuple[int, int]]:
    """Where placeholders begin and end; an open one is an error."""
    found = []
    start = text.find(OPENING)
    while start >= 0:
        if text[text.rfind("\n", 0, start) + 1 : start].lstrip().startswith("#"):
            end = text.find("\n", start)
            start = text.find(OPENING, end) if end >= 0 else -1
            continue
        closed = _REST.match(text, start + len(OPENING))
        if closed is None:
            line = text.count("\n", 0, start) + 1
            raise InputError(f"{name}:{line}: a placeholder begins with ${{{{ and has no end")
        found.append((start, closed.end()))
        start = text.find(OPENING, closed.end())
    return found


def _shown(value: _Value) -> str:
    """As Go prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


class _Expression:
    """What stands between the braces, read from left to right."""

    def __init__(self, text: str, where: str, environment: Mapping[str, str]) -> None:
        self._where = where
        self._environment = environment
        self._variables: list[str] = []
        inside = text[len(OPENING) : -len("}}")].rstrip()
        self._tokens = [
            (str(each.lastgroup), each[str(each.lastgroup)]) for each in _TOKEN.finditer(inside)
        ]

    def value(self) -> _Value:
        if not self._tokens:
            raise self._error("the placeholder is empty")
        value = self._pipeline()
        if self._tokens:
            raise self._foreign()
        return value

    def _pipeline(self) -> _Value:
        value = self._command([])
        while self._next("|"):
            value = self._command([value])
        return value

    def _command(self, piped: list[_Value]) -> _Value:
        kind, function = self._tokens[0] if self._tokens else ("", "")
        if kind != "word" or function not in _TAKES:
            raise self._foreign()
        self._tokens.pop(0)
        arguments: list[_Value] = []
        while self._tokens and self._tokens[0][1] not in ("|", ")"):
            arguments.append(self._operand())
        arguments += piped
        if tuple(map(type, arguments)) != _TAKES[function]:
            raise self._error(f"{function} takes {_USAGE.get(function, 'one text')}")
        return self._call(function, arguments)

    def _operand(self) -> _Value:
        if self._next("("):
            value = self._pipeline()
            if not self._next(")"):
                raise self._error("a parenthesis is not closed")
            return value
        kind, token = self._tokens[0]
        if kind == "number":
            self._tokens.pop(0)
            return int(token)
        if kind != "text":
            raise self._foreign()
        self._tokens.pop(0)
        try:
            return token[1:-1] if token.startswith("`") else str(json.loads(token))
        except ValueError:
            raise self._error("a text has an escape that is not known here") from None

    def _call(self, function: str, arguments: list[Any]) -> _Value:
        if function == "env":
            return self._variable(arguments[0])
        if function == "indent":
            spaces, text = arguments
            return str(text).replace("\n", "\n" + " " * spaces)
        text = arguments[0]
        if function == "toBool" and text in _BOOLS:
            return _BOOLS[text]
        if function == "toInt" and re.fullmatch(r"[-+]?[0-9]+", text):
            return int(text)
        if function == "toFloat" and re.fullmatch(
            r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", text
        ):
            return float(text)
        wanted = {"toBool": "true or false", "toInt": "a whole number", "toFloat": "a number"}
        of = f" of {self._variables[-1]}" if self._variables else ""
        raise self._error(f"{function} wants {wanted[function]}, and the value{of} is none")

    def _variable(self, name: str) -> str:
        if not name.startswith(PREFIX):
            raise self._error(f"names of environment variables must begin with {PREFIX}: {name}")
        if name not in self._environment:
            raise self._error(f"the environment variable {name} is not set")
        self._variables.append(name)
        return self._environment[name]

    def _next(self, mark: str) -> bool:
        """Go on behind ``mark``, if that comes next."""
        if self._tokens[:1] != [("mark", mark)]:
            return False
        self._tokens.pop(0)
        return True

    def _foreign(self) -> InputError:
        kind, token = self._tokens[0] if self._tokens else ("", "")
        if not kind:
            return self._error("the placeholder ends where a function is expected")
        # A text can be a secret, and only parts of the language can be named.
        what = "a text without a function" if kind == "text" else token
        return self._error(
            f"{what} cannot stand here: of Go's templates, state files may use env, toInt, "
            "toFloat, toBool, indent, pipes and parentheses"
        )

    def _error(self, message: str) -> InputError:
        return InputError(f"{self._where}: {message}")
