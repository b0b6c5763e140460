"""The settings pages of presence: who may see one, and whom one sees first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bluetel.accounts.models import User
from presence import selectors, team
from presence.audiences import choose_audience
from presence.models import AudienceChoice, Group, XmppAccount
from presence.refusals import Refused
from presence.xmpp_rules import read_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpResponse

    from bluetel.accounts.http import SignedInRequest

SUGGESTED = 500


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def privacy(request: SignedInRequest) -> HttpResponse:
    """Who may see one's phone, and one's chat status."""
    if request.method == "POST":
        try:
            for axis in AudienceChoice.Axis.values:
                people = request.POST.getlist(f"{axis}-person")
                if added := request.POST.get(f"{axis}-add", "").strip():
                    people.append(team.find_person(added, pbx=request.user.pbx_id))
                choose_audience(
                    request.user,
                    axis,
                    request.POST.get(f"{axis}-audience", ""),
                    people=people,
                    groups=request.POST.getlist(f"{axis}-group"),
                    now=timezone.now(),
                )
        except Refused as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, _("Saved. It holds from now on."))
        return redirect("privacy")
    chosen = selectors.audience_of(request.user)
    names = _names(one for axis in chosen.values() for one in axis["people"])
    halves = [
        {
            "axis": axis,
            "audience": chosen[axis]["audience"],
            "people": [(one, names[one]) for one in chosen[axis]["people"] if one in names],
            "groups": chosen[axis]["groups"],
        }
        for axis in AudienceChoice.Axis.values
    ]
    context = {
        "halves": halves,
        "groups": [(str(group.pk), group.name) for group, _people in _groups(request.user)],
        "colleagues": _suggestions(request.user),
        "is_mutual": settings.PRESENCE_RECIPROCITY,
    }
    return render(request, "settings/privacy.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def chat(request: SignedInRequest) -> HttpResponse:
    """The user's address on the company's chat server; not there where there is none."""
    address = read_address(settings.ENV.xmpp_url.get_secret_value())
    if address is None:
        raise Http404
    account = XmppAccount.objects.filter(user=request.user).first()
    if request.method == "POST":
        jid = request.POST.get("jid", "").strip().lower()[:256]
        if jid and jid.rpartition("@")[2] != address.domain.lower():
            messages.error(
                request, _("The address must end in @%(domain)s.") % {"domain": address.domain}
            )
            return redirect("chat")
        changes = {"jid": jid}
        if "forget" in request.POST:
            changes["password"] = ""
        elif request.POST.get("password"):
            changes["password"] = request.POST["password"]
        XmppAccount.objects.update_or_create(user=request.user, defaults=changes)
        messages.success(request, _("Saved. It holds within half a minute."))
        return redirect("chat")
    context = {
        "jid": account.jid if account else "",
        "by_default": request.user.email,
        "is_published": bool(account and account.password),
    }
    return render(request, "settings/chat.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def my_team(request: SignedInRequest) -> HttpResponse:
    """Favourites and groups, each in the user's own order."""
    if request.method == "POST":
        try:
            _arrange(request)
        except Refused as refusal:
            messages.error(request, refusal.message)
        return redirect("team")
    favourites = selectors.favourite_ids(request.user)
    groups = _groups(request.user)
    names = _names([*favourites, *(one for _group, people in groups for one in people)])
    context = {
        "favourites": [(one, names[one]) for one in favourites if one in names],
        "groups": [(group, [(one, names[one]) for one in people]) for group, people in groups],
        "colleagues": _suggestions(request.user),
    }
    return render(request, "settings/team.html", context)


@login_required
@require_POST
def arrange_group(request: SignedInRequest, group_id: int) -> HttpResponse:
    """Rename, move or dissolve a group, or say who is in it."""
    group = Group.objects.filter(owner=request.user, pk=group_id).first()
    if group is None:
        raise Http404
    now = timezone.now()
    try:
        match request.POST.get("action", ""):
            case "delete":
                team.delete_group(group, now=now)
            case "up" | "down" as way:
                team.move_group(group, up=way == "up")
            case _:
                team.rename_group(group, request.POST.get("name", ""))
                people = request.POST.getlist("person")
                if added := request.POST.get("add", "").strip():
                    people.append(team.find_person(added, pbx=request.user.pbx_id))
                team.set_group_people(group, people, now=now)
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("team")


def _arrange(request: SignedInRequest) -> None:
    """What the page's own two forms ask: the favourites, or a new group."""
    if "group" in request.POST:
        team.make_group(request.user, request.POST["group"])
        return
    people = request.POST.getlist("person")
    first = request.POST.get("first", "")
    if first in people:
        people.remove(first)
        people.insert(0, first)
    if added := request.POST.get("add", "").strip():
        people.append(team.find_person(added, pbx=request.user.pbx_id))
    team.set_favourites(request.user, people)


def _groups(user: User) -> list[tuple[Group, list[str]]]:
    return selectors.groups_of(user)


def _names(ids: Iterable[str]) -> dict[str, str]:
    users = User.objects.filter(pk__in=set(ids), is_active=True)
    return {str(user.pk): user.display_name for user in users}


def _suggestions(user: User) -> list[tuple[str, str]]:
    """What finds somebody, and his name: an extension is one's own PBX's (team.find_person)."""
    found = User.objects.filter(is_active=True)[:SUGGESTED]
    return [
        (
            one.extension if one.extension and one.pbx_id == user.pbx_id else one.username,
            one.display_name,
        )
        for one in found
    ]
