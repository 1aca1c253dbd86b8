"""The composition root as an app: its checks, and which site the admin of this service is."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class RootConfig(AppConfig):
    name = "config"
    verbose_name = "Configuration"

    def ready(self) -> None:
        from config import checks  # noqa: F401 - importing registers them


class DeskConfig(AdminConfig):
    default_site = "moderation.admin_access.DeskSite"
