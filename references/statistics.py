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


def category_statistics(category: str, records: Sequence[Record], *, computed_at: int) -> dict[str, Any]:
    """The figures in wire shape. `computed_at` is in UNIX seconds."""
    total = len(records)
    nsfw_count = sum(record.get("nsfw") is True for record in records)
    baselines = Counter(_texts(record.get("baseline") for record in records))
    tags = Counter(_texts(tag for record in records for tag in _elements(record.get("tags"))))
    styles = Counter(_texts(record.get("style") for record in records))
    parameters = _parameter_counts(records) if category == TEXT_CATEGORY else []
    images = records if category == IMAGE_CATEGORY else []
    return {
        "category": category,
        "total_models": total,
        "returned_models": total,
        "offset": 0,
        "limit": None,
        "nsfw_count": nsfw_count,
        "sfw_count": total - nsfw_count,
        "baseline_distribution": {
            baseline: {"baseline": baseline, **_share(count, total)}
            for baseline, count in baselines.most_common()
        },
        "download_stats": _download_stats(records),
        "top_tags": _top(tags, total),
        "top_styles": _top(styles, total),
        "parameter_buckets": _parameter_buckets(parameters, total),
        "models_without_param_info": parameters.count(None),
        "models_with_trigger_words": sum(bool(_elements(record.get("trigger"))) for record in images),
        "models_with_inpainting": sum(record.get("inpainting") is True for record in images),
        "models_with_requirements": sum(_is_filled_object(record.get("requirements")) for record in images),
        "models_with_showcases": sum(bool(_elements(record.get("showcases"))) for record in records),
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


def _download_stats(records: Sequence[Record]) -> dict[str, Any]:
    entries = [len(download_entries(record)) for record in records]
    sizes = [size for record in records if (size := size_on_disk(record)) is not None]
    addresses = (url_split(url) for record in records for url in download_urls(record))
    hosts = Counter(address.netloc for address in addresses if address and address.netloc)
    return {
        "total_models_with_downloads": sum(count > 0 for count in entries),
        "total_download_entries": sum(entries),
        "total_size_bytes": sum(sizes),
        "models_with_size_info": len(sizes),
        "average_size_bytes": round(sum(sizes) / len(sizes), 2) if sizes else 0.0,
        "hosts": dict(hosts.most_common()),
    }


def _parameter_counts(records: Sequence[Record]) -> list[float | None]:
    counts = []
    for record in records:
        count = record.get("parameters_count")
        counts.append(positive_number(record.get("parameters") if count is None else count))
    return counts


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
