"""The NAME argument that several commands take."""

from __future__ import annotations

from django.core.management.base import CommandError

from bluetel.accounts.models import Pbx


def pbx_named(name: str) -> Pbx:
    """The PBX row, or a command error that lists the names there are."""
    pbx = Pbx.objects.filter(name=name).first()
    if pbx is None:
        names = ", ".join(Pbx.objects.order_by("name").values_list("name", flat=True))
        raise CommandError(f"no PBX is called {name}; there is: {names or 'none, see connect_pbx'}")
    return pbx
