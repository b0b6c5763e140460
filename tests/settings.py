"""The application's settings, with the few differences that tests need.

The environment is the tests' own: nothing a developer has exported but the two addresses of the
stack (``DATABASE_URL``, ``REDIS_URL``) reaches a test. Each pytest-xdist worker has its own data
directory and its own corner of Redis.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")

_data_dir = tempfile.mkdtemp(prefix=f"bluetel-tests-{WORKER}-")
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)
os.mkdir(f"{_data_dir}/static")  # noqa: PTH102 — WhiteNoise warns of a missing folder

# What the processes of one run share: the first of them makes it and ends last.
if "TESTS_RUN_DIR" not in os.environ:
    os.environ["TESTS_RUN_DIR"] = tempfile.mkdtemp(prefix="bluetel-tests-run-")
    atexit.register(shutil.rmtree, os.environ["TESTS_RUN_DIR"], ignore_errors=True)

# Images of Python often say no to it: then each run, each of its processes and each server that a
# test starts would compile everything anew, which is half of what a run of the unit tests takes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

for _name in [name for name in os.environ if name.startswith("BLUETEL_")]:
    del os.environ[_name]
os.environ["BLUETEL_DATA_DIR"] = _data_dir
os.environ["BLUETEL_SECRET_KEY"] = "tests-only-and-long-enough-for-django-to-be-quiet-about-it"

from bluetel.settings import *  # noqa: E402, F403 — the environment must be set first
from bluetel.settings import (  # noqa: E402
    CACHES,
    CHANNEL_LAYERS,
    DATABASES,
    INSTALLED_APPS,
    REDIS_URL,
    STORAGES,
)

INSTALLED_APPS += ["tests.emptying"]

# Argon2 takes 50 ms on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Hashed names need `collectstatic` first; the browser tests do that through `serve`.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in production: in memory, threads would share one connection's locks.
    DATABASES["default"]["TEST"] = {"NAME": f"{_data_dir}/test.sqlite3"}
else:
    # Tests start servers and engines, and their threads keep a connection until they end.
    DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = 40
    # A test is one transaction, and may wait for a server of its own meanwhile. What it left open
    # must not hold up the emptying of the tables for ever.
    DATABASES["default"]["OPTIONS"]["options"] = "-c idle_in_transaction_session_timeout=60s"

if REDIS_URL:
    CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = f"bluetel-test-{WORKER}"
    # A database of its own: clearing the cache empties the whole database, whatever the prefix.
    _number = int(WORKER.removeprefix("gw")) + 1 if WORKER.startswith("gw") else 0
    CACHES["default"]["LOCATION"] = f"{REDIS_URL.rpartition('/')[0]}/{_number}"
