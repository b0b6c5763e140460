"""The addresses below ``/settings/books/``."""

from __future__ import annotations

from django.urls import path

from contacts import account_views as views

app_name = "books"
urlpatterns = [
    path("", views.books, name="accounts"),
    path("<int:account_id>/keep/", views.keep, name="keep"),
    path("<int:account_id>/look/", views.look, name="look"),
    path("<int:account_id>/password/", views.password, name="password"),
    path("<int:account_id>/remove/", views.remove, name="remove"),
    path("book/<int:book_id>/sync/", views.sync, name="sync"),
    path("conflicts/<int:card_id>/", views.resolve, name="resolve"),
]
