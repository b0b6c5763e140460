"""Addresses of the accounts app, beside Django's own sign-out."""

from __future__ import annotations

from django.urls import path

from bluetel.accounts import views

app_name = "accounts"
urlpatterns = [path("language/", views.choose_language, name="language")]
