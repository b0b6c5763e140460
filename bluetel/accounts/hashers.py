"""How passwords are kept: hashed slowly on purpose, beside everything else that goes on."""

from __future__ import annotations

from django.contrib.auth import hashers

from bluetel.one_core import on_any_core


class Argon2PasswordHasher(hashers.Argon2PasswordHasher):
    """Django's, whose eight threads compute on all cores, as far as there are any."""

    def encode(self, password: str, salt: str) -> str:
        """The password's hash."""
        with on_any_core():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Whether this is the password of a hash."""
        with on_any_core():
            return super().verify(password, encoded)
