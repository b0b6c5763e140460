from __future__ import annotations

import pytest
from django.forms.models import model_to_dict

from bluetel.accounts.models import Pbx, User
from bluetel.accounts.services import create_api_token
from bluetel.accounts.signed_in import user_by_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def nadia() -> User:
    pbx = Pbx.objects.create(
        name="house", kind=Pbx.Kind.WAZO, password="s3cret", options={"a": [1, "é"]}
    )
    return User.objects.create(username="nadia", pbx=pbx, extension="1002", language="fr")


def test_a_tokens_owner_is_read_with_his_pbx_as_the_models_have_them(nadia: User) -> None:
    owner = user_by_token(create_api_token(nadia))
    assert owner is not None
    nadia.refresh_from_db()
    assert model_to_dict(owner) == model_to_dict(nadia)
    assert (owner.date_joined, owner.is_active) == (nadia.date_joined, True)
    assert owner.pbx is not None
    assert nadia.pbx is not None
    assert model_to_dict(owner.pbx) == model_to_dict(nadia.pbx)
    assert owner.pbx.password == "s3cret"


def test_who_has_no_pbx_owns_his_token_too() -> None:
    ada = User.objects.create(username="ada")
    owner = user_by_token(create_api_token(ada))
    assert owner == ada
    assert owner is not None
    assert owner.pbx is None


def test_an_unknown_token_and_that_of_a_disabled_account_are_nobodys(nadia: User) -> None:
    token = create_api_token(nadia)
    assert user_by_token("nothing") is None
    User.objects.filter(pk=nadia.pk).update(is_active=False)
    assert user_by_token(token) is None
