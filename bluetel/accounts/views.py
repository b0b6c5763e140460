"""Signing in, and choosing a language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bluetel.accounts.forms import PbxLoginForm, SignInForm
from bluetel.accounts.phone_system import standing_of
from bluetel.accounts.services import WrongPbxLogin, forget_pbx_login, give_pbx_login

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from bluetel.accounts.http import SignedInRequest


class SignInView(LoginView):
    """The sign-in page; in the demo it shows the demo accounts."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether this is the demo."""
        return super().get_context_data(is_demo=bool(settings.DEMO), **kwargs)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def phone_system(request: SignedInRequest) -> HttpResponse:
    """The user's own login on his PBX, what it lets BlueTel do, and what not."""
    if standing_of(request.user) is None:
        raise Http404
    is_removal = request.method == "POST" and "remove" in request.POST
    if is_removal:
        forget_pbx_login(request.user)
        messages.info(request, _("Your login is removed."))
        return redirect("phone-system")
    form = PbxLoginForm(request.POST or None, initial={"login": request.user.pbx_login})
    if request.method == "POST" and form.is_valid():
        try:
            is_checked = give_pbx_login(request.user, **form.cleaned_data, now=timezone.now())
        except WrongPbxLogin:
            form.add_error(None, _("The phone system doesn't take this login for your line."))
        else:
            text = _("Saved.") if is_checked else _("Saved. It is checked as soon as possible.")
            messages.info(request, text)
            return redirect("phone-system")
    context = {"form": form, "standing": standing_of(request.user)}
    status = 400 if form.errors else 200
    return render(request, "settings/phone_system.html", context, status=status)


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the language with the user when he is signed in, in a cookie otherwise."""
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        target = "/"
    response = redirect(target)
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES) and check_for_language(language):
        if request.user.is_authenticated:
            request.user.language = language
            request.user.save(update_fields=["language"])
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=31_536_000,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
