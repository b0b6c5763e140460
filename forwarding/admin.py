"""The audit trail of what was written to the PBXs' forwards, to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from forwarding.models import PbxWrite

if TYPE_CHECKING:
    from django.http import HttpRequest

    PbxWriteAdminBase = admin.ModelAdmin[PbxWrite]
else:
    PbxWriteAdminBase = admin.ModelAdmin


@admin.register(PbxWrite)
class PbxWriteAdmin(PbxWriteAdminBase):
    """Every write: who, what, before, after, why."""

    list_display = ("at", "user", "what", "before", "after", "cause", "outcome")
    list_filter = ("outcome", "cause", "what")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__extension")
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only the engine writes."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: PbxWrite | None = None) -> bool:
        """What was written was written."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PbxWrite | None = None) -> bool:
        """A trail has no gaps."""
        return False
