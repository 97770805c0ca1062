"""The WSGI application: `granian --interface wsgi weituo.config.wsgi:application`."""

from __future__ import annotations

import os
from importlib import import_module

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "weituo.config.settings")
django.setup()

from weituo.config import static  # noqa: E402 - needs the settings

# before the application is built: it lists the collected files when it starts
static.collect()
application = get_wsgi_application()
# the pages stand on solvers and statistics that take seconds to load: nobody's first request waits for them
import_module(settings.ROOT_URLCONF)
