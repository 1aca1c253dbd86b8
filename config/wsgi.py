"""The WSGI application that servers load."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.requests import Utf8Request

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_wsgi_application()
django_application.request_class = Utf8Request

from config.middleware import page_headers  # noqa: E402 - models can be imported once Django is set up
from references.api.hot import HotReads  # noqa: E402

application = HotReads(django_application, page_headers)
if settings.METRICS_ENABLED:
    from config.counting import Counted, folder_prepare

    folder_prepare(settings.METRICS_DIR)
    application = Counted(application)
