"""What BlueTel knows of a PBX's people, for PBXs that have no list of them: ``ports.AccountBook``.

A backend asks from threads of its own, where nobody else would close the database connection.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone

from bluetel.accounts.models import PbxLogin, User
from bluetel.telephony.ports import OwnLogin
from bluetel.telephony.types import Line, PbxUser, PbxUserId, PhoneFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet


@contextmanager
def _database() -> Iterator[None]:
    """Leave the thread's connection as it was found: open, or not there."""
    was_open = connection.connection is not None
    try:
        yield
    finally:
        if not was_open:
            connection.close()


class AccountBook:
    """The rows of one PBX's users."""

    def __init__(self, pbx_id: int) -> None:
        """Nothing is read yet."""
        self._pbx_id = pbx_id

    def people(self) -> list[PbxUser]:
        """Everybody tied to this PBX."""
        with _database():
            users = User.objects.filter(pbx_id=self._pbx_id).exclude(pbx_user_id="")
            return [_person(user) for user in users]

    def login_of(self, user: PbxUserId) -> OwnLogin | None:
        """Somebody's own login, where he gave it."""
        with _database():
            row = self._rows(user).first()
        if row is None:
            return None
        return OwnLogin(login=row.login, password=row.password, works=row.works)

    def note_login(self, user: PbxUserId, tried: OwnLogin, *, works: bool) -> None:
        """Remember whether the PBX takes it; a row that says the same is left alone.

        So is one that holds another login by now.
        """
        with _database(), transaction.atomic():
            row = self._rows(user).select_for_update(of=("self",)).first()
            if row is None or (row.login, row.password) != (tried.login, tried.password):
                return
            if row.works is not works:
                self._rows(user).update(works=works, checked_at=timezone.now())

    def phone_of(self, user: PbxUserId) -> PhoneFacts | None:
        """What the PBX last said of somebody's telephone."""
        with _database():
            row = self._rows(user).filter(is_phone_told=True).first()
        if row is None:
            return None
        return PhoneFacts(make=row.phone_make, web_rtc=row.web_rtc, has_device=row.has_device)

    def note_phone(self, user: PbxUserId, phone: PhoneFacts) -> None:
        """Remember it; a row that says the same is left alone."""
        facts = {
            "is_phone_told": True,
            "phone_make": phone.make[:40],
            "web_rtc": phone.web_rtc,
            "has_device": phone.has_device,
        }
        with _database():
            if not self._rows(user).filter(**facts).exists():
                self._rows(user).update(**facts)

    def _rows(self, user: PbxUserId) -> QuerySet[PbxLogin]:
        return PbxLogin.objects.filter(user__pbx_id=self._pbx_id, user__pbx_user_id=user)


def _person(user: User) -> PbxUser:
    lines = (Line(id=user.extension, extension=user.extension),) if user.extension else ()
    return PbxUser(
        id=PbxUserId(user.pbx_user_id),
        login=user.pbx_login or user.pbx_user_id,
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        mobile=user.mobile,
        language=user.language,
        time_zone=user.time_zone,
        lines=lines,
    )
