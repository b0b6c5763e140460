"""What people type stays a value."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bluetel.ldap.filters import all_of, any_of, at_least, equals, escape, escape_bytes, is_filter

# RFC 4515: outside of escapes, none of the characters that structure a filter.
_VALUE = re.compile(r"(?:[^*()\\\0]|\\[0-9a-f]{2})*")


@given(st.text())
def test_an_escaped_value_has_no_structure(value: str) -> None:
    assert _VALUE.fullmatch(escape(value))


@given(st.text())
def test_an_escaped_value_means_what_was_typed(value: str) -> None:
    back = re.sub(r"\\([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), escape(value))

    assert back == value


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_filters_of_any_values_stay_one_filter(values: list[str]) -> None:
    parts = [equals("cn", value) for value in values]

    assert is_filter(all_of((any_of(parts), at_least("sn", values[0]))))


def test_one_condition_needs_no_operator() -> None:
    assert any_of(["(a=1)", "(a=1)"]) == "(a=1)"


def test_binary_values_are_written_in_hex() -> None:
    assert escape_bytes(b"\x00*(A") == r"\00\2a\28\41"
