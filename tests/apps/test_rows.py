"""Rows by statements of one's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from bluetel.accounts.models import User
from bluetel.rows import columns_of, many_of, moment, objects_of, one_of, one_of_texts, rows_of

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


def test_a_statement_asked_often_answers_for_each_of_its_values() -> None:
    """And PostgreSQL has planned it once."""
    names = [f"user{place}" for place in range(8)]
    for name in names:
        User.objects.create(username=name)
    statement = "SELECT username FROM accounts_user WHERE username LIKE '%%r%%' AND username = %s"

    assert [rows_of(statement, [name]) for name in names] == [[(name,)] for name in names]
    if connection.vendor == "postgresql":
        planned = [text for (text,) in rows_of("SELECT statement FROM pg_prepared_statements")]
        assert any("username LIKE" in text for text in planned)
        assert connection.connection.prepare_threshold is None, "Django's own would be kept"


def test_more_statements_than_a_connection_keeps_answer_as_well() -> None:
    User.objects.create(username="zoé")
    statements = [
        f"SELECT username, {place} FROM accounts_user WHERE username = %s"  # noqa: S608
        for place in range(120)
    ]
    for _ in range(2):
        found = [rows_of(statement, ["zoé"]) for statement in statements]
        assert found == [[("zoé", place)] for place in range(120)]


def test_a_statement_that_failed_works_again_with_other_values() -> None:
    statement = "INSERT INTO auth_group (name) VALUES (%s) RETURNING name"
    for place in range(5):
        assert rows_of(statement, [f"group{place}"]) == [(f"group{place}",)]
        with pytest.raises(IntegrityError), transaction.atomic():
            rows_of(statement, ["group0"])


def test_times_are_in_utc() -> None:
    joined = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    User.objects.create(username="zoé", date_joined=joined)
    (user,) = objects_of(User, f"SELECT {columns_of(User, 'one')} FROM accounts_user AS one")  # noqa: S608
    assert user.date_joined.isoformat() == "2026-11-26T09:00:00+00:00"


def test_ids_are_one_of_many_as_they_are_one_of_one() -> None:
    users = [User.objects.create(username=f"user{place}") for place in range(3)]
    for some in (users[:1], users[1:]):
        among, ids = one_of({user.pk for user in some})
        statement = f"SELECT username FROM accounts_user WHERE id {among} ORDER BY 1"  # noqa: S608
        found = rows_of(statement, ids)
        assert found == [(user.username,) for user in some]


def test_texts_are_one_of_many_whatever_is_in_them() -> None:
    names = ["a,b", 'quo"ted', "back\\slash", "{brace}", "NULL", "*98#", "zoé", ""]
    for name in names:
        User.objects.create(username=name)
    among, texts = one_of_texts([*names, "nobody"])
    found = rows_of(f"SELECT username FROM accounts_user WHERE username {among}", texts)  # noqa: S608
    assert {name for (name,) in found} == set(names)
