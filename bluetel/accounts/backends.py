"""Who may come in: a BlueTel account, or the login and password of the PBX."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Q
from django.utils import timezone

from bluetel.accounts.demo_accounts import is_open_here
from bluetel.accounts.models import Pbx, User
from bluetel.accounts.pbx import backend_for
from bluetel.accounts.services import remember_pbx_login, tie_identity
from bluetel.accounts.signed_in import user_by_id
from bluetel.telephony.errors import AuthenticationFailed, TelephonyError

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)


class UserBackend(ModelBackend):
    """Reads a signed-in user together with his PBX, which every page asks for."""

    def user_can_authenticate(self, user: Any) -> bool:
        """Whether an account is open: not disabled, and one of the demo's in the demo only."""
        return super().user_can_authenticate(user) and is_open_here(user)

    def get_user(self, user_id: int) -> User | None:
        """The user of a session, unless he is disabled by now."""
        user = user_by_id(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


class AccountBackend(UserBackend):
    """Signs in by username or e-mail, whatever their case, with BlueTel's own password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The user, or None; an unknown name costs as much time as a wrong password."""
        if not username or not password:
            return None
        found = list(User.objects.filter(Q(username__iexact=username) | Q(email__iexact=username)))
        for user in sorted(found, key=lambda user: user.username.lower() != username.lower()):
            if user.has_usable_password() and user.check_password(password):
                return user if self.user_can_authenticate(user) else None
        if not found:
            check_password(password, make_password(password))
        return None


class PbxLoginBackend(UserBackend):
    """Signs in with the PBX's login; the first time, the PBX's person gets his BlueTel user."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Ask each PBX that may know the name; one that is down is told to the sign-in page."""
        if not username or not password:
            return None
        for pbx in self._candidates(username):
            try:
                backend = backend_for(pbx)
                identity = backend.authenticate(username, password)
                user = tie_identity(pbx, identity)
                if user is not None and backend.uses_own_logins:
                    remember_pbx_login(
                        user,
                        login=identity.login,
                        password=password,
                        works=True,
                        now=timezone.now(),
                    )
            except AuthenticationFailed:
                continue
            except TelephonyError as error:
                logger.warning("sign-in through PBX %s is not possible now: %s", pbx.name, error)
                if request is not None:
                    request.pbx_unreachable = True  # type: ignore[attr-defined]
                continue
            return user if user and self.user_can_authenticate(user) else None
        return None

    @staticmethod
    def _candidates(username: str) -> list[Pbx]:
        own = Pbx.objects.filter(
            Q(users__username__iexact=username)
            | Q(users__email__iexact=username)
            | Q(users__pbx_login__iexact=username)
        ).distinct()
        return list(own) or list(Pbx.objects.all())
