# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of a dump, which every reader of YAML 1.1 or 1.2 and decK take for the same document."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

from .._errors import InputError
from .._values import map_strings

try:
    import yaml  # type: ignore[import-untyped]
except ImportError:  # only a host on which the module runs as such may lack it
    yaml = None

_STRING = "tag:yaml.org,2002:str"
# What is a boolean, nothing, a number or something else to one of the readers, in any case.
_WORDS = frozenset(
    ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<", "")
)
_NUMBER = re.compile(
    r"[-+]?(?:0x[0-9a-f_]*|0o?[0-7_]*|0b[01_]*|\.?(?:inf|nan)|\.[0-9_]+(?:e[-+]?[0-9]*)?"
    r"|[0-9][0-9_,]*(?::[0-5]?[0-9])*(?:\.[0-9_]*)?(?:e[-+]?[0-9]*)?)",
    re.IGNORECASE,
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_OPENING = "${{"
# What JSON leaves as it is and YAML takes for an end of a line, or not at all.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_CONVERTED = re.compile(r'"(\$\{\{ env `\w+` \| to(?:Int|Float|Bool) \}\})"')
_BREAK = re.compile("[\n\r\x85\u2028\u2029]")


class Placeholder(str):
    """A reference to an environment variable, as a document has it.

    :param variable: its name.
    :param exact: what it stands for; two of these can give one name.
    :param conversion: the function that makes a number or a boolean of it; empty for a string.
    """

    variable: str
    exact: str = ""
    conversion: str = ""


def placeholder(variable: str, exact: str = "", conversion: str = "") -> Placeholder:
    """What stands in a document for a secret that the reader's environment has."""
    converted = f" | {conversion}" if conversion else ""
    made = Placeholder(f'${{{{ env "{variable}"{converted} }}}}')
    made.variable, made.exact, made.conversion = variable, exact, conversion
    return made


def without_placeholders(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of plain values, as a result has it."""
    plain: dict[str, Any] = map_strings(document, str.__str__)
    return plain


def text_of(document: Mapping[str, Any], style: str) -> str:
    """The text of a file; placeholders give each value as it is, with any sign in it.

    :param style: ``yaml`` or ``json``.
    :raises InputError: the Python package for it is missing.
    """
    if style == "json":
        text = json.dumps(_for_json(document), indent=2, ensure_ascii=False)
        # A number stands without quotes.
        text = _CONVERTED.sub(r"\1", text)
        return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
    if yaml is None:
        raise InputError(
            "format yaml needs the Python package PyYAML; install it, or set format to json"
        )
    written: str = yaml.dump(
        document,
        Dumper=_dumper(),
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=float("inf"),
    )
    return written


def _for_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_literal(key): _for_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_for_json(item) for item in value]
    # Quotes would need escapes here, which no template knows.
    if isinstance(value, Placeholder):
        return f"${{{{ env `{value.variable}` | {value.conversion or 'js'} }}}}"
    return _literal(value) if isinstance(value, str) else value


def _literal(text: str) -> str:
    """A string that holds the beginning of a placeholder, and is none."""
    return text.replace(_OPENING, f"${{{{ `{_OPENING}` }}}}")


@functools.lru_cache(maxsize=1)
def _dumper() -> Any:
    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def represent(dumper: Any, text: str) -> Any:
        return dumper.represent_scalar(_STRING, _literal(text), _style_of(text))

    def represent_placeholder(dumper: Any, found: Placeholder) -> Any:
        conversion = found.conversion or 'printf "%q"'
        return dumper.represent_scalar(_STRING, f'${{{{ env "{found.variable}" | {conversion} }}}}')

    Dumper.add_representer(str, represent)
    Dumper.add_representer(Placeholder, represent_placeholder)
    return Dumper


def _style_of(text: str) -> str | None:
    """How a string is written: as it is where no reader takes that for something else."""
    if _BREAK.search(text):
        return "|" if _fits_block(text) else '"'
    is_unclear = text.lower() in _WORDS or _NUMBER.fullmatch(text) or _DATE.match(text)
    return "'" if is_unclear else None


def _fits_block(text: str) -> bool:
    """Whether all readers keep each line of a literal block as it is."""
    lines = text.removesuffix("\n").split("\n")
    return (
        not lines[0].startswith(" ")
        and all(line.isprintable() and line == line.rstrip() for line in lines)
        and bool(lines[0] and lines[-1])
    )
