"""``/settings/books/``: accounts at address-book servers, and what waits for the user's choice."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from bluetel.fetch.door import origin_of
from bluetel.fetch.site import site_door
from contacts.account_form import AccountForm, PasswordForm
from contacts.errors import ContactNotFound
from contacts.jobs import compare_soon
from contacts.models import CardDavAccount, RemoteBook
from contacts.remote_accounts import (
    MOST_ACCOUNTS,
    AccountRefused,
    add_account,
    change_password,
    keep_books,
    look_again,
    remove_account,
)
from contacts.remote_clashes import choose, clashes_of, count_clashes
from contacts.remote_errors import error_text, refusal_text
from contacts.remote_rounds import touch
from contacts.selectors import find_contact, public_id
from contacts.sync import Choice
from contacts.wording import clash_texts

if TYPE_CHECKING:
    from django.http import HttpResponse

    from bluetel.accounts.http import SignedInRequest
    from bluetel.accounts.models import User

SHOWN = 20


class BookState(TypedDict):
    """A book of a server, kept here (``remote``) or not."""

    url: str
    name: str
    is_writable: bool
    remote: RemoteBook | None
    contacts: int
    is_working: bool
    error: str


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def books(request: SignedInRequest) -> HttpResponse:
    """The page; a POST adds an account."""
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = _added(request, form)
        if account is not None:
            messages.info(
                request,
                ngettext(
                    "Account added. It has %(count)s address book.",
                    "Account added. It has %(count)s address books: tick those you want here.",
                    len(account.found),
                )
                % {"count": len(account.found)},
            )
            return redirect("books:accounts")
    return render(
        request,
        "settings/books.html",
        {
            "form": form,
            "accounts": _accounts(request.user, now=timezone.now()),
            "clashes": [clash_texts(clash) for clash in clashes_of(request.user, limit=SHOWN)],
            "clash_count": count_clashes(request.user),
        },
        status=400 if form.errors else 200,
    )


@login_required
@require_POST
def keep(request: SignedInRequest, account_id: int) -> HttpResponse:
    """Keep the ticked books here and no others."""
    account = _account(request, account_id)
    keep_books(account, request.POST.getlist("book"), now=timezone.now())
    for book in account.books.filter(synced_at=None).values_list("pk", flat=True):
        compare_soon(book)
    messages.info(request, _("Saved."))
    return redirect("books:accounts")


@login_required
@require_POST
def look(request: SignedInRequest, account_id: int) -> HttpResponse:
    """See which books the account has by now."""
    look_again(_account(request, account_id), door=site_door())
    return redirect("books:accounts")


@login_required
@require_POST
def password(request: SignedInRequest, account_id: int) -> HttpResponse:
    """Take another password, if the server does."""
    account = _account(request, account_id)
    form = PasswordForm(request.POST)
    if form.is_valid():
        try:
            change_password(account, form.cleaned_data["password"], door=site_door())
        except AccountRefused as refused:
            messages.error(request, refusal_text(refused.code, origin=refused.origin))
        else:
            for book in account.books.values_list("pk", flat=True):
                compare_soon(book)
            messages.info(request, _("Password changed."))
    return redirect("books:accounts")


@login_required
@require_POST
def remove(request: SignedInRequest, account_id: int) -> HttpResponse:
    """Forget the account; the server stays as it is."""
    stay = remove_account(_account(request, account_id), now=timezone.now())
    if stay:
        messages.info(
            request,
            ngettext(
                "Account removed. %(count)s book stays in BlueTel, for the server hadn't got "
                "everything in it.",
                "Account removed. %(count)s books stay in BlueTel, for the server hadn't got "
                "everything in them.",
                stay,
            )
            % {"count": stay},
        )
    else:
        messages.info(request, _("Account removed. Your contacts are still on the server."))
    return redirect("books:accounts")


@login_required
@require_POST
def sync(request: SignedInRequest, book_id: int) -> HttpResponse:
    """Compare a book now; with ``empty``, believe the server that most of it is gone."""
    # The key itself is a reference, and Django hands any number in one to the database.
    remote = get_object_or_404(RemoteBook, book__id=book_id, account__user=request.user)
    if "empty" in request.POST:
        RemoteBook.objects.filter(pk=remote.pk).update(may_empty=True)
    touch(remote.pk)
    compare_soon(remote.pk)
    return redirect("books:accounts")


@login_required
@require_POST
def resolve(request: SignedInRequest, card_id: int) -> HttpResponse:
    """Do what the user chose of a card that was changed on both sides."""
    answer = request.POST.get("choice", "")
    if answer in set(Choice):
        try:
            done = choose(request.user, card_id, Choice(answer), now=timezone.now())
        except ContactNotFound:
            done = True  # chosen in another window
        if not done:
            messages.error(request, _("This contact has just changed again. Look once more."))
    card = find_contact(request.user, request.POST.get("card", ""))
    if card is not None:
        return redirect("contacts:card", public_id(card.pk, card.user_id))
    return redirect("books:accounts")


def _added(request: SignedInRequest, form: AccountForm) -> CardDavAccount | None:
    if CardDavAccount.objects.filter(user=request.user).count() >= MOST_ACCOUNTS:
        form.add_error(None, _("You have as many accounts as BlueTel keeps for one person."))
        return None
    try:
        account = add_account(request.user, **form.cleaned_data, door=site_door())
    except AccountRefused as refused:
        form.add_error(None, refusal_text(refused.code, origin=refused.origin))
        return None
    if len(account.found) == 1:
        keep_books(account, [account.found[0]["url"]], now=timezone.now())
        for book in account.books.values_list("pk", flat=True):
            compare_soon(book)
    return account


def _account(request: SignedInRequest, account_id: int) -> CardDavAccount:
    return get_object_or_404(CardDavAccount, pk=account_id, user=request.user)


def _accounts(user: User, *, now: datetime) -> list[dict[str, object]]:
    accounts = CardDavAccount.objects.filter(user=user).order_by("pk")
    return [
        {
            "id": account.pk,
            "where": origin_of(account.url).partition("://")[2],
            "username": account.username,
            "error": error_text(account.error),
            "books": _book_states(account, now=now),
        }
        for account in accounts.defer("password")
    ]


def _book_states(account: CardDavAccount, *, now: datetime) -> list[BookState]:
    kept = {
        remote.url: remote
        for remote in account.books.select_related("book").annotate(
            contact_count=Count("book__contacts")
        )
    }
    found = {book["url"]: (book["name"], book["is_writable"]) for book in account.found}
    for url, remote in kept.items():
        found.setdefault(url, (remote.book.name, remote.is_writable))
    return [
        BookState(
            url=url,
            name=name,
            is_writable=is_writable,
            remote=kept.get(url),
            contacts=getattr(kept.get(url), "contact_count", 0),
            is_working=_is_working(kept.get(url), now),
            error=error_text(kept[url].error) if url in kept else "",
        )
        for url, (name, is_writable) in found.items()
    ]


def _is_working(remote: RemoteBook | None, now: datetime) -> bool:
    if remote is None:
        return False
    at_work = remote.working_until is not None and remote.working_until > now
    never = remote.synced_at is None and not remote.error
    return at_work or remote.is_touched or never
