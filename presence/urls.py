"""Addresses of the forms around a person's own presence."""

from __future__ import annotations

from django.urls import path

from presence import views

app_name = "presence"
urlpatterns = [
    path("status/", views.choose_status, name="status"),
    path("favourites/<str:person>/", views.mark_favourite, name="favourite"),
    path("call-wishes/<str:person>/", views.wish_to_call, name="call-wish"),
]
