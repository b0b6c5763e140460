"""``seed_demo [--pbx-url URL]``: the demo's PBX row and its people, password ``demo``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bluetel import demo_calendar
from bluetel.accounts import demo_accounts
from bluetel.accounts.models import Pbx, PbxLogin, User
from bluetel.accounts.pbx import backend_for
from bluetel.accounts.services import sync_users
from bluetel.demo import DEMO_PBX
from bluetel.demo_people import add_people
from bluetel.management.commands import simulate_pbx
from bluetel.telephony.errors import TelephonyError
from forwarding.services import forget_pbx

if TYPE_CHECKING:
    from argparse import ArgumentParser

PASSWORD = "demo"  # noqa: S105 — the demo's, printed on its sign-in page
FIRST_EXTENSION = 1001
API_KEYS = {"xivo": "bluetel-key"}


class Command(BaseCommand):
    """Fill the database for the demo; running it again changes nothing but the PBX's address."""

    help = "Fill the database with the demo's PBX and people (demo1, demo2, … password demo)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the simulated PBX's address."""
        parser.add_argument(
            "--pbx-url",
            default=f"http://127.0.0.1:{simulate_pbx.PORT}",
            help="where simulate_pbx serves; its own port if not given",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse outside the demo: these passwords are public."""
        if not settings.DEMO:
            raise CommandError("set BLUETEL_DEMO first: demo accounts exist in the demo only")
        url = options["pbx_url"].rstrip("/")
        # Of another make, the same people have other ids: they are matched anew, by e-mail.
        User.objects.filter(pbx__name=DEMO_PBX).exclude(pbx__kind=settings.DEMO).update(
            pbx_user_id=""
        )
        is_new = not Pbx.objects.filter(name=DEMO_PBX, url=url).exists()
        pbx, _ = Pbx.objects.update_or_create(
            name=DEMO_PBX,
            defaults={
                "kind": settings.DEMO,
                "url": url,
                "username": "bluetel",
                "password": "bluetel",
                "api_key": API_KEYS.get(settings.DEMO, ""),
                "options": {"confd_url": url} if settings.DEMO == "xivo" else {},
            },
        )
        try:
            people = list(backend_for(pbx).users())
        except TelephonyError as error:
            raise CommandError(f"the simulated PBX can't be read: {error}") from None
        sync_users(pbx, people)
        demo_accounts.mark(User.objects.filter(pbx=pbx).values_list("pk", flat=True))
        if is_new:  # it has forgotten what it was told, which is nobody's wish
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
