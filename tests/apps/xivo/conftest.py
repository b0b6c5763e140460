"""A site on a XiVO: the simulated XUC on loopback, its people known to BlueTel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.test import Client

from bluetel.accounts.models import Pbx, PbxLogin, User
from bluetel.accounts.pbx import close_backends
from bluetel.accounts.services import sync_users
from bluetel.telephony.simulator.loopback import PASSWORD, USERNAME
from bluetel.telephony.simulator.scenario import build
from bluetel.telephony.simulator.xivo_server.serve import API_KEY, LoopbackXuc
from bluetel.telephony.types import PbxUser

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class XivoSite:
    """The XUC, the PBX's row, and its people."""

    def __init__(self, xuc: LoopbackXuc) -> None:
        self.xuc = xuc
        self.pbx = Pbx.objects.create(
            name="site",
            kind=Pbx.Kind.XIVO,
            url=xuc.url,
            username=USERNAME,
            password=PASSWORD,
            api_key=API_KEY,
            push_secret="right-secret",
            options={"remote_makes": ["Yealink"]},
        )
        people = xuc.do(
            lambda pbx: [
                PbxUser.by_login(
                    one.login,
                    number=one.extension,
                    first_name=one.first_name,
                    last_name=one.last_name,
                    email=one.email,
                )
                for one in pbx.everybody()
            ]
        )
        sync_users(self.pbx, people)

    def user(self, extension: str) -> User:
        return User.objects.select_related("pbx").get(extension=extension)

    def give_login(self, extension: str, *, works: bool | None = True) -> PbxLogin:
        """As if he had entered it."""
        user = self.user(extension)
        return PbxLogin.objects.create(
            user=user, login=user.pbx_login, password="demo", works=works
        )

    def browser(self, extension: str) -> Client:
        """A browser signed in as them."""
        browser = Client()
        browser.force_login(
            self.user(extension), backend="bluetel.accounts.backends.AccountBackend"
        )
        return browser


@pytest.fixture
def site(transactional_db: None) -> Iterator[XivoSite]:
    """Rows are committed, for the backend reads them in threads of its own."""
    with LoopbackXuc(build(now=NOW), stands_still=True) as xuc:
        yield XivoSite(xuc)
        close_backends()
