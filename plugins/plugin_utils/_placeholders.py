# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Placeholders of state files: ``${{ env "DECK_HOST" }}``, and the values that take their places.

decK renders whole Go templates; here it is what state files use of them: ``env``, ``toInt``,
``toFloat``, ``toBool``, ``indent``, ``printf "%q"`` and ``js``, with pipes and parentheses. Values
are put in after the text was read as YAML, so that no sign in a value can mean something to YAML.
No message shows a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
    "printf": (str, str),
    "js": (str,),
}
_USAGE = {
    "env": 'the name of a variable: env "DECK_HOST"',
    "indent": "a number of spaces and a string: indent 8",
    "printf": 'the format %q and a string: printf "%q"',
}
# Private characters, for marks that stand for placeholders while the text is read as YAML.
_SIGNS = "".join(map(chr, range(0xE000, 0xF900)))


class Inserted(str):
    """What a placeholder gives, as decK puts it into the text of the file."""

    # The value itself.
    raw: str
    # Whether it is a string of YAML, or its inside, as ``printf "%q"`` and ``js`` write the value.
    is_escaped: bool
    # Whether that is a quoted string.
    is_quoted: bool

    def __new__(
        cls, text: str, raw: str, is_escaped: bool = False, is_quoted: bool = False
    ) -> Inserted:
        made = super().__new__(cls, text)
        made.raw, made.is_escaped, made.is_quoted = raw, is_escaped, is_quoted
        return made


def _raw(text: str) -> str:
    return text.raw if isinstance(text, Inserted) else text


@dataclass(frozen=True)
class Rendered:
    """A text with marks in place of its placeholders.

    :param lines: for each line of the text the line of the file that it comes from, from 1.
    :param values: what the marks stand for.
    :param sign: the character that begins and ends each mark.
    """

    text: str
    lines: tuple[int, ...]
    values: Mapping[str, Inserted] = field(default_factory=dict)
    sign: str = _SIGNS[0]

    def line(self, index: int) -> int:
        """The file's line of a line of the text, counted from 0; behind the last it is the last."""
        return self.lines[min(index, len(self.lines) - 1)]

    def inserted(self, text: str) -> list[Inserted]:
        """What is put into a text of the file."""
        return [self.values[mark] for mark in self._split(text)[1::2]]

    def filled(self, text: str, value_of: Callable[[Inserted], str] = _raw) -> str:
        """A text of the file with its values."""
        parts = self._split(text)
        parts[1::2] = [value_of(self.values[mark]) for mark in parts[1::2]]
        return "".join(parts)

    def _split(self, text: str) -> list[str]:
        """In turn what stands before a mark and the mark; what comes last is no mark."""
        if self.sign not in text:
            return [text]
        return re.split(f"({self.sign}[0-9]+{self.sign})", text)

    def with_structure(self) -> Rendered | None:
        """With the values of those placeholders in the text that make up lines of their own.

        decK puts values in before it reads YAML, so a value can be a whole part of a document.

        :return: None where there is no such value.
        """
        texts: list[str] = []
        lines: list[int] = []
        for number, line in zip(self.lines, self.text.split("\n")):
            value = self.values.get(line.strip())
            is_part = value is not None and re.search(r"\n|:( |$)|^- ", value)
            own = line.replace(line.strip(), value) if value is not None and is_part else line
            texts.append(own)
            lines += [number] * (own.count("\n") + 1)
        text = "\n".join(texts)
        return None if text == self.text else replace(self, text=text, lines=tuple(lines))


def render(text: str, name: str, environment: Mapping[str, str]) -> Rendered:
    """Find the value of each placeholder that does not stand in a line beginning with ``#``.

    :param name: the file, for messages.
    :raises InputError: an unset variable, one without the prefix, a value of another type, or
        anything else of Go's templates.
    """
    sign = next(each for each in _SIGNS if each not in text)
    parts: list[str] = []
    values: dict[str, Inserted] = {}
    lines = [1]
    line, position = 1, 0
    for start, end in _placeholders(text, name):
        before, expression = text[position:start], text[start:end]
        lines += range(line + 1, line + 1 + before.count("\n"))
        line += before.count("\n")
        key = f"{sign}{len(values)}{sign}"
        values[key] = _Expression(expression, f"{name}:{line}", environment).inserted()
        line += expression.count("\n")
        parts += [before, key]
        position = end
    rest = text[position:]
    lines += range(line + 1, line + 1 + rest.count("\n"))
    return Rendered("".join([*parts, rest]), tuple(lines), values, sign)


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
            raise InputError(f"{name}:{line}: a placeholder that begins with ${{{{ is not closed")
        found.append((start, closed.end()))
        start = text.find(OPENING, closed.end())
    return found


def _shown(value: _Value) -> str:
    """As Go prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _is_of_type(value: _Value, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _js(text: str) -> str:
    """The inside of a quoted string, as Go's ``js`` writes it."""
    return re.sub("[<>&=']", lambda found: f"\\u{ord(found[0]):04X}", json.dumps(text)[1:-1])


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

    def inserted(self) -> Inserted:
        if not self._tokens:
            raise self._error("the placeholder is empty")
        value = self._pipeline()
        if self._tokens:
            raise self._foreign()
        return value if isinstance(value, Inserted) else Inserted(_shown(value), _shown(value))

    def _pipeline(self) -> _Value:
        value = self._command([])
        while self._next("|"):
            value = self._command([value])
        return value

    def _command(self, piped: list[_Value]) -> _Value:
        kind, function = self._tokens[0] if self._tokens else ("", "")
        if kind == "text" and not piped:
            return self._operand()
        if kind != "word" or function not in _TAKES:
            raise self._foreign()
        self._tokens.pop(0)
        arguments: list[_Value] = []
        while self._tokens and self._tokens[0][1] not in ("|", ")"):
            arguments.append(self._operand())
        arguments += piped
        takes = _TAKES[function]
        if len(arguments) != len(takes) or not all(map(_is_of_type, arguments, takes)):
            raise self._error(f"{function} takes {_USAGE.get(function, 'one string')}")
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
            raise self._error("a string has an unknown escape") from None

    def _call(self, function: str, arguments: list[Any]) -> _Value:
        if function == "env":
            return self._variable(arguments[0])
        if function == "indent":
            spaces, text = arguments
            return Inserted(text.replace("\n", "\n" + " " * spaces), _raw(text))
        if function == "js":
            raw = _raw(arguments[0])
            return Inserted(_js(raw), raw, is_escaped=True)
        if function == "printf":
            if arguments[0] != "%q":
                raise self._error(f"printf takes {_USAGE['printf']}")
            raw = _raw(arguments[1])
            return Inserted(json.dumps(raw), raw, is_escaped=True, is_quoted=True)
        text = arguments[0]
        if function == "toBool" and text in _BOOLS:
            return _BOOLS[text]
        if function == "toInt" and re.fullmatch(r"[-+]?[0-9]+", text):
            return int(text)
        if function == "toFloat" and re.fullmatch(
            r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", text
        ):
            return float(text)
        wanted = {"toBool": "true or false", "toInt": "an integer", "toFloat": "a number"}
        of = f" of {self._variables[-1]}" if self._variables else ""
        raise self._error(f"{function} wants {wanted[function]}, and the value{of} is not one")

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
        # A string can be a secret, and only parts of the language can be named.
        what = "a string" if kind == "text" else token
        return self._error(
            f"{what} is not supported here: of Go's templates, state files can use env, toInt, "
            'toFloat, toBool, indent, printf "%q", js, pipes and parentheses'
        )

    def _error(self, message: str) -> InputError:
        return InputError(f"{self._where}: {message}")
