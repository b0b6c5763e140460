"""Ranges of bytes and callers' numbers, as tables."""

from __future__ import annotations

import pytest

from bluetel.calls.rules import number_of_caller
from voicemail.rules import OutOfRange, Part, part_of


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", None),
        ("bytes=0-", Part(0, 39)),
        ("bytes=0-99", Part(0, 99)),
        ("bytes=90-", Part(90, 99)),
        ("bytes=90-500", Part(90, 99)),
        ("bytes=-10", Part(90, 99)),
        ("bytes=-500", Part(0, 99)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("bytes=one-two", None),
    ],
)
def test_a_range_is_read_as_rfc_9110_says(header: str, part: Part | None) -> None:
    assert part_of(header, 100, longest=40) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_what_lies_behind_the_end_is_out_of_range(header: str) -> None:
    with pytest.raises(OutOfRange):
        part_of(header, 100)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-5", "bytes=0-0"])
def test_of_nothing_there_is_no_part(header: str) -> None:
    with pytest.raises(OutOfRange):
        part_of(header, 0)


@pytest.mark.parametrize(
    ("shown", "number"),
    [
        ("0199004217", "0199004217"),
        (" +33 1 99 00 42 17 ", "+33 1 99 00 42 17"),
        ("1002", "1002"),
        ("", ""),
        ("anonymous", ""),
        ("unknown", ""),
        ('"><script>', ""),
        ("0199004217\r\nBcc: x", ""),
    ],
)
def test_a_caller_without_a_number_can_not_be_called(shown: str, number: str) -> None:
    assert number_of_caller(shown) == number
