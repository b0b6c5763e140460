"""What a page asks for several times is read once."""

from __future__ import annotations

from bluetel.once import once, remembering

asked: list[tuple[int, str]] = []


@once
def read(number: int, *, word: str = "") -> int:
    asked.append((number, word))
    return number


def test_within_a_request_the_same_question_is_asked_once() -> None:
    asked.clear()
    with remembering():
        assert [read(1), read(1), read(2), read(1, word="x"), read(1, word="x")] == [1, 1, 2, 1, 1]
    assert asked == [(1, ""), (2, ""), (1, "x")]


def test_the_next_request_asks_anew() -> None:
    asked.clear()
    for _request in range(2):
        with remembering():
            read(1)
    assert len(asked) == 2


def test_outside_a_request_nothing_is_remembered() -> None:
    asked.clear()
    read(1)
    read(1)
    assert len(asked) == 2
