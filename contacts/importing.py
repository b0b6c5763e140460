"""Bringing a vCard or CSV file into a book, some cards at a time.

The rows are the truth: a batch of cards and how far the file has been read are written together,
so an import whose process was killed goes on where it stopped, and no card comes twice. A card
that is in the book already, by its identifier or with the same content, is brought up to date or
left as it is.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction

from bluetel.calls.numbering import number_plans
from contacts import storing
from contacts.card import NAME_LIMIT, Card, Reason, Refused, one_line
from contacts.csv_cards import read_csv
from contacts.errors import FileTooLarge, ReadOnly
from contacts.models import ImportFile, ImportRun
from contacts.remote_rounds import touch
from contacts.shelf import may_edit, shelf_of
from contacts.shelved import Known, Shelved
from contacts.vcard import read_cards
from contacts.writings import is_number

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from contacts.models import Book

MOST_BYTES: Final = 50_000_000
CARDS_AT_ONCE: Final = 200
REPORTED: Final = 500
"""Refused cards that are named; all are counted."""
RUNS_KEPT: Final = 10
_SNIFFED: Final = 2000
_NO_FILE_AT_ALL: Final = {Reason.NOT_A_CARD_FILE, Reason.UNKNOWN_COLUMNS}

Clock = Callable[[], datetime]


def begin_import(
    user: User, book: Book, *, file_name: str, content: bytes, now: datetime
) -> ImportRun:
    """Take a file in; :func:`carry_on` reads it.

    Raises ``ReadOnly``, and ``FileTooLarge`` above :data:`MOST_BYTES`.
    """
    if not may_edit(user, book):
        raise ReadOnly
    if len(content) > MOST_BYTES:
        raise FileTooLarge
    with transaction.atomic():
        run = ImportRun.objects.create(
            user=user,
            book=book,
            file_name=one_line(file_name, limit=NAME_LIMIT),
            size=len(content),
            started_at=now,
            touched_at=now,
        )
        ImportFile.objects.create(run=run, content=content)
        old = ImportRun.objects.filter(user=user).exclude(state=ImportRun.State.RUNNING)
        kept = old.order_by("-pk").values_list("pk", flat=True)[:RUNS_KEPT]
        old.exclude(pk__in=list(kept)).delete()
    return run


def carry_on(run_id: int, *, clock: Clock) -> None:
    """Read the file from where it was left to its end."""
    run = ImportRun.objects.select_related("book", "user").filter(pk=run_id).first()
    upload = ImportFile.objects.filter(run=run_id).first()
    if run is None or upload is None or not run.is_running:
        return
    if not (run.book_id in shelf_of(run.user).books and may_edit(run.user, run.book)):
        _finish(run, ImportRun.State.FAILED, now=clock())
        return
    stream = io.BytesIO(bytes(upload.content))
    shelved = Shelved.of(run.book)
    entries = islice(_reader(run.file_name, stream), run.handled, None)
    while batch := list(islice(entries, CARDS_AT_ONCE)):
        with transaction.atomic():
            _take(run, shelved, batch, now=clock())
            run.done, run.touched_at = stream.tell(), clock()
            run.save()
    is_nothing = run.handled == run.refusals <= 1 and all(
        reason in _NO_FILE_AT_ALL for _, reason in run.refused
    )
    _finish(run, ImportRun.State.FAILED if is_nothing else ImportRun.State.DONE, now=clock())
    touch(run.book_id)


def _take(
    run: ImportRun, shelved: Shelved, batch: Sequence[Card | Refused], *, now: datetime
) -> None:
    new: dict[str, Card] = {}
    changed: dict[int, Card] = {}
    shelved.look_up(entry for entry in batch if isinstance(entry, Card))
    for entry in batch:
        if isinstance(entry, Refused):
            run.refusals += 1
            if len(run.refused) < REPORTED:
                run.refused.append([entry.line, entry.reason.value])
            continue
        known, contact = shelved.find(entry)
        if known is Known.WHOLLY:
            run.unchanged += 1
        elif contact is not None:
            changed[contact] = entry
            shelved.note(contact, entry)
            run.changed += 1
        elif entry.uid and entry.uid in new:  # twice in one batch: the later one holds
            new[entry.uid] = entry
            run.changed += 1
        else:
            new[entry.uid or f" {len(new)}"] = entry
            shelved.expect(entry)
            run.added += 1
    cards = list(new.values())
    _report_unreadable(run, [*changed.values(), *cards])
    storing.change(run.book, changed, now=now)
    for contact_row, card in zip(storing.add(run.book, cards, now=now), cards, strict=True):
        shelved.note(contact_row.pk, card)


def _report_unreadable(run: ImportRun, cards: Iterable[Card]) -> None:
    """Say which numbers of taken cards can't be read as one: they are kept and never called."""
    country: str = settings.COUNTRY
    plans = number_plans()
    for card in cards:
        for one in card.numbers:
            if not is_number(one.number, country, plans):
                run.unreadables += 1
                if len(run.unreadable) < REPORTED:
                    run.unreadable.append([card.name, one.number])


def _finish(run: ImportRun, state: ImportRun.State, *, now: datetime) -> None:
    run.state, run.touched_at, run.done = state, now, run.size
    with transaction.atomic():
        run.save()
        ImportFile.objects.filter(run=run).delete()


def _reader(file_name: str, stream: io.BytesIO) -> Iterator[Card | Refused]:
    """The cards of the file, by its name or else by how it begins."""
    ending = file_name.rpartition(".")[2].casefold()
    if ending in {"vcf", "vcard"}:
        return read_cards(stream)
    start = stream.read(_SNIFFED).replace(b"\0", b"").upper()
    stream.seek(0)
    is_vcard = ending != "csv" and b"BEGIN:VCARD" in start
    return read_cards(stream) if is_vcard else read_csv(stream)
