from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from pytest_django import Settings

from bluetel.accounts.models import Pbx, User
from bluetel.accounts.pbx import close_backends
from contacts.pbx_directory import PbxDirectory
from tests.apps.contacts.fakes import PBXS, ByHand, Clock, DirectoryPbx


@pytest.fixture
def pbx(db: None) -> Pbx:
    return Pbx.objects.create(name="demo", kind=Pbx.Kind.WAZO)


@pytest.fixture
def directory_pbx(settings: Settings) -> Iterator[DirectoryPbx]:
    """The PBX's side of the directory."""
    settings.PBX_BACKENDS = {"wazo": "tests.apps.contacts.fakes.backend"}
    # Clearing a Redis would empty it under the other workers' tests.
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": uuid4().hex}}
    close_backends()
    PBXS["demo"] = DirectoryPbx()
    yield PBXS["demo"]
    close_backends()
    PBXS.clear()


@pytest.fixture
def threads() -> ByHand:
    return ByHand()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(directory_pbx: DirectoryPbx, threads: ByHand, clock: Clock) -> PbxDirectory:
    """Our side of it."""
    return PbxDirectory(clock=clock, executor=threads)


def a_user(pbx: Pbx | None, extension: str, name: str, **more: object) -> User:
    first, _, last = name.partition(" ")
    return User.objects.create(
        username=f"user{extension}",
        first_name=first,
        last_name=last,
        email=f"{first}.{last}@demo.test".lower(),
        pbx=pbx,
        pbx_user_id=f"uuid-{extension}" if pbx else "",
        extension=extension,
        **more,
    )


@pytest.fixture
def camille(pbx: Pbx) -> User:
    """The one who searches."""
    return a_user(pbx, "1001", "Camille Renard")


@pytest.fixture
def nadia(pbx: Pbx) -> User:
    return a_user(pbx, "1002", "Nadia Belkacem", mobile="06 39 98 12 01")


@pytest.fixture
def ines(pbx: Pbx) -> User:
    return a_user(pbx, "1005", "Inès Morvan")
