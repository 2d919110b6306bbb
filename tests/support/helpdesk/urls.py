"""The helpdesk's own pages, and its files."""

# Django has no types.
# pyright: basic
from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles.views import serve as static
from django.urls import include, path
from django.views.static import serve as media

urlpatterns = [
    path("admin/", admin.site.urls),
    path("static/<path:path>", static, {"insecure": True}),
    path("media/<path:path>", media, {"document_root": settings.MEDIA_ROOT}),
    path("", include("helpdesk.urls")),
]
