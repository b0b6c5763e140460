"""Whose token it is: read at each request of a program."""

from __future__ import annotations

from bluetel.accounts.models import ApiToken, Pbx, User
from bluetel.rows import columns_of, objects_of

_OWNER = (
    f"SELECT {columns_of(User, 'owner')} FROM accounts_apitoken AS token"  # noqa: S608
    " JOIN accounts_user AS owner ON owner.id = token.user_id"
    " WHERE token.digest = %s AND owner.is_active"
)
_PBX = f"SELECT {columns_of(Pbx, 'accounts_pbx')} FROM accounts_pbx WHERE id = %s"  # noqa: S608


def owner_of(token: str) -> User | None:
    """The token's user with his PBX, if the token is known and he may sign in."""
    for user in objects_of(User, _OWNER, [ApiToken.digest_of(token)]):
        if user.pbx_id is not None:
            (user.pbx,) = objects_of(Pbx, _PBX, [user.pbx_id])
        return user
    return None
