"""This thread's connection to the store, looked up once.

Django looks it up at each use, in storage that serves coroutines too. A read of bytes that are there already would
spend most of its time on that, and this service has no coroutines: a thread keeps the connection it has.
"""

from threading import local

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

held = local()


def thread_store() -> BaseDatabaseWrapper:
    try:
        return held.store
    except AttributeError:
        held.store = connections[DEFAULT_DB_ALIAS]
        return held.store
