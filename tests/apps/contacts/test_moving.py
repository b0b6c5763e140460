"""Contacts that change their book while others do the same."""

from __future__ import annotations

import time
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
            until_somebody_waits()
            storing.move(zoe, ZOE, clients, now=NOW)
        moving.result()

    asked = question("ar")
    assert asked is not None
    assert propose(asked, [clients.pk]) == [zoe.pk]
    assert paul.pk in propose(question("paul") or asked, [own.pk])


def until_somebody_waits() -> None:
    """On PostgreSQL; SQLite lets nobody begin to write meanwhile."""
    end = time.monotonic() + 10
    while connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        assert time.monotonic() < end, "nobody waits"
