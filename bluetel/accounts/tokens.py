"""Whose token it is: read at each request of a program."""

from __future__ import annotations

from bluetel.accounts.models import ApiToken, Pbx, User

_OWNER = """
SELECT owner.* FROM accounts_apitoken AS token JOIN accounts_user AS owner
 ON owner.id = token.user_id WHERE token.digest = %s AND owner.is_active
"""


def owner_of(token: str) -> User | None:
    """The token's user with his PBX, if the token is known and he may sign in."""
    user = next(iter(User.objects.raw(_OWNER, [ApiToken.digest_of(token)])), None)
    if user is not None and user.pbx_id is not None:
        user.pbx = Pbx.objects.raw("SELECT * FROM accounts_pbx WHERE id = %s", [user.pbx_id])[0]
    return user
