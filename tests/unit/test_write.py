# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dump writes is read as the same document, by the collection and by others."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._document._write import (
    placeholder,
    text_of,
    without_placeholders,
)
from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import parse_state

HEAD = {"_format_version": "3.0"}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# Strings that YAML 1.1, YAML 1.2 or the reader of decK takes for something else.
UNCLEAR = [
    "1e5", "08", "y", "N", "yes", "Off", "TRUE", "null", "Null", "~", "", "1.10", "1.", ".5", "007",
    "0x1F", "0o17", "0b1", "1_000", "12:30", "1:20:30.5", "2024-01-31", "2024-1-1T10:00:00Z", "+1",
    "-1.5e-3", ".inf", "-.INF", ".NaN", "inf", "nan", "=", "<<", "1e+5", "1E5", "00123",
    "0", "1,000", "-0",
]  # fmt: skip


def _read(text: str, style: str, **environment: str) -> Any:
    return parse_state([(f"kong.{style}", text)], environment, str)


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_a_reader_takes_for_something_else_is_quoted(text: str) -> None:
    document = {**HEAD, "tags": [text], text or "empty": text}
    written = text_of(document, "yaml")
    assert f"- '{text}'\n" in written and f"'{text}'\n" in written.split(": ")[-1]
    assert yaml.safe_load(written) == document == _read(written, "yaml")


@pytest.mark.parametrize(
    "text", ["10.0.0.1:80", "a.test", "v1.10", "/x", "~/x$", "1.2.3", "e5", "0xg"]
)
def test_other_strings_are_written_as_they_are(text: str) -> None:
    assert text_of({"tags": [text]}, "yaml") == f"tags:\n- {text}\n"


def test_texts_of_many_lines_are_blocks() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    assert text_of({"cert": pem}, "yaml") == (
        "cert: |\n  -----BEGIN CERTIFICATE-----\n  MIIB\n  -----END CERTIFICATE-----\n"
    )


@pytest.mark.parametrize("style", ["yaml", "json"])
@settings(deadline=None)
@given(st.dictionaries(TEXTS, st.lists(TEXTS | st.integers() | st.booleans() | st.none())))
def test_every_document_comes_back(style: str, found: dict[str, Any]) -> None:
    document = {**HEAD, "value": found}
    text = text_of(document, style)
    assert _read(text, style) == document
    if "${{" not in text:
        assert yaml.safe_load(text) == document


@pytest.mark.parametrize("style", ["yaml", "json"])
@pytest.mark.parametrize(
    "text", ['${{ env "DECK_GONE" }}', "a ${{ b", "${{", "${{${{\n}}", "{{ x }}"]
)
def test_what_looks_like_a_placeholder_comes_back_as_it_is(style: str, text: str) -> None:
    document = {**HEAD, "value": [text], "keys": {text: text}}
    assert _read(text_of(document, style), style) == document


@pytest.mark.parametrize("style", ["yaml", "json"])
@settings(deadline=None)
@given(TEXTS)
def test_placeholders_give_any_value(style: str, value: str) -> None:
    document = {**HEAD, "value": [placeholder("DECK_X")]}
    text = text_of(document, style)
    assert _read(text, style, DECK_X=value)["value"] == [value]
    if style == "json":
        assert json.loads(text)["value"] == ["${{ env `DECK_X` | js }}"]


def test_results_hold_plain_strings() -> None:
    (value,) = without_placeholders({"value": [placeholder("DECK_X")]})["value"]
    assert value.__class__ is str and value == '${{ env "DECK_X" }}'


@pytest.mark.parametrize("style", ["yaml", "json"])
@pytest.mark.parametrize(
    ("conversion", "text", "value"),
    [("toInt", "0123", 123), ("toFloat", "1.5", 1.5), ("toBool", "true", True)],
)
def test_a_secret_that_is_no_string_stays_what_it_is(
    style: str, conversion: str, text: str, value: Any
) -> None:
    written = text_of({**HEAD, "a": placeholder("DECK_X", "", conversion), "b": "x"}, style)
    assert _read(written, style, DECK_X=text) == {**HEAD, "a": value, "b": "x"}
