"""Contacts that change their book while others do the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from bluetel.accounts.models import User
from contacts import services, storing
from contacts.books import create_book
from contacts.card import Card, CardNumber
from contacts.index import store
from contacts.index.query import propose
from contacts.rules import question
from tests.apps.house import NOW
from tests.servers.base import until

ZOE = Card(name="Zoé Ardent", numbers=(CardNumber(number="01 99 00 50 01"),))
PAUL = Card(name="Paul Leroy", numbers=(CardNumber(number="01 99 00 50 02"),))


@pytest.mark.django_db(transaction=True)
def test_who_moves_the_other_way_waits_and_takes_nothing_first(camille: User) -> None:
    own, clients = services.default_book(camille), create_book(camille, name="Clients")
    (zoe,) = storing.add(own, [ZOE], now=NOW)
    (paul,) = storing.add(clients, [PAUL], now=NOW)

    def move_paul() -> None:
        try:
            storing.move(paul, PAUL, own, now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            store.hold([own.pk])
            moving = thread.submit(move_paul)
            until(somebody_waits, seconds=10)
            storing.move(zoe, ZOE, clients, now=NOW)
        moving.result()

    assert found(clients.pk, "zoe ardent") == [zoe.pk]
    assert found(own.pk, "paul leroy") == [paul.pk]


def found(book: int, text: str) -> list[int]:
    asked = question(text)
    assert asked is not None
    return propose(asked, [book])


def somebody_waits() -> bool:
    """On PostgreSQL; SQLite lets nobody begin to write meanwhile."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
