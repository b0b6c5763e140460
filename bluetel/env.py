"""What the administrator may set, all by environment, checked once at the start.

Every name starts with ``BLUETEL_``, but for ``DATABASE_URL`` and ``REDIS_URL`` which keep their
usual ones. A secret may come from a file instead: ``BLUETEL_SECRET_KEY_FILE``. A name nobody
knows, or a value that can't be read, stops the start with one clear line.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "BLUETEL_"
ROOT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """The environment can't be used; the text is the one line the administrator sees."""


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Environment(BaseSettings):
    """The settings by name; each is described for administrators in ``.env.example``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    secret_key: SecretStr = SecretStr("")
    secret_key_fallbacks: Words = ()
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = ""
    allowed_hosts: Words = ()
    country: str = "FR"
    language: Literal["en", "fr"] = "en"
    time_zone: str = "Europe/Paris"
    data_dir: Path = Path("var")
    demo: Literal["", "wazo", "xivo"] = ""
    debug: bool = False
    one_core: bool = True
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    ca_file: str = ""
    fetch_allow: Words = ()
    allowed_regions: Words = ()
    calls_per_minute: int = Field(default=60, ge=1)
    policy_contact: str = ""
    trusted_proxies: Words = ("127.0.0.0/8", "::1/128")
    metrics_token: SecretStr = SecretStr("")
    ldap_url: str = ""
    ldap_bind_dn: str = ""
    ldap_bind_password: SecretStr = SecretStr("")
    ldap_base: str = ""
    ldap_ca_file: str = ""
    ldap_filter: str = ""
    ldap_schema: str = "auto"
    ldap_attributes: str = ""
    ldap_groups: str = ""
    ldap_sign_in: bool = True
    email_url: SecretStr = SecretStr("")
    xmpp_url: SecretStr = SecretStr("")
    presence_reciprocity: bool = False
    voicemail_senders: Words = ()
    database_url: SecretStr = Field(default=SecretStr(""), validation_alias="DATABASE_URL")
    redis_url: SecretStr = Field(default=SecretStr(""), validation_alias="REDIS_URL")

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str) -> str:
        return _region(value)

    @field_validator("allowed_regions")
    @classmethod
    def _known_regions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_region(region) for region in value)

    @field_validator("host")
    @classmethod
    def _listening_host(cls, value: str) -> str:
        if not (_HOST_NAME.fullmatch(value) or _is_ip_address(value)):
            raise ValueError(f"{value!r} is neither an IP address nor a host name")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
            is_name = name == "*" or _HOST_NAME.fullmatch(name.removeprefix("."))
            if not (is_name or _is_ip_address(bare)):
                raise ValueError(f"{name!r} is not a host's name alone, such as tel.example.org")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone such as Europe/Paris") from None
        return value

    @field_validator("fetch_allow", "trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(network)) for network in value)

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        parts = _parts(value)
        is_origin = re.fullmatch(r"https?://[^/?#@\s]+/?", value) and parts and parts.hostname
        if value and not is_origin:
            raise ValueError("must be an origin such as https://tel.example.org, without a path")
        return value.rstrip("/")

    @field_validator("ca_file", "ldap_ca_file")
    @classmethod
    def _certificates(cls, value: str) -> str:
        if value:
            _read_certificates(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not re.match(r"(rediss?|unix)://.", url):
            raise ValueError("must start with redis://, rediss:// or unix://")
        if _parts(url) is None:
            raise ValueError("its host or port can't be read")
        return value

    @field_validator("xmpp_url")
    @classmethod
    def _xmpp_address(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        parts = _parts(url)
        is_whole = parts and parts.hostname and parts.username and parts.port != 0
        if url and not (is_whole and parts and parts.scheme in {"xmpp", "xmpps"}):
            raise ValueError("must be xmpp://NAME%40DOMAIN:PASSWORD@HOST or xmpps://…")
        return value

    @property
    def origin(self) -> str:
        """Where browsers find BlueTel."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def is_https(self) -> bool:
        """Whether browsers come by https, which turns on the secure cookies and HSTS."""
        return self.origin.startswith("https://")


SECRETS = (
    "SECRET_KEY",
    "METRICS_TOKEN",
    "LDAP_BIND_PASSWORD",
    "EMAIL_URL",
    "XMPP_URL",
)
PLAIN_NAMES = ("DATABASE_URL", "REDIS_URL")


def read_environment(environ: Mapping[str, str]) -> Environment:
    """The settings in ``environ``; raises :class:`SettingsError` with one line."""
    known = {
        (PREFIX + name.upper() if field.validation_alias is None else str(field.validation_alias))
        for name, field in Environment.model_fields.items()
    }
    files = {f"{PREFIX}{name}_FILE" for name in SECRETS} | {f"{n}_FILE" for n in PLAIN_NAMES}
    values: dict[str, str] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX) and name not in known | files:
            continue
        if name in files:
            values[name.removesuffix("_FILE")] = _read_secret(name, value)
        elif name in known:
            values.setdefault(name, value)
        else:
            raise SettingsError(f"{name} is not a BlueTel setting; see .env.example for the list")
    try:
        return Environment.model_validate(
            {
                name if name in PLAIN_NAMES else name.removeprefix(PREFIX).lower(): value
                for name, value in values.items()
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = str(first["loc"][0]) if first["loc"] else "?"
        name = place if place in PLAIN_NAMES else PREFIX + place.upper()
        why = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}: {why}") from None


SILENT_AT_MOST = "15s"
"""How long PostgreSQL waits for the next word of a transaction before it ends it.

A process that froze within one would keep its locks, the engine's lease among them, and nobody
could take over. Nothing here waits for anything far away while a transaction is open.
"""


def database_settings(url: str, *, data_dir: Path) -> dict[str, object]:
    """Django's ``DATABASES["default"]`` for a URL; none means SQLite in the data directory."""
    if not url:
        url = f"sqlite:///{data_dir / 'bluetel.sqlite3'}"
    parts = _parts(url)
    if parts is None:
        raise SettingsError("DATABASE_URL: its host or port can't be read")
    if parts.scheme in {"sqlite", "sqlite3"}:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path)[1:] or ":memory:",
            "CONN_MAX_AGE": 600,  # opening one takes longer than most of what is asked
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
                    # Pages are read where the system keeps them, not copied for each connection.
                    "PRAGMA mmap_size=268435456;"
                ),
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 0,
            "OPTIONS": {
                "pool": {"min_size": 1, "max_size": 16, "timeout": 10},
                # Our statements are short: to compile one takes longer than to carry it out.
                "options": f"-c idle_in_transaction_session_timeout={SILENT_AT_MOST} -c jit=off",
            },
        }
    raise SettingsError("DATABASE_URL: must start with sqlite:// or postgresql://")


def make_data_directory(path: Path) -> None:
    """Make it, for its owner alone: the database lies in it; raises :class:`SettingsError`."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"BLUETEL_DATA_DIR: {path}: {error.strerror}") from None


def _region(value: str) -> str:
    region = value.strip().upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{value!r} is not a two-letter country code")
    return region


_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _parts(url: str) -> SplitResult | None:
    """A URL taken apart, or None; Python's own message would quote what may be a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _read_certificates(path: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise ValueError(f"{path} holds no certificate in PEM format") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: {path} is not text in UTF-8") from None
