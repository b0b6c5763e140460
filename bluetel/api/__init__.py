"""The JSON API under ``/api/v1/``, described at ``/api/v1/openapi.json``."""

from __future__ import annotations

from ninja import NinjaAPI

from bluetel.api import (
    calendars,
    call_wishes,
    calls,
    contacts,
    errors,
    history,
    mailboxes,
    people,
    privacy,
    routing,
    statuses,
    voicemail,
)
from bluetel.api.auth import KEYS

api = NinjaAPI(
    title="BlueTel",
    version="1",
    description="The telephone of a company's web pages.",
    docs_url=None,
    openapi_url="/openapi.json",
    auth=KEYS,
    urls_namespace="api",
)
errors.install(api)
api.add_router("", people.router)  # first, for its search
api.add_router("/calendars", calendars.router)
api.add_router("/calls", calls.router)
api.add_router("/call-wishes", call_wishes.router)
api.add_router("/contacts", contacts.router)
api.add_router("/mailboxes", mailboxes.router)
api.add_router("/voicemail", voicemail.router)
api.add_router("/history", history.router)
api.add_router("", statuses.router)
api.add_router("", privacy.router)
api.add_router("", routing.router)
