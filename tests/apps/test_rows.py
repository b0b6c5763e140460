"""Rows by statements of one's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bluetel.accounts.models import User
from bluetel.rows import many_of, moment, rows_of

pytestmark = pytest.mark.django_db

STATEMENT = "SELECT id, username, pbx_id FROM accounts_user WHERE id > %s ORDER BY username DESC"


def test_many_rows_are_the_same_rows_in_their_order() -> None:
    for name in ('Ł "quoted"', "a\\b\n\x07", "zoé", "ابن"):
        User.objects.create(username=name)

    rows = many_of(STATEMENT, [0], width=3)

    assert [tuple(row) for row in rows] == rows_of(STATEMENT, [0])
    assert len(rows) == 4


def test_no_rows_are_none() -> None:
    assert many_of(STATEMENT, [0], width=3) == []


def test_a_time_is_the_same_one_by_one_and_among_many() -> None:
    joined = datetime(2026, 11, 26, 9, 0, 0, 120_000, tzinfo=UTC)
    User.objects.create(username="zoé", date_joined=joined)
    statement = "SELECT date_joined FROM accounts_user"

    ((one,),), ((among,),) = rows_of(statement), many_of(statement, width=1)

    assert moment(one) == moment(among) == joined
