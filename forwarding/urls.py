"""The settings pages of what happens to calls."""

from __future__ import annotations

from django.urls import path

from forwarding import views

app_name = "forwarding"
urlpatterns = [
    path("account/", views.account, name="account"),
]
