"""A1, A2, A3 and A5 on one database: run by :mod:`bench.contacts` as a process of its own.

``python -m bench.contacts_engine COUNT`` fills the database of the environment, measures and
prints one JSON object; with ``texts`` behind it, it fills and says what is typed.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluetel.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.contacts_data import have_called, load  # noqa: E402
from bench.figure import percentile  # noqa: E402
from contacts import storing  # noqa: E402
from contacts.card import Card, CardEmail, CardNumber, Label  # noqa: E402
from contacts.folding import fold  # noqa: E402
from contacts.index.query import propose  # noqa: E402
from contacts.index.rebuild import rebuild  # noqa: E402
from contacts.models import Book, Contact  # noqa: E402
from contacts.rules import Question, question  # noqa: E402

if TYPE_CHECKING:
    Times = Sequence[float]

EACH = 300
TIMES = 3
"""So often is each question asked; the middle one counts, for the machine does other things."""
FEW = 12
SINGLES = 100


def main(count: int, *, is_whole: bool = True) -> dict[str, Any]:
    """Every figure of one database and size, times in ms; or only the ``texts`` that are typed."""
    load(count)
    begin, cpu = time.perf_counter(), time.process_time()
    rebuild()
    built = {"wall": time.perf_counter() - begin, "cpu": time.process_time() - cpu}
    with connection.cursor() as cursor:
        # What PostgreSQL does by itself within a minute, and would in the midst of measuring.
        cursor.execute("VACUUM (ANALYZE)" if connection.vendor == "postgresql" else "ANALYZE")
    book = Book.objects.get(kind=Book.Kind.DIRECTORY)
    chance = random.Random(7)  # noqa: S311 — which people are looked for
    names = _names(count, chance)
    typed = [_question(text) for text in _typed(names, chance)]
    missed = [_question(f"{chance.choice('qx')}x{fold(name)[:3]}") for name in names]
    digits = [_question(text) for text in _numbers(count, chance)]
    texts = [asked.text for asked in (*typed, *digits[:100])]
    have_called(count, chance)
    if not is_whole:
        return {"texts": texts}
    return {
        "count": count,
        "built": built,
        "megabytes": _megabytes(),
        "words": _times(typed, lambda asked: propose(asked, [book.pk])),
        "misses": _times(missed, lambda asked: propose(asked, [book.pk])),
        "digits": _times(digits, lambda asked: propose(asked, [book.pk])),
        "like_ranked": _times(typed[:FEW], _like, times=1),
        "like_missed": _times(missed[:FEW], _like, times=1),
        "one": _one_contact(book),
        "texts": texts,
    }


def _names(count: int, chance: random.Random) -> list[str]:
    ids = [chance.randint(1, count) for _ in range(EACH)]
    rows = Contact.objects.filter(pk__in=ids).order_by("pk").values_list("name", flat=True)
    found = list(rows)
    chance.shuffle(found)
    return found


def _typed(names: Sequence[str], chance: random.Random) -> list[str]:
    """One to six letters of a word, sometimes with the beginning of a second; accents as typed."""
    typed = []
    for place, name in enumerate(names):
        words = name.split()
        text = chance.choice(words)[: place % 6 + 1]
        if place % 3 == 2 and len(words) > 1:
            text = f"{words[-1][:3]} {words[0][:2]}"
        typed.append(text)
    return typed


def _numbers(count: int, chance: random.Random) -> list[str]:
    """Three to six digits out of the middle of a number."""
    texts = []
    for place in range(EACH):
        number = f"331{chance.randint(1, count):08}"
        start = chance.randint(2, 5)
        texts.append(number[start : start + 3 + place % 4])
    return texts


def _question(text: str) -> Question:
    asked = question(text)
    assert asked is not None
    return asked


def _like(asked: Question) -> list[Any]:
    """What one would write without an index: anywhere in any text, ordered by name."""
    wanted = f"%{asked.text}%"
    return list(
        Contact.objects.extra(
            where=["(lower(name) LIKE lower(%s) OR lower(company) LIKE lower(%s))"],
            params=[wanted, wanted],
        )
        .order_by("sort_name")
        .values_list("pk", flat=True)[:10]
    )


def _times(
    asked: Sequence[Question], ask: Callable[[Question], object], *, times: int = TIMES
) -> dict[str, float]:
    for one in asked[: min(len(asked), 20)]:
        ask(one)  # warm, as a server that has run a minute is
    wall, cpu = [], []
    for one in asked:
        walls, cpus = [], []
        for _ in range(times):
            begin, began = time.perf_counter(), time.process_time()
            ask(one)
            walls.append((time.perf_counter() - begin) * 1000)
            cpus.append((time.process_time() - began) * 1000)
        wall.append(statistics.median(walls))
        cpu.append(statistics.median(cpus))
    return {
        "p50": percentile(wall, 0.5),
        "p99": percentile(wall, 0.99),
        "cpu_p99": percentile(cpu, 0.99),
    }


def _one_contact(book: Book) -> dict[str, float]:
    """Adding one contact, rows and index and who he is, and changing him."""
    times, cpu = [], []
    for place in range(SINGLES):
        card = Card(
            name=f"Zoé Bench{place}",
            company="Ateliers Brossard",
            numbers=(CardNumber(number=f"+33 1 98 00 {place:04}", label=Label.WORK),),
            emails=(CardEmail(address=f"zoe.bench{place}@demo.test"),),
        )
        begin, began = time.perf_counter(), time.process_time()
        (contact,) = storing.add(
            book, [storing.Arrival(card=card, source_id=f"b{place}")], now=timezone.now()
        )
        times.append((time.perf_counter() - begin) * 1000)
        cpu.append((time.process_time() - began) * 1000)
        storing.remove(book, [contact.pk])
    return {"p50": percentile(times, 0.5), "cpu": percentile(cpu, 0.5)}


def _megabytes() -> float:
    """What the words and digits of the index take on disk."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT sum(pg_total_relation_size(c)) FROM unnest(ARRAY['contacts_block',"
                " 'contacts_spelling']::regclass[]) AS c"
            )
            tables = cursor.fetchone()[0]
            cursor.execute(
                "SELECT pg_relation_size('line_by_parts') + pg_relation_size('contact_by_cuts')"
            )
            return float(tables + cursor.fetchone()[0]) / 1e6
        cursor.execute(
            "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'contacts_word%%'"
            " OR name LIKE 'contacts_spelling%%' OR name LIKE 'contacts_digits%%'"
            " OR name LIKE 'contacts_text%%'"
        )
        return float(cursor.fetchone()[0]) / 1e6


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), is_whole="texts" not in sys.argv)))
