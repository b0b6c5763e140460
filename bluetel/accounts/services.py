"""Changes to people: tying them to a PBX, bringing a whole PBX in, giving programs a token."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.text import slugify

from bluetel.accounts.models import ApiToken, Pbx, PbxLogin, User
from bluetel.accounts.pbx import backend_for
from bluetel.telephony.errors import AuthenticationFailed, TelephonyError
from bluetel.telephony.types import Identity, PbxUser, PbxUserId

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from datetime import datetime

LANGUAGES = {"fr", "en"}


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a synchronisation did, in numbers of people."""

    created: int
    updated: int
    unlinked: int


class NobodyListed(Exception):
    """The list of a PBX's people is empty, which is a fault of its source and nobody's wish."""


def tie_identity(pbx: Pbx, identity: Identity) -> User | None:
    """The BlueTel user of a proven PBX identity, made or matched at the first sign-in.

    None when the person may not be matched: his e-mail belongs to an administrator, or to
    somebody who already is another person of a PBX.
    """
    person = backend_for(pbx).user(identity.user)
    with transaction.atomic():
        user = _match(pbx, person)
        if user is None:
            if _email_is_taken(person.email):
                return None
            user = _new_user(pbx, person)
        _fill(user, pbx, person, login=identity.login)
        user.save()
    return user


def sync_users(pbx: Pbx, people: Iterable[PbxUser]) -> SyncResult:
    """Make everybody of a PBX a BlueTel user, matched by PBX id, then by e-mail.

    Who is gone from the PBX keeps his account and loses his phone. Raises :class:`NobodyListed`
    where there is nobody at all, for that would take everybody's.
    """
    people = list(people)
    if not people:
        raise NobodyListed
    created = updated = 0
    seen: set[str] = set()
    there = _Names.of_everybody()
    for person in people:
        seen.add(person.id)
        with transaction.atomic():
            user = _of_pbx(pbx, person) or there.take_by_email(person.email)
            if user is None:
                user = _new_user(pbx, person)
                created += 1
            else:
                updated += 1
            _fill(user, pbx, person, login=person.login, taken=there.usernames)
            user.save()
            there.usernames.add(user.username.casefold())
    gone = User.objects.filter(pbx=pbx).exclude(pbx_user_id="")
    stale = [pk for pk, pbx_id in gone.values_list("pk", "pbx_user_id") if pbx_id not in seen]
    unlinked = User.objects.filter(pk__in=stale).update(pbx_user_id="", extension="")
    return SyncResult(created=created, updated=updated, unlinked=unlinked)


def remember_pbx_login(
    user: User, *, login: str, password: str, works: bool | None, now: datetime
) -> None:
    """Keep somebody's own login on his PBX, sealed; it replaces the one there was."""
    PbxLogin.objects.update_or_create(
        user=user,
        defaults={
            "login": login,
            "password": password,
            "works": works,
            "checked_at": None if works is None else now,
        },
    )
    _tell_backend(user)


class WrongPbxLogin(Exception):
    """The PBX refuses the login, or it is somebody else's."""


def give_pbx_login(user: User, *, login: str, password: str, now: datetime) -> bool:
    """Have the PBX check a login of the user's own, and keep it.

    False when the PBX can't be asked now: the login is kept all the same, and tried later. Raises
    :class:`WrongPbxLogin`.
    """
    if user.pbx is None:
        raise WrongPbxLogin
    try:
        identity = backend_for(user.pbx).authenticate(login, password)
    except AuthenticationFailed as error:
        raise WrongPbxLogin from error
    except TelephonyError:
        remember_pbx_login(user, login=login, password=password, works=None, now=now)
        return False
    if identity.user != user.pbx_user_id:
        # Else one could act as somebody else by knowing his password once.
        raise WrongPbxLogin
    remember_pbx_login(user, login=identity.login, password=password, works=True, now=now)
    return True


def forget_pbx_login(user: User) -> None:
    """Throw somebody's own login away."""
    PbxLogin.objects.filter(user=user).delete()
    _tell_backend(user)


def _tell_backend(user: User) -> None:
    if user.pbx is not None and user.pbx_user_id:
        backend_for(user.pbx).refresh_login(PbxUserId(user.pbx_user_id))


def create_api_token(user: User) -> str:
    """A new bearer token for ``user``; this is the only time anybody sees it."""
    token = secrets.token_urlsafe(32)
    ApiToken.objects.create(user=user, digest=ApiToken.digest_of(token))
    return token


def find_user(name: str) -> User | None:
    """Somebody by username, e-mail or PBX id, as administrators name people; empty names nobody."""
    if not name:
        return None
    for lookup in ("username__iexact", "email__iexact", "pbx_user_id"):
        user = User.objects.filter(**{lookup: name}).order_by("pk").first()
        if user is not None:
            return user
    return None


@dataclass(frozen=True, slots=True)
class _Names:
    """Everybody's names, read once: to look each of thousands up takes a look at all of them.

    ``by_email`` are the keys of those without a place on a PBX, the eldest last.
    """

    usernames: set[str]
    by_email: dict[str, list[int]]

    @classmethod
    def of_everybody(cls) -> _Names:
        rows = list(
            User.objects.order_by("-pk").values_list("pk", "username", "email", "pbx_user_id")
        )
        by_email: dict[str, list[int]] = {}
        for pk, _, email, pbx_user_id in rows:
            if email and not pbx_user_id:
                by_email.setdefault(email.casefold(), []).append(pk)
        return cls({username.casefold() for _, username, _, _ in rows}, by_email)

    def take_by_email(self, email: str) -> User | None:
        """Who has this address and still no place on a PBX; nobody is given twice."""
        keys = self.by_email.get(email.casefold(), [])
        while keys:
            user = User.objects.filter(pk=keys.pop(), pbx_user_id="").first()
            if user is not None:
                return user
        return None


def _of_pbx(pbx: Pbx, person: PbxUser) -> User | None:
    return User.objects.filter(pbx=pbx, pbx_user_id=person.id).first()


def _match(pbx: Pbx, person: PbxUser) -> User | None:
    known = _of_pbx(pbx, person)
    if known is not None or not person.email:
        return known
    same_mail = User.objects.filter(email__iexact=person.email, pbx_user_id="")
    # Whoever edits e-mail addresses on the PBX must not become an administrator here.
    same_mail = same_mail.filter(is_staff=False, is_superuser=False)
    return same_mail.order_by("pk").first()


def _email_is_taken(email: str) -> bool:
    return bool(email) and User.objects.filter(email__iexact=email).exists()


def _new_user(pbx: Pbx, person: PbxUser) -> User:
    """Somebody's account; its language and zone are the PBX's now, and then his own to choose."""
    language = person.language[:2]
    user = User(
        pbx=pbx,
        pbx_user_id=person.id,
        language=language if language in LANGUAGES else "",
        time_zone=person.time_zone,
    )
    user.set_unusable_password()
    return user


def _fill(
    user: User, pbx: Pbx, person: PbxUser, *, login: str, taken: Container[str] | None = None
) -> None:
    """Have somebody's account say what the PBX says; ``taken`` are all usernames, if known."""
    user.pbx = pbx
    user.pbx_user_id = person.id
    user.pbx_login = login or user.pbx_login
    user.first_name = person.first_name[:150]
    user.last_name = person.last_name[:150]
    user.email = person.email or user.email
    user.extension = person.extension
    user.mobile = person.mobile
    if not user.username:
        wanted = user.pbx_login or person.email or slugify(person.name)
        user.username = _free_username(wanted, taken)


def _free_username(wanted: str, taken: Container[str] | None) -> str:
    wanted = (wanted or "user")[:140]
    name, number = wanted, 1
    while _is_username(name) if taken is None else name.casefold() in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _is_username(name: str) -> bool:
    return User.objects.filter(username__iexact=name).exists()
