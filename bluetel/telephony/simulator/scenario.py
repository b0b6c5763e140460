"""The cast: the invented people of demo, tests, documentation and screenshots.

Ids follow from extensions, so that they are the same at each start. Mobile numbers lie in the
range that France's regulator keeps for fiction (06 39 98), as do the outside numbers.
"""

from __future__ import annotations

import random
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import cycle, islice, product
from uuid import NAMESPACE_URL, uuid5

from bluetel.telephony.simulator.legs import CallOutcome, LogEntry
from bluetel.telephony.simulator.model import Habits, SimulatedPbx
from bluetel.telephony.simulator.people import Chat, OutsideEntry, Person
from bluetel.telephony.types import ChatState, VoicemailFolder

FIRST_EXTENSION = 1001
PASSWORD = "demo"  # noqa: S105 everybody's, in the demo only
CAST = (
    ("Camille", "Renard"),
    ("Nadia", "Belkacem"),
    ("Oskar", "Lindqvist"),
    ("Tom", "Hargreaves"),
    ("Inès", "Morvan"),
    ("Łucja", "Wiśniewska"),
    ("Rui", "Tavares"),
    ("Maud", "Kerjean"),
    ("Samir", "Haddad"),
)
WITHOUT_BOX = frozenset({"1007"})
UNPLUGGED = frozenset({"1008"})
OTHER_MAKES = {"1004": "Snom", "1006": "Cisco", "1009": "Fanvil"}
"""Desk phones that the PBX can't make hold or answer, and one more that it can."""

OUTSIDE = (
    OutsideEntry(
        name="Hélène Marchetti",
        company="Ateliers Brossard",
        number="0199004217",
        mobile="0639981208",
        email="h.marchetti@brossard.test",
    ),
    OutsideEntry(name="Omar Mansouri", company="Port de Kerloc'h", number="0261914450"),
    OutsideEntry(name="Marta Øvergård", company="", number="0536497702"),
)

_FIRST_NAMES = (
    "Adèle Amadou Anouk Antoine Aya Bastien Bérénice Bruno Capucine Cédric Chloé Clément Côme "
    "Diane Élodie Émile Farid Flora Gaël Gwenaëlle Hugo Idriss Ilona Jeanne Joël Karim Léa Léon "
    "Lila Loïc Lucie Malo Manon Mehdi Mireille Noé Noémie Olga Pascal Paulin Quentin Rachid Rose "
    "Sabine Selma Solène Théo Ursule Valentin Yann Yasmina Zélie"
).split()
_LAST_NAMES = (
    "Abgrall Arnoux Baillif Barbier Beauvais Bellanger Benoist Bensaïd Bossuet Caradec Castagnet "
    "Chevreau Combescot Corre Daviau Delorme Diallo Dubreuil Escoffier Fauvel Ferrand Gallois "
    "Garrec Guéguen Hamon Hervouet Jacquemin Jolivet Kerbrat Lacombe Lagarde Le·Bihan Lemarchand "
    "Loiseau Maillard Mercadal Nogaret Ouellet Périgord Quéméner Rochefort Saïdi Sauvage Tanguy "
    "Thévenot Traoré Urvoas Vasseur Verdier Yvinec Zimmermann"
).split()


def user_id(extension: str) -> str:
    """The PBX user id of whoever has that extension."""
    return str(uuid5(NAMESPACE_URL, f"bluetel-demo:{extension}"))


def build(
    *,
    now: datetime,
    users: int = len(CAST),
    habits: Habits | None = None,
    history: bool = True,
) -> SimulatedPbx:
    """A PBX with ``users`` people, the cast first; ``history`` adds past calls and messages."""
    pbx = SimulatedPbx(now=now, habits=habits)
    names = [*CAST, *_invented_names(max(0, users - len(CAST)))]
    taken: set[str] = set()
    for index in range(users):
        _add(pbx, index, *names[index], taken=taken)
    pbx.directory.extend(OUTSIDE)
    if history and users >= len(CAST):
        _remember(pbx)
    return pbx


def _invented_names(count: int) -> list[tuple[str, str]]:
    return list(islice(cycle(_shuffled_names()), count))


@cache
def _shuffled_names() -> tuple[tuple[str, str], ...]:
    pairs = [(first, last.replace("·", " ")) for first, last in product(_FIRST_NAMES, _LAST_NAMES)]
    random.Random(1010).shuffle(pairs)  # noqa: S311 a repeatable order, not a secret
    return tuple(pairs)


def _ascii(text: str) -> str:
    stroked = str.maketrans("ŁłØøÐđ", "LlOoDd")
    plain = unicodedata.normalize("NFKD", text.translate(stroked))
    return "".join(char for char in plain.lower() if char.isascii() and (char.isalnum()))


def _add(pbx: SimulatedPbx, index: int, first: str, last: str, *, taken: set[str]) -> Person:
    extension = str(FIRST_EXTENSION + index)
    address = f"{_ascii(first)}.{_ascii(last)}"
    if address in taken:
        address = f"{address}.{extension}"
    taken.add(address)
    person = pbx.add_person(
        user_id=user_id(extension),
        first_name=first,
        last_name=last,
        extensions=[extension],
        make=OTHER_MAKES.get(extension, "Yealink"),
        email=f"{address}@demo.test",
        login=f"demo{index + 1}",
        password=PASSWORD,
        mobile=f"+33639{980000 + (1000 + index) % 10000:06d}",
        box=extension not in WITHOUT_BOX,
    )
    person.lines[0].plugged = extension not in UNPLUGGED
    return person


def _remember(pbx: SimulatedPbx) -> None:
    """What happened before the start: chosen statuses, messages, finished calls."""
    by_extension = {person.extension: person for person in pbx.everybody()}
    chosen = {
        "1002": (ChatState.AVAILABLE, None),
        "1003": (ChatState.AWAY, "Back at 14:00"),
        "1004": (ChatState.BUSY, "Writing the quarterly report"),
        "1006": (ChatState.AVAILABLE, ""),
    }
    for extension, (state, message) in chosen.items():
        by_extension[extension].chat = Chat(
            state=state, message=message, chosen_at=pbx.now - timedelta(hours=1)
        )
    _leave_messages(pbx, by_extension)
    _log_calls(pbx, by_extension)


DELIVERY = (
    "Hello, this is Hélène at Brossard. The delivery is ready a day early, so we could load on"
    " Thursday morning instead. Could you tell me before noon if that suits you? Goodbye."
)


def _leave_messages(pbx: SimulatedPbx, people: dict[str, Person]) -> None:
    box = people["1001"].box
    if box is None:
        return
    for hours, number, name, duration, folder, transcript in (
        (98, "0261914450", "", 40, VoicemailFolder.OLD, ""),
        (50, "1005", "Inès Morvan", 21, VoicemailFolder.OLD, ""),
        (26, "", "", 6, VoicemailFolder.OLD, ""),
        (4, "0353017720", "", 9, VoicemailFolder.NEW, ""),
        (3, "0199004217", "Hélène Marchetti", 14, VoicemailFolder.NEW, DELIVERY),
    ):
        pbx.leave_message(
            box,
            number=number,
            name=name,
            duration=duration,
            received_at=(pbx.now - timedelta(hours=hours)).replace(microsecond=0),
            folder=folder,
            transcript=transcript,
        )


def _log_calls(pbx: SimulatedPbx, people: dict[str, Person]) -> None:
    past = (
        (72, "1001", "1002", 95),
        (49, "1005", "1001", 0),
        (27, "1001", "0261914450", 210),
        (25, "0199004217", "1001", 62),
        (4, "1003", "1001", 0),
        (2, "1001", "1006", 33),
    )
    for hours, source, destination, seconds in past:
        start = (pbx.now - timedelta(hours=hours)).replace(microsecond=0)
        answer = start + timedelta(seconds=7) if seconds else None
        caller, callee = people.get(source), people.get(destination)
        pbx.add_to_log(
            LogEntry(
                id=len(pbx.log) + 1,
                conversation=f"{int(start.timestamp())}.{len(pbx.log)}",
                started_at=start,
                answered_at=answer,
                ended_at=(answer or start) + timedelta(seconds=seconds or 20),
                outcome=CallOutcome.ANSWERED if seconds else CallOutcome.UNKNOWN,
                source=caller,
                source_number=source,
                source_name=caller.name if caller else _outside_name(source),
                requested=destination,
                requested_person=callee,
                destination=callee,
                destination_number=destination,
                destination_name=callee.name if callee else "",
                participants=[person for person in (caller, callee) if person],
            )
        )


def _outside_name(number: str) -> str:
    return next((entry.name for entry in OUTSIDE if entry.number == number), "")


def start_of_tests() -> datetime:
    """A Tuesday morning in winter, for models whose time is given."""
    return datetime(2026, 1, 13, 9, 0, tzinfo=UTC)
