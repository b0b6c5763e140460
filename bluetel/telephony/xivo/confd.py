"""Everybody through the older xivo-confd 1.1, where an administrator has named one.

``GET /1.1/users`` has logins and mail addresses, its ``directory`` view the numbers; both go by the
user's id. Not confirmed on a current edition (docs/pbx-backends.md).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

from bluetel.telephony.errors import AuthenticationFailed, PbxUnavailable, ProtocolError
from bluetel.telephony.http import HttpDoor
from bluetel.telephony.types import PbxUser

USERS = "/1.1/users"
PAGE = 500


class Confd:
    """The user list of one confd."""

    def __init__(self, door: HttpDoor, *, username: str, password: str) -> None:
        """``username`` may be empty: confd lets its own host in without one."""
        self._door = door
        self._headers: dict[str, str] = {}
        if username:
            basic = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
            self._headers["Authorization"] = f"Basic {basic}"

    def users(self) -> Iterator[PbxUser]:
        """Everybody with a CTI login."""
        numbers = {
            str(item.get("id")): _text(item, "exten") for item in self._items(view="directory")
        }
        for item in self._items():
            login = _text(item, "username")
            if not login:
                continue
            number = numbers.get(str(item.get("id")), "")
            yield PbxUser.by_login(
                login=login,
                number=number,
                first_name=_text(item, "firstname"),
                last_name=_text(item, "lastname"),
                email=_text(item, "email"),
                mobile=_text(item, "mobile_phone_number"),
            )

    def _items(self, **params: str) -> Iterator[Mapping[str, object]]:
        skipped = 0
        while True:
            page = self._page({"limit": PAGE, "skip": skipped, **params})
            yield from page
            if len(page) < PAGE:
                return
            skipped += PAGE

    def _page(self, params: Mapping[str, str | int]) -> list[Mapping[str, object]]:
        answer = self._door.send("GET", USERS, what="people", params=params, headers=self._headers)
        if answer.status in {401, 403}:
            raise AuthenticationFailed("confd refuses its account")
        if answer.status != 200:
            raise PbxUnavailable(f"people: confd answered {answer.status}")
        body = answer.json()
        items = body.get("items") if isinstance(body, Mapping) else None
        if not isinstance(items, list):
            raise ProtocolError("confd's people have no items")
        return [item for item in items if isinstance(item, Mapping)]


def _text(item: Mapping[str, object], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""
