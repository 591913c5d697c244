# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placeholders of state files: what they give, what is refused, and where."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.plugin_utils._placeholders import render

SECRET = "s3cret-value"
ENVIRONMENT = {
    "DECK_HOST": "a.test",
    "DECK_PORT": "8080",
    "DECK_ON": "true",
    "DECK_RATIO": "1.50",
    "DECK_ONE": "1",
    "DECK_LINES": "first\nsecond\nthird",
    "DECK_SECRET": SECRET,
    "HOME": SECRET,
}
FOREIGN = (
    " is not supported here: of Go's templates, state files can use env, toInt, toFloat, toBool, "
    'indent, printf "%q", js, pipes and parentheses'
)


def _in_text(text: str, environment: dict[str, str] | None = None) -> str:
    """A text as decK renders it."""
    known = ENVIRONMENT if environment is None else environment
    rendered = render(text, "kong.yaml", known)
    return rendered.filled(rendered.text, str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host: a.test\n", "host: a.test\n"),
        ('host: ${{ env "DECK_HOST" }}', "host: a.test"),
        ('host: ${{env "DECK_HOST"}}', "host: a.test"),
        ("host: ${{ env `DECK_HOST` }}", "host: a.test"),
        ('${{ env "DECK_HOST" }}:${{ env "DECK_PORT" }}', "a.test:8080"),
        ('${{ env "DECK_PORT" | toInt }}', "8080"),
        ('${{ toInt (env "DECK_PORT") }}', "8080"),
        ('${{ env "DECK_ON" | toBool }}', "true"),
        ('${{ toBool (env "DECK_ONE") }}', "true"),
        ('${{ env "DECK_RATIO" | toFloat }}', "1.5"),
        ('${{ env "DECK_ONE" | toFloat }}', "1"),
        ('${{ env "DECK_LINES" | indent 2 }}', "first\n  second\n  third"),
        ('${{ indent 2 (env "DECK_LINES") }}', "first\n  second\n  third"),
        ('${{ env "DECK_LINES" | indent 1 | indent 2 }}', "first\n   second\n   third"),
        ('${{ env "DECK_HOST" | printf "%q" }}', '"a.test"'),
        ('${{ printf "%q" (env "DECK_LINES") }}', '"first\\nsecond\\nthird"'),
        ("${{ env `DECK_LINES` | js }}", "first\\nsecond\\nthird"),
        ("${{ js `<a='b'>\\` }}", "\\u003Ca\\u003D\\u0027b\\u0027\\u003E\\\\"),
        ('${{ `${{` }} env "DECK_GONE" }}', '${{ env "DECK_GONE" }}'),
        ('# ${{ env "DECK_GONE" }}\nx: ${{ env "DECK_ONE" }}', '# ${{ env "DECK_GONE" }}\nx: 1'),
        ("  # ${{ range }}", "  # ${{ range }}"),
        ('x: 1 # ${{ env "DECK_ONE" }}', "x: 1 # 1"),
        ("jinja: {{ env }}", "jinja: {{ env }}"),
    ],
)
def test_what_placeholders_give(text: str, expected: str) -> None:
    assert _in_text(text) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('env "DECK_GONE"', "the environment variable DECK_GONE is not set"),
        ('env "HOME"', "names of environment variables must begin with DECK_: HOME"),
        ("env", 'env takes the name of a variable: env "DECK_HOST"'),
        ("env 5", 'env takes the name of a variable: env "DECK_HOST"'),
        ('env "DECK_SECRET" | toInt', "toInt wants an integer, and the value of DECK_SECRET"),
        ('toFloat (env "DECK_SECRET")', "toFloat wants a number, and the value of DECK_SECRET"),
        ('env "DECK_SECRET" | toBool', "toBool wants true or false, and the value of DECK_SECRET"),
        ('toInt "x"', "toInt wants an integer, and the value is not one"),
        ('env "DECK_PORT" | toInt | toInt', "toInt takes one string"),
        ('env "DECK_HOST" | indent', "indent takes a number of spaces and a string: indent 8"),
        ("", "the placeholder is empty"),
        ('env "DECK_HOST" |', "the placeholder ends where a function is expected"),
        ('toInt (env "DECK_PORT"', "a parenthesis is not closed"),
        ('env "DECK_\\q"', "a string has an unknown escape"),
        ('if env "DECK_ON"', "if" + FOREIGN),
        ("end", "end" + FOREIGN),
        ("range .items", "range" + FOREIGN),
        ('printf "%s" "s3cret-value"', "printf takes the format %q and a string: printf"),
        ('env "DECK_SECRET" | html', "html" + FOREIGN),
        ("$x := 1", "$" + FOREIGN),
        (".Value", "." + FOREIGN),
        ("/* words */", "/" + FOREIGN),
        ('- env "DECK_HOST" -', "-" + FOREIGN),
        ('env "DECK_HOST")', ")" + FOREIGN),
        ('toInt env "DECK_PORT"', "env" + FOREIGN),
        (f'"{SECRET}" "x"', "a string" + FOREIGN),
    ],
)
def test_what_is_refused_names_the_line_and_no_value(expression: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        render(f"a: 1\nb: ${{{{ {expression} }}}}\n", "kong.yaml", ENVIRONMENT)
    assert caught.value.message.startswith(f"kong.yaml:2: {message}")
    assert SECRET not in caught.value.message


def test_an_open_placeholder_is_refused() -> None:
    with pytest.raises(InputError, match=r"^kong.yaml:2: a placeholder that begins with \$\{\{ is"):
        render('a: 1\nb: ${{ env "DECK_HOST" }\n', "kong.yaml", ENVIRONMENT)


def test_lines_are_those_of_the_file_whatever_the_values_hold() -> None:
    text = 'a: ${{ env "DECK_LINES" }}\nb: ${{ env\n"DECK_HOST" }}\nc: 1\n'
    rendered = render(text, "kong.yaml", ENVIRONMENT)
    assert [rendered.filled(line) for line in rendered.text.split("\n")] == [
        "a: first\nsecond\nthird", "b: a.test", "c: 1", "",
    ]  # fmt: skip
    assert rendered.lines == (1, 2, 4, 5)
    assert rendered.line(99) == 5


@given(st.text())
def test_every_text_is_rendered_or_refused_with_a_place(text: str) -> None:
    try:
        rendered = render(text, "kong.yaml", {})
    except InputError as exc:
        assert re.match(r"kong\.yaml:\d+: ", exc.message)
    else:
        assert len(rendered.lines) == rendered.text.count("\n") + 1


@given(st.text(), st.text(alphabet="abc: \n#"))
def test_values_are_put_in_as_they_are(value: str, before: str) -> None:
    text = f'{before}\nx: ${{{{ env "DECK_X" }}}}\n'
    assert _in_text(text, {"DECK_X": value}) == f"{before}\nx: {value}\n"


@given(st.text())
def test_padded_and_escaped_values_are_known_without_that(value: str) -> None:
    for functions in ("indent 3", "indent 1 | indent 2", "js", 'printf "%q"', "indent 2 | js"):
        rendered = render(f'${{{{ env "DECK_X" | {functions} }}}}', "f", {"DECK_X": value})
        assert rendered.filled(rendered.text) == value
