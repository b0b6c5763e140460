"""Addresses of the contact base's pages."""

from __future__ import annotations

from django.urls import path

from contacts.views import books, duplicates, editing, imports, people

app_name = "contacts"
urlpatterns = [
    path("", people.people, name="people"),
    path("rows/", people.rows, name="rows"),
    path("new/", editing.new, name="new"),
    path("duplicates/", duplicates.duplicates, name="duplicates"),
    path("duplicates/decide/", duplicates.decide, name="decide"),
    path("books/", books.books, name="books"),
    path("books/<int:book_id>/", books.book, name="book"),
    path("books/<int:book_id>/delete/", books.delete, name="book-delete"),
    path("books/<int:book_id>/export/<slug:form>/", books.export, name="book-export"),
    path("books/<int:book_id>/import/", imports.send, name="import-send"),
    path("imports/<int:run_id>/", imports.follow, name="import"),
    path("imports/<int:run_id>/part/", imports.follow_part, name="import-part"),
    path("deleted/<int:deletion_id>/restore/", editing.restore, name="restore"),
    path("<str:contact_id>/", people.card, name="card"),
    path("<str:contact_id>/part/", people.card_part, name="card-part"),
    path("<str:contact_id>/photo/", people.photo, name="photo"),
    path("<str:contact_id>/edit/", editing.edit, name="edit"),
    path("<str:contact_id>/delete/", editing.delete, name="delete"),
    path("<str:contact_id>/apart/", editing.set_apart, name="apart"),
]
