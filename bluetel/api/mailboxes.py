"""``/api/v1/mailboxes``: where the PBX's mails about voice messages arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ninja import Field, Router, Schema, Status

from bluetel.accounts.http import SignedInRequest
from bluetel.api import schemas
from voicemail import mailboxes

if TYPE_CHECKING:
    from voicemail.models import Mailbox as MailboxRow

router = Router(tags=["voicemail"])
ERRORS = {400: schemas.Error, 403: schemas.Error, 404: schemas.Error}
Tls = Literal["implicit", "starttls"]


class NewMailbox(Schema):
    """How to reach a mailbox by IMAP; use an app password.

    With ``auth`` ``xoauth2`` the password is an access token, or, with ``token_url``, the refresh
    token that gets access tokens there.
    """

    host: str = Field(min_length=1, max_length=253)
    port: int | None = Field(None, ge=1, le=65535)
    tls: Tls = "implicit"
    username: str = Field(min_length=1, max_length=320)
    password: str = Field(min_length=1, max_length=8000)
    folder: str = Field("INBOX", max_length=200)
    auth: Literal["password", "xoauth2"] = "password"
    token_url: str = Field("", max_length=500)
    client_id: str = Field("", max_length=300)
    client_secret: str = Field("", max_length=1000)


class Mailbox(Schema):
    """A mailbox that is watched; its password never comes out again."""

    id: str
    host: str
    port: int
    tls: Tls
    username: str
    folder: str
    auth: Literal["password", "xoauth2"]
    last_read_at: str | None
    error: str | None = Field(
        description="why it can't be read now: address_refused, unreachable, certificate,"
        " sign_in_refused, no_such_folder or failed"
    )


class Mailboxes(Schema):
    """All of the user's, newest first."""

    mailboxes: list[Mailbox]


@router.get("", response=Mailboxes, summary="The mailboxes that are watched")
def listed(request: SignedInRequest) -> dict[str, object]:
    """With what is wrong with each, if anything is."""
    return {"mailboxes": [_record(one) for one in mailboxes.mailboxes_of(request.user)]}


@router.post("", response={201: Mailbox, **ERRORS}, summary="Watch a mailbox")
def add(request: SignedInRequest, body: NewMailbox) -> Status[dict[str, object]]:
    """It is connected to at once; the same one again changes its password."""
    default = 993 if body.tls == "implicit" else 143
    access = mailboxes.Access(
        host=body.host,
        port=body.port or default,
        tls=body.tls,
        username=body.username,
        password=body.password,
        folder=body.folder,
        is_token=body.auth == "xoauth2",
        token_url=body.token_url if body.auth == "xoauth2" else "",
        client_id=body.client_id,
        client_secret=body.client_secret,
    )
    return Status(201, _record(mailboxes.add(request.user, access)))


@router.delete("/{mailbox_id}", response={204: None, **ERRORS}, summary="Watch it no more")
def remove(request: SignedInRequest, mailbox_id: str) -> Status[None]:
    """The mails stay where they are."""
    mailboxes.remove(request.user, mailbox_id)
    return Status(204, None)


def _record(mailbox: MailboxRow) -> dict[str, object]:
    read_at = mailbox.last_read_at
    return {
        "id": str(mailbox.pk),
        "host": mailbox.host,
        "port": mailbox.port,
        "tls": mailbox.tls,
        "username": mailbox.username,
        "folder": mailbox.folder,
        "auth": "xoauth2" if mailbox.is_token else "password",
        "last_read_at": read_at.isoformat().replace("+00:00", "Z") if read_at else None,
        "error": mailbox.error or None,
    }
