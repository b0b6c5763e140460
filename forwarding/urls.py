"""The settings pages of what happens to calls."""

from __future__ import annotations

from django.urls import path, re_path

from forwarding import views

app_name = "forwarding"
urlpatterns = [
    path("account/", views.account, name="account"),
    path("calendar/", views.calendar, name="calendar"),
    path("calendar/add/", views.calendar_add, name="calendar-add"),
    path("calendar/<int:calendar_id>/refresh/", views.calendar_refresh, name="calendar-refresh"),
    path("calendar/<int:calendar_id>/remove/", views.calendar_remove, name="calendar-remove"),
    path("forwards/", views.forwards, name="forwards"),
    path("forwards/suppress/", views.suppress, name="suppress"),
    path("forwards/unsuppress/", views.unsuppress, name="unsuppress"),
    re_path(r"^forwards/part/(?P<name>today|ahead|banner)/$", views.part, name="part"),
]
