"""``seed_demo [--pbx-url URL]``: the demo's PBX row and its people, password ``demo``."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import CommandError
from django.utils import timezone

from bluetel import demo_calendar
from bluetel.accounts import demo_accounts
from bluetel.accounts.models import Pbx, PbxLogin, User
from bluetel.accounts.pbx import backend_for, open_backend
from bluetel.accounts.services import sync_users
from bluetel.demo import DEMO_PBX
from bluetel.demo_people import add_people
from bluetel.management.commands import simulate_pbx
from bluetel.management.database_command import DatabaseCommand
from bluetel.telephony.errors import TelephonyError
from forwarding.services import forget_pbx

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from bluetel.telephony.types import PbxUser

PASSWORD = "demo"  # noqa: S105 — the demo's, printed on its sign-in page
FIRST_EXTENSION = 1001
API_KEYS = {"xivo": "bluetel-key"}


class Command(DatabaseCommand):
    """Fill the database for the demo; running it again changes nothing but the PBX's address."""

    help = "Fill the database with the demo's PBX and people (demo1, demo2, … password demo)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the simulated PBX's address."""
        parser.add_argument(
            "--pbx-url",
            help="where simulate_pbx serves; if not given, where the demo's PBX was until now, "
            f"else http://127.0.0.1:{simulate_pbx.PORT}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse outside the demo: these passwords are public."""
        if not settings.DEMO:
            raise CommandError("set BLUETEL_DEMO first: demo accounts exist in the demo only")
        known = Pbx.objects.filter(name=DEMO_PBX).first()
        url, people = _find_people(_addresses(known, options["pbx_url"]))
        # Of another make, the same people have other ids: they are matched anew, by e-mail.
        User.objects.filter(pbx__name=DEMO_PBX).exclude(pbx__kind=settings.DEMO).update(
            pbx_user_id=""
        )
        pbx, _ = Pbx.objects.update_or_create(name=DEMO_PBX, defaults=_fields(url))
        sync_users(pbx, people)
        demo_accounts.mark(User.objects.filter(pbx=pbx).values_list("pk", flat=True))
        if known is None or known.url != url:  # it has forgotten what it was told: nobody's wish
            forget_pbx(User.objects.filter(pbx=pbx).values_list("pk", flat=True))
        self._give_names_and_password(pbx)
        if backend_for(pbx).uses_own_logins:
            self._give_own_logins(pbx)
        busy = User.objects.filter(pbx=pbx, username=demo_calendar.USER).first()
        if busy is not None:
            demo_calendar.add_calendar(busy, now=timezone.now())
        add_people(list(User.objects.filter(pbx=pbx).exclude(extension="").order_by("extension")))

    def _give_names_and_password(self, pbx: Pbx) -> None:
        hashed = make_password(PASSWORD)
        changed = []
        for user in User.objects.filter(pbx=pbx).exclude(extension=""):
            name = f"demo{int(user.extension) - FIRST_EXTENSION + 1}"
            if user.username == name and user.has_usable_password():
                continue
            user.username, user.password, user.language = name, hashed, ""
            changed.append(user)
        User.objects.bulk_update(changed, ["username", "password", "language"])

    def _give_own_logins(self, pbx: Pbx) -> None:
        """As if everybody had entered his login on the PBX already; it is the demo's own."""
        known = PbxLogin.objects.filter(user__pbx=pbx).values_list("user_id", flat=True)
        new = User.objects.filter(pbx=pbx).exclude(pk__in=known).exclude(pbx_login="")
        PbxLogin.objects.bulk_create(
            PbxLogin(user=user, login=user.pbx_login, password=PASSWORD, works=True) for user in new
        )


def _addresses(known: Pbx | None, given: str | None) -> list[str]:
    """Where the simulated PBX may be, the likeliest first."""
    if given is not None:
        return [given.rstrip("/")]
    usual = f"http://127.0.0.1:{simulate_pbx.PORT}"
    is_same = known is not None and known.kind == settings.DEMO and known.url != usual
    return [known.url, usual] if known is not None and is_same else [usual]


def _find_people(addresses: list[str]) -> tuple[str, list[PbxUser]]:
    """The first address that answers, and its people; nothing is saved before one has."""
    why = ""
    for url in addresses:
        try:
            with closing(open_backend(Pbx(name=DEMO_PBX, **_fields(url)))) as backend:
                if people := list(backend.users()):
                    return url, people
            why = why or f"the simulated PBX at {url} has no users"
        except TelephonyError as error:
            why = why or f"the simulated PBX at {url} can't be read: {error}"
    raise CommandError(
        f"{why}. Nothing was changed; start one with simulate_pbx, or say where it is with "
        "--pbx-url."
    )


def _fields(url: str) -> dict[str, Any]:
    """The demo's PBX row."""
    return {
        "kind": settings.DEMO,
        "url": url,
        "username": "bluetel",
        "password": "bluetel",
        "api_key": API_KEYS.get(settings.DEMO, ""),
        "options": {"confd_url": url} if settings.DEMO == "xivo" else {},
    }
