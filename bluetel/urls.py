"""Every address of BlueTel."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from bluetel import demo, health, views
from bluetel.accounts.views import SignInView, phone_system
from bluetel.api import api
from dialer.views import calls, latest
from presence import settings_views as presence_pages
from voicemail import preferences

urlpatterns = [
    path("api/v1/", api.urls),  # first, for it is asked at every key that is pressed
    path("", views.home, name="home"),
    path("legend/", views.legend, name="legend"),
    path("accounts/login/", SignInView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/", include("bluetel.accounts.urls")),
    path("calls/", calls, name="calls"),
    path("calls/latest/", latest, name="latest-calls"),
    path("contacts/", include("contacts.urls")),
    path("dialer/", include("dialer.urls")),
    path("presence/", include("presence.urls")),
    path("voicemail/", include("voicemail.urls")),
    path("settings/voicemail/", preferences.page, name="voicemail-settings"),
    path("settings/voicemail/mail/", preferences.deliver, name="voicemail-settings-mail"),
    path("settings/voicemail/links/", preferences.revoke, name="voicemail-settings-links"),
    path(
        "settings/voicemail/<str:mailbox_id>/remove/",
        preferences.remove,
        name="voicemail-settings-remove",
    ),
    path("settings/privacy/", presence_pages.privacy, name="privacy"),
    path("settings/chat/", presence_pages.chat, name="chat"),
    path("settings/team/", presence_pages.my_team, name="team"),
    path("settings/team/<int:group_id>/", presence_pages.arrange_group, name="team-group"),
    path("settings/books/", include("contacts.account_urls")),
    path("settings/phone-system/", phone_system, name="phone-system"),
    path("settings/", include("forwarding.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]
if settings.DEMO:
    urlpatterns += [
        path("demo/phones/", demo.phones, name="demo-phones"),
        path("demo/phones/state/", demo.state, name="demo-phones-state"),
        path("demo/phones/<str:extension>/<slug:action>/", demo.act, name="demo-phone-action"),
    ]

handler400 = "bluetel.views.bad_request"
handler403 = "bluetel.views.forbidden"
handler404 = "bluetel.views.not_found"
handler500 = "bluetel.views.server_error"
