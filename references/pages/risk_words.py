"""The flags and presets of deletion risk in words. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from references.deletion_risk import RiskFlag


@dataclass(frozen=True, slots=True)
class FlagWords:
    """`tone` is one of the badge classes of the style sheet."""

    flag: RiskFlag
    label: str
    meaning: str
    tone: str


FLAG_WORDS: dict[RiskFlag, FlagWords] = {
    words.flag: words
    for words in (
        FlagWords(
            RiskFlag.NO_ACTIVE_WORKERS, "No worker", "No worker offers the model at the moment.", "warning"
        ),
        FlagWords(
            RiskFlag.ZERO_USAGE_MONTH,
            "Unused for a month",
            "Used before, but not within the last month.",
            "warning",
        ),
        FlagWords(RiskFlag.ZERO_USAGE_TOTAL, "Never used", "No request has ever asked for it.", "warning"),
        FlagWords(
            RiskFlag.LOW_USAGE,
            "Hardly used",
            "Its share of the category's requests is below the threshold.",
            "",
        ),
        FlagWords(RiskFlag.ZERO_USAGE_DAY, "Unused today", "Used before, but not within the last day.", ""),
        FlagWords(
            RiskFlag.NO_DOWNLOAD_URLS,
            "No file address",
            "No file has an address to fetch it from.",
            "warning",
        ),
        FlagWords(
            RiskFlag.HAS_UNKNOWN_HOST,
            "Unreadable address",
            "A file's address cannot be understood.",
            "warning",
        ),
        FlagWords(
            RiskFlag.HAS_NON_PREFERRED_HOST,
            "Other host",
            "No file is on one of the preferred hosts.",
            "warning",
        ),
        FlagWords(RiskFlag.HAS_MULTIPLE_HOSTS, "Several hosts", "Its files are on more than one host.", ""),
        FlagWords(RiskFlag.MISSING_DESCRIPTION, "No description", "The record does not describe it.", ""),
        FlagWords(RiskFlag.MISSING_BASELINE, "No baseline", "The record does not tell its base model.", ""),
    )
}


@dataclass(frozen=True, slots=True)
class PresetWords:
    label: str
    meaning: str


PRESET_WORDS: dict[str, PresetWords] = {
    "deletion_candidates": PresetWords("Candidates", "Any flag, a tiny share of use, or no worker."),
    "warning": PresetWords("Critical", "Next to unused, and no worker offers it."),
    "zero_usage": PresetWords("Unused", "Not one request within the last month."),
    "low_usage": PresetWords("Hardly used", "A share of the requests below the threshold."),
    "no_workers": PresetWords("No worker", "No worker offers it at the moment."),
    "missing_data": PresetWords("Incomplete", "No description or no baseline."),
    "host_issues": PresetWords("File hosts", "Something about where its files are."),
}


def flags_in_words(flags: Collection[RiskFlag]) -> list[FlagWords]:
    """The gravest first."""
    return [words for flag, words in FLAG_WORDS.items() if flag in flags]
