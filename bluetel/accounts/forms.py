"""The sign-in form."""

from __future__ import annotations

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class SignInForm(AuthenticationForm):
    """Takes a login or an e-mail; says so when the PBX or the directory could not be asked."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["username"].label = _("Login or e-mail")
        self.fields["username"].widget.attrs["autocapitalize"] = "none"

    def get_invalid_login_error(self) -> ValidationError:
        """A refusal names neither which of the two was wrong nor who exists."""
        if getattr(self.request, "pbx_unreachable", False):
            return ValidationError(
                _(
                    "The phone system can't be reached, so its logins can't be checked now. "
                    "Try again in a minute."
                ),
                code="pbx_unavailable",
            )
        if getattr(self.request, "ldap_unreachable", False):
            return ValidationError(
                _(
                    "The company directory can't be reached, so its passwords can't be checked "
                    "now. Try again in a minute."
                ),
                code="ldap_unavailable",
            )
        return ValidationError(
            _("This login and password don't match. Check them and try again."),
            code="invalid_login",
        )
