"""Addresses of the dialer's forms; the JSON API is the same by another door."""

from __future__ import annotations

from django.urls import path

from dialer import views

app_name = "dialer"
urlpatterns = [
    path("call/", views.call, name="call"),
    path("calls/<str:call_id>/", views.call_page, name="call-page"),
    path("calls/<str:call_id>/<slug:action>/", views.call_action, name="call-action"),
]
