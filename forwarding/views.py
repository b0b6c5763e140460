"""The settings pages of what happens to calls, and the parts of pages that follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluetel.accounts.forms import PlaceForm
from bluetel.accounts.middleware import activate_for
from bluetel.calls.errors import CallError
from forwarding import selectors, services
from forwarding.calendars.accounts import (
    add_calendar,
    add_upload,
    calendars_of,
    remove_calendar,
)
from forwarding.calendars.errors import CalendarError, error_of
from forwarding.calendars.reading import expand_all_of, read_calendar
from forwarding.doubts import doubts_of_forwards, doubts_of_rules
from forwarding.forms import CalendarForm, CalendarRuleForm, ForwardForm, ImRuleForm
from forwarding.outlook import outlook_of
from forwarding.unconfirmed import can_read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bluetel.accounts.http import SignedInRequest
    from bluetel.accounts.models import User
    from forwarding.messages import WarningRecord

FORWARDS = ("unconditional", "busy", "no_answer")


# --- Account --------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: SignedInRequest) -> HttpResponse:
    """Language, time zone, and what the chat status Busy does to calls."""
    user = request.user
    zone = user.time_zone
    place = PlaceForm(request.POST or None, instance=user)
    saved = selectors.automation_of(user)
    rule = ImRuleForm(request.POST or None, initial={**saved["im"]})
    if request.method == "POST" and place.is_valid() and rule.is_valid():
        try:
            services.save_automation(user, rule.changes, now=timezone.now())
        except CallError as error:
            rule.refuse(error)
        else:
            activate_for(place.save())
            if user.time_zone != zone:
                expand_all_of(user, now=timezone.now())
            messages.info(request, _("Saved."))
            return redirect("forwarding:account")
    errors = place.errors or rule.errors
    rule.doubt = "" if errors else _doubt(doubts_of_rules(user, saved), "im.number")
    return render(
        request,
        "settings/account.html",
        {"place": place, "rule": rule},
        status=400 if errors else 200,
    )


# --- Calendar -------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def calendar(request: SignedInRequest) -> HttpResponse:
    """What meetings do, what comes of it in the next days, and which calendars are read."""
    user = request.user
    saved = CalendarRuleForm.initial_of(selectors.automation_of(user))
    form = CalendarRuleForm(request.POST, initial=saved) if request.method == "POST" else None
    if form is not None and form.is_valid():
        try:
            services.save_automation(user, form.changes, now=timezone.now())
        except CallError as error:
            form.refuse(error)
        else:
            messages.info(request, _("Saved."))
            return redirect("forwarding:calendar")
    return _calendar_page(request, rule=form, status=400 if form is not None else 200)


@login_required
@require_POST
def calendar_add(request: SignedInRequest) -> HttpResponse:
    """Add a calendar; what can't be read at once is refused under its field."""
    form = CalendarForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            _add(request.user, form.cleaned_data)
        except CalendarError as error:
            field = "file" if form.cleaned_data["kind"] == "upload" else "url"
            form.add_error("password" if error.problem == "not_allowed" else field, error.message)
        else:
            messages.info(request, _("The calendar is read from now on."))
            return redirect("forwarding:calendar")
    return _calendar_page(request, adding=form, status=400)


@login_required
@require_POST
def calendar_refresh(request: SignedInRequest, calendar_id: int) -> HttpResponse:
    """Read one now."""
    found = get_object_or_404(calendars_of(request.user), pk=calendar_id)
    try:
        read_calendar(found, now=timezone.now())
    except CalendarError as error:
        messages.error(request, error.message)
    else:
        messages.info(request, _("The calendar has been read."))
    return redirect("forwarding:calendar")


@login_required
@require_POST
def calendar_remove(request: SignedInRequest, calendar_id: int) -> HttpResponse:
    """Forget one with all its meetings."""
    found = get_object_or_404(calendars_of(request.user), pk=calendar_id)
    remove_calendar(found, now=timezone.now())
    messages.info(request, _("The calendar is not read any more."))
    return redirect("forwarding:calendar")


def _add(user: User, data: dict[str, Any]) -> None:
    now = timezone.now()
    if data["kind"] == "upload":
        add_upload(user, data["file"].read(), name=data["file"].name, now=now)
        return
    added = add_calendar(
        user,
        kind=data["kind"],
        url=data["url"],
        username=data["username"],
        password=data["password"],
        now=now,
    )
    if added.error:
        remove_calendar(added, now=now)
        raise error_of(added.error)


def _calendar_page(
    request: SignedInRequest,
    *,
    rule: CalendarRuleForm | None = None,
    adding: CalendarForm | None = None,
    status: int,
) -> HttpResponse:
    user = request.user
    saved = selectors.automation_of(user)
    if rule is None:
        rule = CalendarRuleForm(initial=CalendarRuleForm.initial_of(saved))
        rule.doubt = _doubt(doubts_of_rules(user, saved), "calendar.number")
    calendars = [
        (one, error_of(one.error).message if one.error else "") for one in calendars_of(user)
    ]
    context = {
        "rule": rule,
        "adding": adding or CalendarForm(initial={"kind": "ics"}),
        "calendars": calendars,
        "outlook": outlook_of(user, now=timezone.now()),
    }
    return render(request, "settings/calendar.html", context, status=status)


# --- Forwards by hand -----------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def forwards(request: SignedInRequest) -> HttpResponse:
    """The user's own settings, wherever he made them; each is saved by itself."""
    user, now = request.user, timezone.now()
    problem, forms = "", {}
    try:
        services.refresh_forwards(user, now=now)
    except CallError as error:
        problem = error.message
    held = selectors.forwards_of(user)
    own: dict[str, Any] = {**held}
    doubts = doubts_of_forwards(user, held)
    which = request.POST.get("which", "")
    for name in FORWARDS:
        sent = request.POST if which == name else None
        forms[name] = ForwardForm(sent, initial=own[name], prefix=name)
        forms[name].doubt = "" if sent else _doubt(doubts, f"{name}.destination")
    if request.method == "POST":
        try:
            if which == "do_not_disturb":
                changes: dict[str, Any] = {"do_not_disturb": request.POST.get("enabled") == "on"}
                services.set_forwards(user, changes, now=now)
                _say_saved(request)
                return redirect("forwarding:forwards")
            if which in forms and forms[which].is_valid():
                services.set_forwards(user, {which: forms[which].cleaned_data}, now=now)
                _say_saved(request)
                return redirect("forwarding:forwards")
        except CallError as error:
            if which in forms and error.code not in {"pbx_unavailable", "no_line"}:
                forms[which].refuse(error)
            else:
                problem = error.message
    context = {
        "forms": forms,
        "own": own,
        "problem": problem,
        "outlook": outlook_of(user, now=now),
    }
    is_wrong = request.method == "POST"
    return render(request, "settings/forwards.html", context, status=400 if is_wrong else 200)


def _doubt(doubts: Iterable[WarningRecord], field: str) -> str:
    return next((one["message"] for one in doubts if one["field"] == field), "")


def _say_saved(request: SignedInRequest) -> None:
    """What can't be read back is said to be sent, and no more."""
    if can_read(request.user):
        messages.info(request, _("Saved."))
    else:
        messages.info(request, _("Sent to the phone system. It does not confirm what it has set."))


@login_required
@require_POST
def suppress(request: SignedInRequest) -> HttpResponse:
    """Not for this meeting, or never for this series."""
    scope = request.POST.get("scope")
    try:
        services.suppress(
            request.user, "series" if scope == "series" else "meeting", now=timezone.now()
        )
    except CallError as error:
        messages.error(request, error.message)
    return redirect(_next(request))


@login_required
@require_POST
def unsuppress(request: SignedInRequest) -> HttpResponse:
    """Let the meeting count again."""
    services.unsuppress(request.user, now=timezone.now())
    return redirect(_next(request))


@login_required
@require_safe
@never_cache
def part(request: SignedInRequest, name: str) -> HttpResponse:
    """A part of a page that follows the user's calls, drawn anew."""
    outlook = outlook_of(request.user, now=timezone.now())
    context = {"outlook": outlook, "here": _HERE[name] or request.GET.get("here", "/")}
    return render(request, f"forwarding/_{name}.html", context)


_HERE = {"today": "/", "ahead": "/settings/calendar/", "banner": ""}


def _next(request: SignedInRequest) -> str:
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        return target
    return "/"
