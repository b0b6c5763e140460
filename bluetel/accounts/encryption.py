"""Secrets at rest: readable with the installation's key only, each column with a key of its own."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.expressions import BaseExpression

    EncryptedBase = models.TextField[str, str]
else:
    EncryptedBase = models.TextField


class UnreadableSecret(Exception):
    """A stored secret was written under a key this installation doesn't have."""


@lru_cache(maxsize=64)
def _cipher(keys: tuple[str, ...], purpose: str) -> MultiFernet:
    return MultiFernet(
        [
            Fernet(
                base64.urlsafe_b64encode(
                    HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(key.encode())
                )
            )
            for key in keys
        ]
    )


def _cipher_now(purpose: str) -> MultiFernet:
    return _cipher((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS), purpose)


def encrypt(text: str, *, purpose: str) -> str:
    """``text`` sealed for ``purpose``; what was sealed for another purpose can't be opened."""
    return _cipher_now(purpose).encrypt(text.encode()).decode("ascii")


def decrypt(sealed: str, *, purpose: str) -> str:
    """The text in ``sealed``; raises :class:`UnreadableSecret` when the key has changed."""
    try:
        return _opened(_cipher_now(purpose), sealed)
    except InvalidToken as error:
        raise UnreadableSecret(purpose) from error


@lru_cache(maxsize=64)
def _opened(cipher: MultiFernet, sealed: str) -> str:
    """The last few stay: a PBX's are read at each request, and its client holds them anyway."""
    return cipher.decrypt(sealed.encode("ascii")).decode()


class EncryptedTextField(EncryptedBase):
    """Text that the database holds sealed; it can't be searched, and empty stays empty."""

    def __init__(self, *args: object, purpose: str = "", **kwargs: object) -> None:
        self.purpose = purpose
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def deconstruct(self) -> tuple[str, str, list[object], dict[str, object]]:
        """Keep the purpose in migrations: it is part of the key."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, list(args), {**kwargs, "purpose": self.purpose}

    def get_prep_value(self, value: str | None) -> str | None:
        """Seal on the way in."""
        prepared: str | None = super().get_prep_value(value)
        return encrypt(prepared, purpose=self.purpose) if prepared else prepared

    def from_db_value(
        self, value: str | None, expression: BaseExpression, connection: BaseDatabaseWrapper
    ) -> str | None:
        """Open on the way out."""
        return decrypt(value, purpose=self.purpose) if value else value
