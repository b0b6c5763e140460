"""What a transactional test leaves to the next."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command

from bluetel.accounts.models import User
from tests.apps.house import House


@pytest.mark.django_db(transaction=True)
def test_what_was_written_goes_and_what_migrating_made_stays(house: House) -> None:
    made = set(Permission.objects.values_list("codename", "content_type__model"))
    assert User.objects.exists()
    call_command("flush", interactive=False, verbosity=0)
    assert not User.objects.exists()
    assert ("view_user", "user") in made
    assert set(Permission.objects.values_list("codename", "content_type__model")) == made
