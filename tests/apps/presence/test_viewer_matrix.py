"""No path leaks what somebody hides: every route and every socket frame has its line here.

A new route or frame fails the first two tests until it is entered: with the address at which
colleagues can be seen, or with the reason why they can't.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import get_args

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from bluetel.accounts.models import Pbx, User
from bluetel.work import leases
from bluetel.work.models import Lease
from presence import messages
from presence.audiences import choose_audience
from presence.models import CallWish, PbxLink, PersonState
from presence.person import EPOCH_BITS
from presence.team import set_favourites
from presence.wishes import LIFETIME
from tests.apps.house import NOW, House

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(240)]

# Reasons why a route shows nobody's presence.
OWN = "shows the reader's own things only"
ACTS = "acts and leads elsewhere, or answers with the reader's own thing"
SITE = "shows the site, not people"
ADMIN = "the administrator's, behind a permission"

ROUTES: dict[str, str] = {
    "": "/",
    "accounts/language/": ACTS,
    "accounts/login/": SITE,
    "accounts/logout/": ACTS,
    "admin/": ADMIN,
    "api/v1/": SITE,
    "api/v1/automation": OWN,
    "api/v1/calendars": OWN,
    "api/v1/calendars/<calendar_id>": OWN,
    "api/v1/calendars/<calendar_id>/refresh": ACTS,
    "api/v1/call-wishes": "/api/v1/call-wishes",
    "api/v1/call-wishes/<user_id>": ACTS,
    "api/v1/calls": "/api/v1/calls",
    "api/v1/calls/<call_id>": OWN,
    "api/v1/calls/<call_id>/answer": ACTS,
    "api/v1/calls/<call_id>/dtmf": ACTS,
    "api/v1/calls/<call_id>/hold": ACTS,
    "api/v1/calls/<call_id>/mute": ACTS,
    "api/v1/calls/<call_id>/resume": ACTS,
    "api/v1/calls/<call_id>/transfer": ACTS,
    "api/v1/calls/<call_id>/transfer/cancel": ACTS,
    "api/v1/calls/<call_id>/transfer/complete": ACTS,
    "api/v1/calls/<call_id>/unmute": ACTS,
    "api/v1/contacts": "/api/v1/contacts",
    "api/v1/contacts/<contact_id>": OWN,
    "api/v1/favourites": "/api/v1/favourites",
    "api/v1/favourites/<user_id>": ACTS,
    "api/v1/forwards": OWN,
    "api/v1/history": "/api/v1/history",
    "api/v1/mailboxes": OWN,
    "api/v1/mailboxes/<mailbox_id>": OWN,
    "api/v1/me": "/api/v1/me",
    "api/v1/openapi.json": SITE,
    "api/v1/presence": "/api/v1/presence",
    "api/v1/presence/me": "/api/v1/presence/me",
    "api/v1/presence/me/idle": ACTS,
    "api/v1/privacy": "/api/v1/privacy",
    "api/v1/routing": OWN,
    "api/v1/routing/forecast": OWN,
    "api/v1/routing/suppress": ACTS,
    "api/v1/search": "/api/v1/search?q=Camille",
    "api/v1/voicemail": OWN,
    "api/v1/voicemail/<message_id>": OWN,
    "api/v1/voicemail/<message_id>/audio": OWN,
    "api/v1/voicemail/<message_id>/callback": ACTS,
    "api/v1/voicemail/<message_id>/restore": ACTS,
    "api/v1/voicemail/unread": OWN,
    "calls/": "/calls/",
    "calls/latest/": "/calls/latest/",
    "contacts/": "/contacts/?q=Camille",
    "contacts/<str:contact_id>/": "contact",
    "contacts/<str:contact_id>/apart/": ACTS,
    "contacts/<str:contact_id>/delete/": ACTS,
    "contacts/<str:contact_id>/edit/": ACTS,
    "contacts/<str:contact_id>/part/": "contact part",
    "contacts/<str:contact_id>/photo/": OWN,
    "contacts/books/": "/contacts/books/",
    "contacts/books/<int:book_id>/": OWN,
    "contacts/books/<int:book_id>/delete/": ACTS,
    "contacts/books/<int:book_id>/export/<slug:form>/": OWN,
    "contacts/books/<int:book_id>/import/": ACTS,
    "contacts/deleted/<int:deletion_id>/restore/": ACTS,
    "contacts/duplicates/": "/contacts/duplicates/",
    "contacts/duplicates/decide/": ACTS,
    "contacts/imports/<int:run_id>/": OWN,
    "contacts/imports/<int:run_id>/part/": OWN,
    "contacts/new/": "/contacts/new/",
    "contacts/rows/": "/contacts/rows/?q=Camille",
    "dialer/call/": ACTS,
    "dialer/calls/<str:call_id>/": OWN,
    "dialer/calls/<str:call_id>/<slug:action>/": ACTS,
    "healthz": SITE,
    "legend/": "/legend/",
    "metrics": SITE,
    "presence/call-wishes/<str:person>/": ACTS,
    "presence/favourites/<str:person>/": ACTS,
    "presence/status/": ACTS,
    "readyz": SITE,
    "settings/^forwards/part/(?P<name>today|ahead|banner)/$": OWN,
    "settings/account/": "/settings/account/",
    "settings/books/": "/settings/books/",
    "settings/books/<int:account_id>/keep/": ACTS,
    "settings/books/<int:account_id>/look/": ACTS,
    "settings/books/<int:account_id>/password/": ACTS,
    "settings/books/<int:account_id>/remove/": ACTS,
    "settings/books/book/<int:book_id>/sync/": ACTS,
    "settings/books/conflicts/<int:card_id>/": ACTS,
    "settings/calendar/": "/settings/calendar/",
    "settings/calendar/<int:calendar_id>/refresh/": ACTS,
    "settings/calendar/<int:calendar_id>/remove/": ACTS,
    "settings/calendar/add/": ACTS,
    "settings/chat/": OWN,
    "settings/forwards/": "/settings/forwards/",
    "settings/forwards/suppress/": ACTS,
    "settings/forwards/unsuppress/": ACTS,
    "settings/phone-system/": OWN,
    "settings/privacy/": "/settings/privacy/",
    "settings/team/": "/settings/team/",
    "settings/team/<int:group_id>/": ACTS,
    "settings/voicemail/": "/settings/voicemail/",
    "settings/voicemail/<str:mailbox_id>/remove/": ACTS,
    "settings/voicemail/links/": ACTS,
    "settings/voicemail/mail/": ACTS,
    "voicemail/": "/voicemail/",
    "voicemail/<str:message_id>/": OWN,
    "voicemail/<str:message_id>/<slug:action>/": ACTS,
    "voicemail/call-back/<str:token>/": OWN,
    "voicemail/greetings/": OWN,
    "voicemail/greetings/<slug:name>/": ACTS,
    "voicemail/greetings/<slug:name>/sound.wav": OWN,
}

WITH_OTHER_PBXS = (
    "/",
    "/api/v1/presence",
    "/api/v1/search?q=Camille",
    "/contacts/?q=Camille",
    "/contacts/rows/?q=Camille",
    "contact",
    "contact part",
)
"""Where people of every PBX are shown beside each other."""

FRAMES = {
    "PresenceFrame": "tests/unit/presence/test_privacy.py: what is hidden makes no difference",
    "CallFrame": OWN,
    "VoicemailFrame": OWN,
    "CallWishesFrame": "names and numbers the reader chose; who is free, PresenceFrame tells",
    "RoutingFrame": OWN,
    "PbxFrame": SITE,
    "ResyncFrame": SITE,
    "ErrorFrame": SITE,
}


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Every address of the URL table; the administration's are one."""
    for entry in (resolver or get_resolver()).url_patterns:
        address = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield address
        elif address.startswith("admin"):
            yield "admin/"
        else:
            yield from routes(entry, address)


def test_every_route_has_its_line() -> None:
    assert set(routes()) == set(ROUTES)


def test_every_frame_of_the_socket_has_its_line() -> None:
    names = {frame.__name__ for frame in get_args(messages.Frame)}
    assert names == set(FRAMES)


class Worlds:
    """Nadia looks at a house in which Camille hides everything; Camille's state is the test's."""

    def __init__(self, house: House) -> None:
        self.house = house
        held = leases.take(leases.ENGINE, owner="engine", now=timezone.now())
        assert held is not None
        self.revision = held.epoch << EPOCH_BITS
        PbxLink.objects.create(pbx=house.pbx, is_up=True, since=NOW, revision=self.revision + 1)
        for user in User.objects.all():
            self._put(user, phone="available", im="available")
        self.camille = house.user("1001")
        nadia = house.user("1002")
        for axis in ("phone", "im"):
            choose_audience(self.camille, axis, "nobody", now=NOW)
        set_favourites(nadia, [str(self.camille.pk)])
        # Nadia asked while she could still see that Camille's phone was busy.
        CallWish.objects.create(
            owner=nadia,
            person=self.camille,
            asked_at=timezone.now(),
            expires_at=timezone.now() + LIFETIME,
        )
        self.browser = Client()
        self.browser.force_login(nadia, backend="bluetel.accounts.backends.AccountBackend")
        self.browser.get("/contacts/")  # colleagues are copied into the contacts now

    def _put(self, user: User, **state: object) -> None:
        PersonState.objects.update_or_create(
            user=user, defaults={"revision": self.revision + 2} | state
        )

    def look(self, address: str, **state: object) -> str:
        """What Nadia reads while Camille's state is this; what changes by itself is masked."""
        # On a slow machine the engine would fall silent between two looks.
        Lease.objects.update(renewed_at=timezone.now(), until=timezone.now() + leases.TTL)
        self._put(self.camille, **state)
        answer = self.browser.get(address)
        assert answer.status_code == 200, address
        text = answer.content.decode()
        for pattern in (
            r'(?<=name="csrfmiddlewaretoken" value=")\w+',
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            r"\d\d\d\d-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)",
            r"\d\d:\d\d(:\d\d)?",
            r"\d+\.\d+%",  # where on the day's strip it is now
        ):
            text = re.sub(pattern, "*", text)
        return text


@pytest.fixture
def worlds(house: House) -> Worlds:
    return Worlds(house)


def is_searching(text: str) -> bool:
    """Whether a page or an answer lacks what a source has yet to tell."""
    return 'data-searching="yes"' in text or re.search(r'"state": ?"searching"', text) is not None


def test_nothing_nadia_reads_depends_on_what_camille_hides(worlds: Worlds) -> None:
    assert_nothing_is_told(worlds, ROUTES.values())


def test_nor_does_it_when_camille_is_on_another_pbx(worlds: Worlds) -> None:
    other = Pbx.objects.create(name="other", kind=Pbx.Kind.XIVO)
    PbxLink.objects.create(pbx=other, is_up=True, since=NOW, revision=worlds.revision)
    worlds.camille.pbx = other
    worlds.camille.save()
    found = worlds.browser.get("/contacts/?q=Camille").content.decode()
    assert f'data-contact="user-{worlds.camille.pk}"' in found
    assert_nothing_is_told(worlds, WITH_OTHER_PBXS)


def assert_nothing_is_told(worlds: Worlds, lines: Iterable[str]) -> None:
    """That what Nadia reads is the same whatever Camille does."""
    card = f"/contacts/user-{worlds.camille.pk}/"
    special = {"contact": card, "contact part": f"{card}part/"}
    reading = [special.get(line, line) for line in lines]
    for address in reading:
        if not address.startswith("/"):
            continue
        # What is made at a first look is there at the second; the PBX's directory answers later.
        while is_searching(worlds.look(address)):
            continue
        busy = worlds.look(
            address,
            phone="ringing",
            im="busy",
            message="Writing a secret report",
            phone_since=NOW,
            im_since=NOW,
            is_there=True,
        )
        gone = worlds.look(
            address,
            phone="offline",
            im="away",
            message="",
            phone_since=None,
            im_since=None,
            is_there=False,
        )
        assert busy == gone, address
        assert "secret report" not in busy, address


def test_camille_reads_offline_where_nadia_sees_her(worlds: Worlds) -> None:
    worlds.look("/", phone="ringing", im="busy", message="Here")
    people = worlds.browser.get("/api/v1/presence").json()["people"]
    record = next(one for one in people if one["user_id"] == str(worlds.camille.pk))
    assert {record["phone"], record["im"]} == {"offline"}
    assert {record["since"], record["phone_since"], record["im_since"]} == {None}
    rows = worlds.browser.get("/api/v1/search?q=Camille").json()["results"]
    assert rows
    assert {(row["phone"], row["im"]) for row in rows} == {("offline", "offline")}
