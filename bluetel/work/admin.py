"""Jobs for administrators: what waits, what was given up and why, and to try that again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bluetel.work import queue
from bluetel.work.models import Job

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    JobAdminBase = admin.ModelAdmin[Job]
else:
    JobAdminBase = admin.ModelAdmin


@admin.register(Job)
class JobAdmin(JobAdminBase):
    """The jobs' rows, to read."""

    list_display = ("function", "key", "state", "due_at", "runs", "error")
    list_filter = ("state", "function")
    readonly_fields = tuple(field.name for field in Job._meta.fields)  # noqa: SLF001 — Django's documented way
    actions = ("try_again",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only code makes jobs."""
        return False

    @admin.action(description=_("Try the given-up ones again"))
    def try_again(self, request: HttpRequest, rows: QuerySet[Job]) -> None:
        """Put given-up jobs back into the queue."""
        revived = queue.revive(rows, now=timezone.now())
        self.message_user(
            request,
            ngettext("%(count)d job waits again.", "%(count)d jobs wait again.", revived)
            % {"count": revived},
        )
