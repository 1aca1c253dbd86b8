"""The triggers that keep the log append-only, whoever connects to the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

_SQLITE_CREATE = (
    """
    CREATE TRIGGER audit_event_never_changes BEFORE UPDATE ON moderation_auditevent
    BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END
    """,
    """
    CREATE TRIGGER audit_event_never_goes BEFORE DELETE ON moderation_auditevent
    BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END
    """,
    # INSERT OR REPLACE would remove the row in its way without asking the trigger above.
    """
    CREATE TRIGGER audit_event_comes_last BEFORE INSERT ON moderation_auditevent
    WHEN NEW.event_id <= (SELECT max(event_id) FROM moderation_auditevent)
    BEGIN SELECT RAISE(ABORT, 'audit events are only added at the end'); END
    """,
)
_SQLITE_DROP = (
    "DROP TRIGGER audit_event_never_changes",
    "DROP TRIGGER audit_event_never_goes",
    "DROP TRIGGER audit_event_comes_last",
)
_POSTGRESQL_CREATE = (
    """
    CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit events are never changed or deleted' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_event_never_changes BEFORE UPDATE OR DELETE ON moderation_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_event_refuse()
    """,
    """
    CREATE TRIGGER audit_event_never_goes BEFORE TRUNCATE ON moderation_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse()
    """,
)
_POSTGRESQL_DROP = (
    "DROP TRIGGER audit_event_never_changes ON moderation_auditevent",
    "DROP TRIGGER audit_event_never_goes ON moderation_auditevent",
    "DROP FUNCTION audit_event_refuse()",
)
_CREATE = {"sqlite": _SQLITE_CREATE, "postgresql": _POSTGRESQL_CREATE}
_DROP = {"sqlite": _SQLITE_DROP, "postgresql": _POSTGRESQL_DROP}


def triggers_create(connection: BaseDatabaseWrapper) -> None:
    _run(_CREATE[connection.vendor], connection)


def triggers_drop(connection: BaseDatabaseWrapper) -> None:
    _run(_DROP[connection.vendor], connection)


@contextmanager
def log_unlocked(using: str) -> Iterator[None]:
    """Lets the log be emptied, in one transaction: whatever happens, the triggers are there afterwards."""
    with transaction.atomic(using=using):
        triggers_drop(connections[using])
        yield
        triggers_create(connections[using])


def _run(statements: tuple[str, ...], connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
