"""What the contact base notices of other apps' rows."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save, pre_delete

from bluetel.accounts.models import Pbx, User
from contacts import colleagues
from contacts.index import store as index
from contacts.models import Book


def connect() -> None:
    """Start to notice."""
    post_save.connect(_user_changed, sender=User, dispatch_uid="contacts.user_changed")
    post_delete.connect(_user_changed, sender=User, dispatch_uid="contacts.user_gone")
    post_save.connect(_pbx_changed, sender=Pbx, dispatch_uid="contacts.pbx_changed")
    post_delete.connect(_pbx_changed, sender=Pbx, dispatch_uid="contacts.pbx_gone")
    pre_delete.connect(_book_goes, sender=Book, dispatch_uid="contacts.book_goes")


def _user_changed(instance: User, update_fields: Any = None, **rest: Any) -> None:
    colleagues.mark(instance, update_fields)


def _pbx_changed(**rest: Any) -> None:
    """Its name stands with its people, who have none once it is gone."""
    colleagues.mark_all()


def _book_goes(instance: Book, **rest: Any) -> None:
    """Rows of the index have no foreign keys: take them along."""
    index.forget_book(instance.pk)
