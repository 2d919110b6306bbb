"""The helpdesk's process: makes the database in the folder it is given, says its port, serves until its input ends."""

# Django has no types.
# pyright: basic
from __future__ import annotations

import os
import sys
import threading
from typing import Any

import django
from django.apps import apps
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from tests.support.helpdesk import PASSWORD, USER


def main(folder: str) -> None:
    os.environ["HELPDESK_FOLDER"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.support.helpdesk.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    user: Any = apps.get_model("auth", "User")
    user.objects.create_superuser(USER, f"{USER}@example.com", PASSWORD)
    queue: Any = apps.get_model("helpdesk", "Queue")
    queue.objects.create(title="Facilities", slug="facilities", allow_public_submission=True)
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.daemon_threads = True
    site: Any = get_wsgi_application()
    server.set_app(site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main(sys.argv[1])
