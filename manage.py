#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, connection

from config.databases import connection_problem
from config.environment import env_file_load

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        env_file_load(Path(__file__).with_name(".env"))
        # Reads the settings. What goes wrong later is told with its traceback.
        settings.DEBUG  # noqa: B018
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    try:
        execute_from_command_line(sys.argv)
    except DatabaseError:
        if problem := connection_problem(connection):
            sys.exit(problem)
        raise
