"""Django's settings, all of them derived from :mod:`bluetel.env`."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from bluetel.env import (
    ROOT,
    SettingsError,
    database_settings,
    make_data_directory,
    read_environment,
)
from bluetel.ldap.config import ldap_config
from bluetel.ldap.errors import LdapSettingsError
from bluetel.mail_settings import mail_settings
from bluetel.secret_key import secret_key

try:
    ENV = read_environment(os.environ)
    DATA_DIR = (ROOT / ENV.data_dir).resolve()
    make_data_directory(DATA_DIR)
    DATABASES: dict[str, Any] = {
        "default": database_settings(ENV.database_url.get_secret_value(), data_dir=DATA_DIR)
    }
    LDAP_CONFIG = ldap_config(
        ENV.ldap_url,
        base=ENV.ldap_base,
        bind_dn=ENV.ldap_bind_dn,
        bind_password=ENV.ldap_bind_password.get_secret_value(),
        ca_file=ENV.ldap_ca_file or ENV.ca_file,
        person_filter=ENV.ldap_filter,
        schema=ENV.ldap_schema,
        attributes=ENV.ldap_attributes,
        groups=ENV.ldap_groups,
        country=ENV.country,
    )
    MAIL = mail_settings(
        ENV.email_url.get_secret_value(), public_host=urlsplit(ENV.origin).hostname or "localhost"
    )
    SECRET_KEY = secret_key(ENV.secret_key.get_secret_value(), data_dir=DATA_DIR)
except SettingsError as error:
    sys.exit(f"bluetel: {error}")
except LdapSettingsError as error:
    sys.exit(f"bluetel: BLUETEL_LDAP_…: {error}")

SECRET_KEY_FALLBACKS = list(ENV.secret_key_fallbacks)
DEBUG = ENV.debug
DEMO = ENV.demo

_origin_host = urlsplit(ENV.origin).hostname or ""
_origin_name = f"[{_origin_host}]" if ":" in _origin_host else _origin_host
ALLOWED_HOSTS = sorted({*ENV.allowed_hosts, _origin_name, "127.0.0.1", "localhost", "[::1]"})
CSRF_TRUSTED_ORIGINS = [ENV.origin]

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "axes",
    "csp",
    "bluetel",
    "bluetel.accounts",
    "bluetel.work",
    "bluetel.calls",
    "presence",
    "contacts",
    "dialer",
    "forwarding",
    "voicemail",
]

# All of these can be synchronous, and run so in one thread per request (bluetel/one_thread.py).
MIDDLEWARE = [
    "bluetel.middleware.TrustedProxiesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "bluetel.accounts.middleware.UserLocaleMiddleware",
    "bluetel.middleware.PrivatePagesMiddleware",
    "bluetel.middleware.ApiErrorsMiddleware",
    "bluetel.middleware.ReadingMiddleware",
    "bluetel.middleware.HeadMiddleware",
]

ROOT_URLCONF = "bluetel.urls"
ASGI_APPLICATION = "bluetel.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bluetel.shell.shell",
            ],
        },
    },
]

# --- People -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "bluetel.accounts.backends.AccountBackend",
    *(
        ["bluetel.accounts.ldap_backend.LdapBackend"]
        if LDAP_CONFIG is not None and ENV.ldap_sign_in
        else []
    ),
    "bluetel.accounts.backends.PbxLoginBackend",
]
PASSWORD_HASHERS = [
    "bluetel.accounts.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# Throttle by name and address together, so that nobody can lock a colleague out from afar.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.1
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

# --- Data ---------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = ENV.redis_url.get_secret_value()
# Of each installation its own: what another one says on a shared Redis must never reach the hub,
# and the numbers of Redis's databases don't keep apart what is published.
REDIS_PREFIX = f"bluetel-{hashlib.sha256(SECRET_KEY.encode()).hexdigest()[:12]}"
CHANNEL_LAYERS: dict[str, Any] = {
    "default": (
        {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": REDIS_PREFIX},
        }
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}
CACHES: dict[str, Any] = {
    "default": (
        {
            "BACKEND": "bluetel.redis_cache.OneClientCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": REDIS_PREFIX,
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

# --- Language and time --------------------------------------------------------------------------

LANGUAGE_CODE = ENV.language
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [ROOT / "locale"]
FORMAT_MODULE_PATH = ["bluetel.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = ENV.time_zone

# --- Static files -------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "bluetel.storage.HashedStaticFilesStorage"},
}

# --- Security -----------------------------------------------------------------------------------

SECURE_HSTS_SECONDS = 31_536_000 if ENV.is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENV.is_https
SECURE_HSTS_PRELOAD = ENV.is_https
SECURE_SSL_REDIRECT = ENV.is_https
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.trusted_proxies else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.is_https
SESSION_COOKIE_NAME = "__Host-bluetel" if ENV.is_https else "bluetel"
CSRF_COOKIE_NAME = "__Host-csrftoken" if ENV.is_https else "csrftoken"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "bluetel.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "media-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# --- What users have fetched (bluetel/fetch) ------------------------------------------------------

FETCH_ALLOW = ENV.fetch_allow
CA_FILE = ENV.ca_file
VOICEMAIL_SENDERS = ENV.voicemail_senders

# --- Mail ---------------------------------------------------------------------------------------

SENDS_MAIL = bool(MAIL.host)
EMAIL_BACKEND = MAIL.backend
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_SSL, EMAIL_USE_TLS = MAIL.is_implicit, MAIL.is_starttls
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = MAIL.sender

# --- Telephony ----------------------------------------------------------------------------------

PBX_BACKENDS = {
    "wazo": "bluetel.telephony.wazo.backend.WazoBackend",
    "xivo": "bluetel.telephony.xivo.backend.XivoBackend",
}
COUNTRY = ENV.country
ALLOWED_REGIONS = ENV.allowed_regions
CALLS_PER_MINUTE = ENV.calls_per_minute
PRESENCE_RECIPROCITY = ENV.presence_reciprocity

# --- Work in the background ----------------------------------------------------------------------

# What features do inside the engine for as long as it is on duty (bluetel/work/duties.py).
ENGINE_DUTIES = [
    "presence.xmpp_watch.XmppWatch",
    "voicemail.duties.VoicemailDuty",
    "voicemail.watching.MailboxDuty",
    "contacts.schedule.Schedule",
    "forwarding.calendars.duty.CalendarWatch",
    "forwarding.reconciler.Reconciler",
]
# What every engine does, also those that stand by: the more there are, the more jobs run at once.
COMMON_DUTIES = ["bluetel.work.in_process.JobRunner"]
# Who brings jobs to somebody who runs them (bluetel/work/jobs.py).
JOB_ADAPTER = "bluetel.work.in_process.ADAPTER"

# --- Logs ---------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    },
    "filters": {"plain_warning": {"()": "bluetel.plain_warning.PlainWarning"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
    },
    "root": {"handlers": ["console"], "level": ENV.log_level},
    "loggers": {
        # These two log each request and frame at INFO.
        "daphne.http_protocol": {"level": "WARNING"},
        "daphne.ws_protocol": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        **{
            f"django.security.{name}": {"filters": ["plain_warning"]}
            for name in ("RequestDataTooBig", "TooManyFieldsSent", "TooManyFilesSent")
        },
    },
}
