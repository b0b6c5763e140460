"""Where Django meets telephony: the backend object of a PBX row."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.utils.module_loading import import_string

from bluetel.accounts.account_book import AccountBook
from bluetel.accounts.models import Pbx
from bluetel.telephony.ports import Backend, BackendFactory, PbxConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

_lock = threading.Lock()
_backends: dict[int, tuple[PbxConfig, Backend]] = {}


def config_of(pbx: Pbx) -> PbxConfig:
    """What the telephony client needs to know of a row."""
    return PbxConfig(
        name=pbx.name,
        url=pbx.url,
        username=pbx.username,
        password=pbx.password,
        tenant=pbx.tenant,
        ca_file=pbx.ca_file or settings.ENV.ca_file,
        voicemail_prefix=pbx.voicemail_prefix,
        api_key=pbx.api_key,
        confd_password=pbx.confd_password,
        options=pbx.options,
        accounts=AccountBook(pbx.pk),
    )


def read_secrets() -> None:
    """Open what is sealed of every PBX; raises ``encryption.UnreadableSecret``."""
    list(Pbx.objects.all())


def check_options(kind: str, options: Mapping[str, object]) -> None:
    """Have the backend of a kind look at a row's options; raises ``TelephonyError``."""
    factory = cast("BackendFactory", import_string(settings.PBX_BACKENDS[kind]))
    probe = PbxConfig(
        name="options", url="http://127.0.0.1", username="", password="", options=options
    )
    factory(probe).close()


def open_backend(pbx: Pbx) -> Backend:
    """A client of its own, for a row that need not be saved; whoever opens it closes it.

    Raises ``TelephonyError`` where the row can't work: its address, CA file or options.
    """
    factory = cast("BackendFactory", import_string(settings.PBX_BACKENDS[pbx.kind]))
    return factory(config_of(pbx))


def backend_for(pbx: Pbx) -> Backend:
    """The one client of this PBX in this process, made anew when its row has changed.

    The client keeps its connections and its token between requests, so it is shared by all
    threads.
    """
    config = config_of(pbx)
    with _lock:
        known = _backends.get(pbx.pk)
        if known and known[0] == config:
            return known[1]
        factory = cast("BackendFactory", import_string(settings.PBX_BACKENDS[pbx.kind]))
        backend = factory(config)
        _backends[pbx.pk] = (config, backend)
    if known:
        known[1].close()
    return backend


def close_backends() -> None:
    """Sign out everywhere: at the end of the process, and between tests."""
    with _lock:
        gone = [backend for _, backend in _backends.values()]
        _backends.clear()
    for backend in gone:
        backend.close()
