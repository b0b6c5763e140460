"""The company directory for administrators: how it is, and a button to read it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.jobs import read_directory_soon
from contacts.ldap.keeping import error_text
from contacts.models import DirectoryState

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    DirectoryAdminBase = admin.ModelAdmin[DirectoryState]
else:
    DirectoryAdminBase = admin.ModelAdmin


@admin.register(DirectoryState)
class DirectoryAdmin(DirectoryAdminBase):
    """Its one row, to read."""

    list_display = ("health", "people", "read_at", "repaired_at", "due_at")
    fields = readonly_fields = ("health", "people", "read_at", "repaired_at", "due_at", "failures")
    actions = ("read_changes", "compare_everybody")

    @admin.display(description=gettext_lazy("Health"))
    def health(self, state: DirectoryState) -> str:
        """In words, with what to do."""
        return error_text(state.error) or (
            _("It is read.") if state.read_at else _("Not read yet.")
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The settings say whether there is a directory."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: DirectoryState | None = None
    ) -> bool:
        """Nor is it taken away here."""
        return False

    @admin.action(description=gettext_lazy("Read now what changed"))
    def read_changes(self, request: HttpRequest, rows: QuerySet[DirectoryState]) -> None:
        """Have it read before its time."""
        read_directory_soon()
        self.message_user(request, _("The directory is being read."))

    @admin.action(description=gettext_lazy("Compare everybody now"))
    def compare_everybody(self, request: HttpRequest, rows: QuerySet[DirectoryState]) -> None:
        """Have it compared as a whole."""
        read_directory_soon(whole=True)
        self.message_user(request, _("The directory is being read."))
