"""Whose a request is, with his PBX: read at each of them, so by one plain statement."""

from __future__ import annotations

from bluetel.accounts.demo_accounts import is_open_here
from bluetel.accounts.models import ApiToken, Pbx, User
from bluetel.rows import Value, columns_of, pairs_of

_USER_AND_PBX = (
    f"SELECT {columns_of(User, 'member')}, {columns_of(Pbx, 'pbx')}"  # noqa: S608
    " FROM accounts_user AS member LEFT JOIN accounts_pbx AS pbx ON pbx.id = member.pbx_id"
)
_BY_ID = f"{_USER_AND_PBX} WHERE member.id = %s"
_BY_TOKEN = (
    f"{_USER_AND_PBX} JOIN accounts_apitoken AS token ON token.user_id = member.id"
    " WHERE token.digest = %s AND member.is_active"
)


def user_by_id(user_id: int) -> User | None:
    """The user of a session, disabled or not."""
    return _user(_BY_ID, user_id)


def user_by_token(token: str) -> User | None:
    """The token's user, if the token is known and he may sign in."""
    user = _user(_BY_TOKEN, ApiToken.digest_of(token))
    return user if user is not None and is_open_here(user) else None


def _user(statement: str, value: Value) -> User | None:
    for user, pbx in pairs_of(User, Pbx, statement, [value]):
        user.pbx = pbx
        return user
    return None
