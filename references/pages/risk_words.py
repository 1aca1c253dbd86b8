"""The flags and presets of deletion risk in words. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from references.deletion_risk import RiskFlag

WARNING = "warning"


@dataclass(frozen=True, slots=True)
class FlagWords:
    """`tone` is one of the badge classes of the style sheet."""

    label: str
    meaning: str
    tone: str = ""


# The gravest first.
FLAG_WORDS: dict[RiskFlag, FlagWords] = {
    RiskFlag.NO_ACTIVE_WORKERS: FlagWords("Lacks a worker", "No worker offers it at the moment.", WARNING),
    RiskFlag.ZERO_USAGE_TOTAL: FlagWords("Never used", "No request has ever asked for it.", WARNING),
    RiskFlag.ZERO_USAGE_MONTH: FlagWords(
        "Fell out of use", "Used before, but not in the past month.", WARNING
    ),
    RiskFlag.LOW_USAGE: FlagWords("Hardly used", "Its share of all requests is below the threshold."),
    RiskFlag.ZERO_USAGE_DAY: FlagWords("Unused today", "Used before, but not within the last day."),
    RiskFlag.NO_DOWNLOAD_URLS: FlagWords("No address", "No file has an address to fetch it from.", WARNING),
    RiskFlag.HAS_UNKNOWN_HOST: FlagWords("Unreadable address", "A file's address means nothing.", WARNING),
    RiskFlag.HAS_NON_PREFERRED_HOST: FlagWords("Other host", "No file is on a preferred host.", WARNING),
    RiskFlag.HAS_MULTIPLE_HOSTS: FlagWords("Several hosts", "Its files are on more than one host."),
    RiskFlag.MISSING_DESCRIPTION: FlagWords("No description", "The record does not describe it."),
    RiskFlag.MISSING_BASELINE: FlagWords("No baseline", "The record does not tell its base model."),
}


# Orders of the list, with the end on which they begin.
SORT_WORDS: dict[str, str] = {
    "-month": "Most requests, past month",
    "month": "Fewest requests, past month",
    "-day": "Most requests, past day",
    "day": "Fewest requests, past day",
    "-total": "Most requests ever",
    "total": "Fewest requests ever",
    "-workers": "Most workers",
    "workers": "Fewest workers",
    "-score": "Gravest risk",
    "score": "Least risk",
    "name": "Name",
    "-name": "Name, from the end",
}
SIZE_SORT_WORDS: dict[str, str] = {
    "-size": "Largest",
    "size": "Smallest",
    "-value": "Most requests per GB",
    "value": "Fewest requests per GB",
}


@dataclass(frozen=True, slots=True)
class PresetWords:
    label: str
    meaning: str


PRESET_WORDS: dict[str, PresetWords] = {
    "deletion_candidates": PresetWords("Candidates", "Any flag, a tiny share of use, or no worker."),
    "critical": PresetWords("Critical", "Next to unused, and no worker offers it."),
    "zero_usage": PresetWords(
        "Unused for a month", "Not one request within the past month, whether it ever had any or not."
    ),
    "low_usage": PresetWords("Hardly used", "A share of all requests below the threshold."),
    "no_workers": PresetWords(
        "Without a worker", "No worker offers it at the moment; of a group: none of its variants."
    ),
    "missing_data": PresetWords("Incomplete", "No description or no baseline."),
    "host_issues": PresetWords("File hosts", "Something about where its files are."),
}


def flags_in_words(flags: Collection[RiskFlag]) -> list[FlagWords]:
    return [words for flag, words in FLAG_WORDS.items() if flag in flags]
