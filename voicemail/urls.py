"""Addresses of the voicemail page and its forms; the JSON API is the same by another door."""

from __future__ import annotations

from django.urls import path

from voicemail import greeting_views, views
from voicemail.call_back import call_back

app_name = "voicemail"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("call-back/<str:token>/", call_back, name="call-back"),
    path("greetings/", greeting_views.page, name="greetings"),
    path("greetings/<slug:name>/", greeting_views.change, name="greeting"),
    path("greetings/<slug:name>/sound.wav", greeting_views.sound, name="greeting-sound"),
    path("<str:message_id>/", views.inbox, name="message"),
    path("<str:message_id>/<slug:action>/", views.act, name="act"),
]
