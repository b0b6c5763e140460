"""Secrets at rest."""

from __future__ import annotations

import pytest
from django.db import connection
from pytest_django import Settings

from bluetel.accounts.encryption import UnreadableSecret, decrypt, encrypt
from bluetel.accounts.models import Pbx


def test_what_is_sealed_opens_again_and_only_for_its_purpose() -> None:
    sealed = encrypt("s3cret", purpose="a")
    assert "s3cret" not in sealed
    assert decrypt(sealed, purpose="a") == "s3cret"
    with pytest.raises(UnreadableSecret):
        decrypt(sealed, purpose="b")


def test_an_old_key_still_opens_and_a_lost_one_does_not(settings: Settings) -> None:
    sealed = encrypt("s3cret", purpose="a")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new"
    assert decrypt(sealed, purpose="a") == "s3cret"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(UnreadableSecret):
        decrypt(sealed, purpose="a")


@pytest.mark.django_db
def test_the_database_never_holds_a_pbx_s_password_in_clear() -> None:
    Pbx.objects.create(name="x", kind="wazo", password="s3cret")
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM accounts_pbx")
        ((stored,),) = cursor.fetchall()
    assert "s3cret" not in stored
    assert Pbx.objects.get().password == "s3cret"
