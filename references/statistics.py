"""A category in figures: what its records have, how often, and where their files are.

Records are v2 records in stored order, which decides every tie. They may be imported ones that break their
schema, so nothing is taken for granted but that they are objects.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.downloads import (
    Record,
    download_entries,
    download_urls,
    positive_number,
    size_on_disk,
    url_split,
)
from references.text import group_name

TOP_LENGTH = 20


@dataclass(frozen=True, slots=True)
class ParameterBucket:
    """Models of a range of sizes; `max_params`, where there is one, is outside of it."""

    bucket_label: str
    min_params: int
    max_params: int | None

    def holds(self, parameters: float) -> bool:
        return self.min_params <= parameters and (self.max_params is None or parameters < self.max_params)


_BILLION = 10**9
PARAMETER_BUCKETS = (
    ParameterBucket("< 3B", 0, 3 * _BILLION),
    ParameterBucket("3B-6B", 3 * _BILLION, 6 * _BILLION),
    ParameterBucket("6B-9B", 6 * _BILLION, 9 * _BILLION),
    ParameterBucket("9B-13B", 9 * _BILLION, 13 * _BILLION),
    ParameterBucket("13B-20B", 13 * _BILLION, 20 * _BILLION),
    ParameterBucket("20B-35B", 20 * _BILLION, 35 * _BILLION),
    ParameterBucket("35B-70B", 35 * _BILLION, 70 * _BILLION),
    ParameterBucket("> 70B", 70 * _BILLION, None),
)


def category_statistics(category: str, records: Iterable[Record], *, computed_at: int) -> dict[str, Any]:
    """The figures in wire shape; each record is looked at once. `computed_at` is in UNIX seconds."""
    tally = _Tally()
    for record in records:
        tally.add(record)
    total, parameters = tally.total, tally.parameters if category == TEXT_CATEGORY else []
    images = tally.having if category == IMAGE_CATEGORY else Counter()
    return {
        "category": category,
        "total_models": total,
        "returned_models": total,
        "offset": 0,
        "limit": None,
        "nsfw_count": tally.having["nsfw"],
        "sfw_count": total - tally.having["nsfw"],
        "baseline_distribution": {
            baseline: {"baseline": baseline, **_share(count, total)}
            for baseline, count in tally.baselines.most_common()
        },
        "download_stats": tally.download_stats(),
        "top_tags": _top(tally.tags, total),
        "top_styles": _top(tally.styles, total),
        "parameter_buckets": _parameter_buckets(parameters, total),
        "models_without_param_info": parameters.count(None),
        "models_with_trigger_words": images["trigger"],
        "models_with_inpainting": images["inpainting"],
        "models_with_requirements": images["requirements"],
        "models_with_showcases": tally.having["showcases"],
        "computed_at": computed_at,
    }


def grouped_records(records: Iterable[Record], *, aliases: Mapping[str, str]) -> list[Record]:
    """One record per group of text models: its first, with the files of all.

    `aliases` maps group names to the ones they stand for.
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        group = group_name(record["name"])
        groups.setdefault(aliases.get(group, group), []).append(record)
    return [members[0] if len(members) == 1 else _merged(members) for members in groups.values()]


def _merged(members: Sequence[Record]) -> Record:
    config = members[0].get("config")
    downloads = [entry for record in members for entry in download_entries(record)]
    return {
        **members[0],
        "config": {**(config if isinstance(config, Mapping) else {}), "download": downloads},
    }


class _Tally:
    """What is counted of records. `having` counts those that have something, by its field's name."""

    def __init__(self) -> None:
        self.total = self.download_entries = 0
        self.having: Counter[str] = Counter()
        self.baselines: Counter[str] = Counter()
        self.tags: Counter[str] = Counter()
        self.styles: Counter[str] = Counter()
        self.hosts: Counter[str] = Counter()
        self.sizes: list[float] = []
        self.parameters: list[float | None] = []

    def add(self, record: Record) -> None:
        self.total += 1
        self.baselines.update(_texts([record.get("baseline")]))
        self.tags.update(_texts(_elements(record.get("tags"))))
        self.styles.update(_texts([record.get("style")]))
        for name in ("nsfw", "inpainting"):
            self.having[name] += record.get(name) is True
        for name in ("trigger", "showcases"):
            self.having[name] += bool(_elements(record.get(name)))
        self.having["requirements"] += _is_filled_object(record.get("requirements"))
        self.parameters.append(_parameter_count(record))
        self._downloads_add(record)

    def _downloads_add(self, record: Record) -> None:
        entries = len(download_entries(record))
        self.download_entries += entries
        self.having["downloads"] += entries > 0
        if (size := size_on_disk(record)) is not None:
            self.sizes.append(size)
        addresses = map(url_split, download_urls(record))
        self.hosts.update(address.netloc for address in addresses if address and address.netloc)

    def download_stats(self) -> dict[str, Any]:
        size = sum(self.sizes)
        return {
            "total_models_with_downloads": self.having["downloads"],
            "total_download_entries": self.download_entries,
            "total_size_bytes": size,
            "models_with_size_info": len(self.sizes),
            "average_size_bytes": round(size / len(self.sizes), 2) if self.sizes else 0.0,
            "hosts": dict(self.hosts.most_common()),
        }


def _parameter_count(record: Record) -> float | None:
    count = record.get("parameters_count")
    return positive_number(record.get("parameters") if count is None else count)


def _parameter_buckets(parameters: Sequence[float | None], total: int) -> list[dict[str, Any]]:
    counts = Counter(
        bucket for count in parameters if count for bucket in PARAMETER_BUCKETS if bucket.holds(count)
    )
    return [
        {**asdict(bucket), **_share(counts[bucket], total)} for bucket in PARAMETER_BUCKETS if counts[bucket]
    ]


def _top(counts: Counter[str], total: int) -> list[dict[str, Any]]:
    return [{"tag": name, **_share(count, total)} for name, count in counts.most_common(TOP_LENGTH)]


def _share(count: int, total: int) -> dict[str, Any]:
    return {"count": count, "percentage": round(count / total * 100, 2)}


def _texts(values: Iterable[object]) -> Iterable[str]:
    return (value for value in values if isinstance(value, str) and value)


def _elements(value: object) -> list:
    return value if isinstance(value, list) else []


def _is_filled_object(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value)
