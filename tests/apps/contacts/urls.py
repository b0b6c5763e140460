"""The addresses of BlueTel with those of the contact base, whether they are mounted yet or not."""

from __future__ import annotations

from django.urls import path
from ninja import NinjaAPI

from bluetel.api import contacts, errors
from bluetel.api.auth import KEYS
from bluetel.urls import urlpatterns as all_of_them

api = NinjaAPI(title="Contacts", auth=KEYS, docs_url=None, openapi_url=None, urls_namespace="own")
errors.install(api)
api.add_router("/contacts", contacts.router)

urlpatterns = [path("api/v1/", api.urls), *all_of_them]
