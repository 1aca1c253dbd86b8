"""The AI-Horde API. Nothing else in the project speaks HTTP to it."""

from references.horde.answers import ModelStatus, ModelUsage, Worker
from references.horde.circuit import CircuitOpen, CircuitState, circuit_state
from references.horde.client import HordeBadAnswer, HordeError, HordeTimeout, HordeUnavailable
from references.horde.usage import (
    UsageData,
    UsageKind,
    models_status,
    models_usage,
    refresh,
    usage_data,
    usage_stands,
    workers,
)
from references.horde.users import HordeUser, InvalidKey, Role, role_ids, user_find
from references.horde.waiting import HordeBusy

__all__ = [
    "CircuitOpen",
    "CircuitState",
    "HordeBadAnswer",
    "HordeBusy",
    "HordeError",
    "HordeTimeout",
    "HordeUnavailable",
    "HordeUser",
    "InvalidKey",
    "ModelStatus",
    "ModelUsage",
    "Role",
    "UsageData",
    "UsageKind",
    "Worker",
    "circuit_state",
    "models_status",
    "models_usage",
    "refresh",
    "role_ids",
    "usage_data",
    "usage_stands",
    "user_find",
    "workers",
]
