"""Django's settings for the helpdesk: the least it needs, with a database in the test's folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_FOLDER = Path(os.environ["HELPDESK_FOLDER"])
_PROCESSORS = ("django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
               "django.contrib.messages.context_processors.messages")  # fmt: skip

SECRET_KEY = "not-a-secret-of-anything"
ALLOWED_HOSTS = ["helpdesk.test"]
ROOT_URLCONF = "tests.support.helpdesk.urls"
SITE_ID = 1
USE_TZ = True
STATIC_URL, MEDIA_URL = "/static/", "/media/"
MEDIA_ROOT = _FOLDER / "media"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
LOGIN_URL, LOGIN_REDIRECT_URL = "/login/", "/dashboard/"
HELPDESK_TEAMS_MODE_ENABLED = False
INSTALLED_APPS = [
    *(f"django.contrib.{app}" for app in ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles",
                                          "sites", "humanize")),
    "helpdesk",
    "rest_framework",
]  # fmt: skip
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": list(_PROCESSORS)},
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": _FOLDER / "db.sqlite3"}}
