"""Signing in with the company's AD or LDAP password (bind as user).

The directory says who somebody is, by e-mail address; BlueTel's own rows say who is an
administrator. So nobody becomes one by an address in the directory, unless a directory group that
the administrator named here gives it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction

from bluetel.accounts.backends import UserBackend
from bluetel.accounts.models import User
from bluetel.ldap.client import client_for
from bluetel.ldap.config import Grant, GrantKind, LdapConfig
from bluetel.ldap.errors import LdapError
from bluetel.ldap.sign_in import DirectoryIdentity, Refusal, sign_in

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)


class LdapBackend(UserBackend):
    """Signs in by directory login or e-mail; the first time, the person gets a BlueTel user."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The user, or None whatever the reason; a directory that is down is told to the page."""
        config: LdapConfig | None = getattr(settings, "LDAP_CONFIG", None)
        if config is None or not username or not password:
            return None
        try:
            identity = sign_in(client_for(config), username, password=password)
        except LdapError as error:
            # The client has logged what broke, once; here nothing of the person may be written.
            logger.info("nobody can sign in by LDAP now: %s", error.reason)
            if request is not None:
                request.ldap_unreachable = True  # type: ignore[attr-defined]
            return None
        if isinstance(identity, Refusal):
            logger.info("sign-in by LDAP refused: %s", identity)
            return None
        user = user_of(identity, may_give=config.grants)
        return user if user is not None and self.user_can_authenticate(user) else None


def user_of(identity: DirectoryIdentity, *, may_give: frozenset[Grant]) -> User | None:
    """The BlueTel user of somebody the directory has vouched for, made at the first sign-in.

    What ``may_give`` names is given or taken back by today's group memberships; other groups and
    rights of the user stay. None when his address is an administrator's or several users'.
    """
    user = _matched_or_new(identity, may_give=may_give)
    if user is None:
        return None
    if user.is_active:
        with transaction.atomic():
            _apply(identity.grants, user, may_give=may_give)
    return user


def _matched_or_new(identity: DirectoryIdentity, *, may_give: frozenset[Grant]) -> User | None:
    try:
        with transaction.atomic():
            found = list(User.objects.filter(email__iexact=identity.email)[:2])
            if not found:
                return _new(identity)
    except IntegrityError:
        # Either two tabs of his came at once, or another user has this address as his name.
        found = list(User.objects.filter(email__iexact=identity.email)[:2])
    if len(found) != 1:
        logger.warning("sign-in by LDAP refused: the e-mail address is not one user's alone")
        return None
    if _is_protected(found[0], identity.grants, may_give=may_give):
        logger.warning(
            "sign-in by LDAP refused: user %s is an administrator, and administrators sign in "
            "with BlueTel's own password",
            found[0].pk,
        )
        return None
    return found[0]


def _is_protected(user: User, grants: frozenset[Grant], *, may_give: frozenset[Grant]) -> bool:
    """Whether an address in the directory must not open this account.

    Staff is fine where the directory's groups say so too. Where they decide on staff and this
    sign-in is his only one, they may also take it back.
    """
    staff = Grant(GrantKind.STAFF)
    if user.is_superuser:
        return True
    if not user.is_staff or staff in grants:
        return False
    return staff not in may_give or user.has_usable_password()


def _new(identity: DirectoryIdentity) -> User:
    user = User(
        username=identity.email[:150],
        email=identity.email,
        first_name=identity.given_name[:150],
        last_name=identity.family_name[:150],
    )
    user.set_unusable_password()
    user.save()
    return user


def _apply(grants: frozenset[Grant], user: User, *, may_give: frozenset[Grant]) -> None:
    for grant in may_give:
        given = grant in grants
        if grant.kind is GrantKind.STAFF and user.is_staff != given:
            user.is_staff = given
            user.save(update_fields=["is_staff"])
        elif grant.kind is GrantKind.GROUP:
            group, _ = Group.objects.get_or_create(name=grant.name)
            (user.groups.add if given else user.groups.remove)(group)
        elif grant.kind is GrantKind.PERMISSION:
            app, _, codename = grant.name.partition(".")
            permissions = Permission.objects.filter(content_type__app_label=app, codename=codename)
            (user.user_permissions.add if given else user.user_permissions.remove)(*permissions)
