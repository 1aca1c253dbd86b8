"""Advisory checks of legacy records: nothing here stops a record, all of it is worth a look."""

from references.categories import IMAGE_CATEGORY
from references.legacy.downloads import file_path, is_yaml
from references.legacy.fields import ESTABLISHED_BASELINES, LEGACY_TYPES, STOCK_CONFIGS
from references.legacy.issues import Warn
from references.legacy.values import JsonObject


def advise(category: str, key: str, legacy: JsonObject, warn: Warn) -> None:
    """Warns of what is unusual in a record that has been converted without error."""
    if legacy["name"] != key:
        warn("name_differs", f"the record calls itself {legacy['name']!r}")
    if not legacy.get("description"):
        warn("no_description", "has no description")
    kind = legacy.get("type")
    if kind is not None and kind not in LEGACY_TYPES[category]:
        warn("unknown_type", f"type {kind!r} is not one of this category")
    if category == IMAGE_CATEGORY:
        _advise_image(legacy, warn)
    for file in (legacy.get("config") or {}).get("files") or []:
        _advise_file(file, warn)


def _advise_image(legacy: JsonObject, warn: Warn) -> None:
    if legacy["baseline"] not in ESTABLISHED_BASELINES:
        warn("unusual_baseline", f"baseline {legacy['baseline']!r} is not one of the established spellings")
    showcases = legacy.get("showcases") or []
    if not showcases:
        warn("no_showcases", "has no showcases")
    for url in showcases:
        if "huggingface" in url:
            warn("showcase_host", f"showcase {url} is on huggingface, which writes through the API refuse")


def _advise_file(file: JsonObject, warn: Warn) -> None:
    path = file_path(file)
    if is_yaml(path):
        if path not in STOCK_CONFIGS:
            warn("unusual_yaml", f"{path} is not one of the stock configurations")
        return
    if not path.lower().endswith(".json") and ".ckpt" not in path:
        warn("not_ckpt", f"{path} is not a .ckpt file")
    if not file.get("sha256sum"):
        warn("no_sha256sum", f"{path} has no sha256sum")
