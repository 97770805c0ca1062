"""The WSGI application: `granian --interface wsgi weituo.config.wsgi:application`."""

from __future__ import annotations

import os

import django
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "weituo.config.settings")
django.setup()

from weituo.config import static  # noqa: E402 - needs the settings

# before the application is built: it lists the collected files when it starts
static.collect()
application = get_wsgi_application()
