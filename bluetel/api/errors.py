"""The API's errors: one shape, a code for programs and a sentence for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja.errors import AuthenticationError, HttpError, ValidationError

from bluetel.calls import errors as call_errors
from forwarding.calendars.errors import CalendarError
from presence.refusals import Refused
from voicemail.errors import VoicemailError

if TYPE_CHECKING:
    from ninja import NinjaAPI

STATUS_OF_CODE = {
    "invalid_number": HTTPStatus.BAD_REQUEST,
    "invalid_digits": HTTPStatus.BAD_REQUEST,
    "invalid_request": HTTPStatus.BAD_REQUEST,
    "number_refused": HTTPStatus.FORBIDDEN,
    "no_meeting": HTTPStatus.BAD_REQUEST,
    "no_voicemail": HTTPStatus.BAD_REQUEST,
    "invalid_sound": HTTPStatus.BAD_REQUEST,
    "address_refused": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "phone_unreachable": HTTPStatus.CONFLICT,
    "no_line": HTTPStatus.CONFLICT,
    "key_reused": HTTPStatus.CONFLICT,
    "not_busy": HTTPStatus.CONFLICT,
    "not_supported": HTTPStatus.CONFLICT,
    "calendar_unreachable": HTTPStatus.BAD_GATEWAY,
    "call_ended": HTTPStatus.CONFLICT,
    "too_many_calls": HTTPStatus.TOO_MANY_REQUESTS,
    "pbx_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}


NAME_LIMIT = 100
"""Of a field's name, which a caller chose, so many characters are given back."""

_WHY = {
    "missing": gettext_noop("it is missing"),
    "extra_forbidden": gettext_noop("there is no field of this name"),
    "literal_error": gettext_noop("it takes %(values)s"),
    "bool": gettext_noop("it takes true or false"),
    "int": gettext_noop("it takes a number"),
    "int_from_float": gettext_noop("it takes a number"),
    "string": gettext_noop("it takes text"),
    "string_too_long": gettext_noop("it is too long"),
    "string_too_short": gettext_noop("it is too short"),
    "list": gettext_noop("it takes a list"),
    "model_attributes": gettext_noop("it takes an object"),
    "datetime": gettext_noop("it takes a time as in 2026-11-25T09:00:00Z"),
    "datetime_from_date": gettext_noop("it takes a time as in 2026-11-25T09:00:00Z"),
    "greater_than_equal": gettext_noop("it is out of range"),
    "less_than_equal": gettext_noop("it is out of range"),
}
_KINDS = {"bool", "datetime", "float", "int", "str"}


TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
"""What Django says of a request that has more in it than is ever needed."""


class ApiError(Exception):
    """Any other refusal, with its code and the sentence the user reads."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def error_response(
    status: int, code: str, message: str, *, retry_after: int | None = None
) -> HttpResponse:
    """The one shape of all errors."""
    response = JsonResponse({"error": {"code": code, "message": message}}, status=status)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def too_large() -> str:
    """What is said of a request that has more in it than is ever needed."""
    return _("This is more than is taken at once.")


def install(api: NinjaAPI) -> None:
    """Turn every exception a route may raise into that shape."""
    _install_frame(api)

    @api.exception_handler(call_errors.CallError)
    def _call_error(request: HttpRequest, error: call_errors.CallError) -> HttpResponse:
        return error_response(
            STATUS_OF_CODE[error.code], error.code, error.message, retry_after=error.retry_after
        )

    @api.exception_handler(VoicemailError)
    def _voicemail_error(request: HttpRequest, error: VoicemailError) -> HttpResponse:
        return error_response(STATUS_OF_CODE[error.code], error.code, error.message)

    @api.exception_handler(Refused)
    @api.exception_handler(CalendarError)
    @api.exception_handler(ApiError)
    def _api_error(request: HttpRequest, error: ApiError | Refused | CalendarError) -> HttpResponse:
        return error_response(STATUS_OF_CODE[error.code], error.code, error.message)


def _install_frame(api: NinjaAPI) -> None:
    """The errors of the API itself: who asks, how, and for what."""

    @api.exception_handler(AuthenticationError)
    def _not_signed_in(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        response = error_response(
            HTTPStatus.UNAUTHORIZED, "not_signed_in", _("Sign in first, or send a valid token.")
        )
        response["WWW-Authenticate"] = "Bearer"
        return response

    @api.exception_handler(ValidationError)
    def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        first = error.errors[0] if error.errors else {}
        field = _field(first)[:NAME_LIMIT]
        if field == "number" and first.get("type") != "extra_forbidden":
            return error_response(
                HTTPStatus.BAD_REQUEST, "invalid_number", _("Give the number as text.")
            )
        return error_response(
            HTTPStatus.BAD_REQUEST,
            "invalid_request",
            _("The field %(field)s can't be read: %(why)s.") % {"field": field, "why": _why(first)},
        )

    @api.exception_handler(HttpError)
    def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
        match error.status_code:
            case HTTPStatus.FORBIDDEN:
                code, text = "csrf_failed", _("The page is too old. Load it again and retry.")
            case HTTPStatus.BAD_REQUEST:
                code, text = "invalid_request", _("The body is no readable JSON.")
            case _:
                code, text = "failed", str(error)
        return error_response(error.status_code, code, text)

    @api.exception_handler(Http404)
    def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return error_response(HTTPStatus.NOT_FOUND, "not_found", _("There is nothing here."))


def _field(error: dict[str, Any]) -> str:
    """The field's name: pydantic ends its place with the row of a list, or the kind tried."""
    names = [
        part
        for part in error.get("loc", ())
        if isinstance(part, str) and part not in _KINDS and "[" not in part
    ]
    return names[-1] if names else "?"


def _why(error: dict[str, Any]) -> str:
    """What pydantic found, in the user's language; its ``type`` is the stable part."""
    kind = str(error.get("type", "")).removesuffix("_type").removesuffix("_parsing")
    expected = str(error.get("ctx", {}).get("expected", ""))
    sentence = _WHY.get(kind, gettext_noop("it is not what the interface describes"))
    return _(sentence) % {"values": expected.replace(" or ", ", ")}
