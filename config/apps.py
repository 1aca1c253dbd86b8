"""Which site the admin of this service is."""

from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    default_site = "moderation.admin_access.DeskSite"
