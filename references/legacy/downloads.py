"""The files of a model: legacy `files` and `download` lists against the one list of downloads of v2."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from references.legacy.issues import RecordError, Warn
from references.legacy.values import JsonObject, read_object, read_objects, read_text
from references.vocabulary import UNKNOWN_HASH

# v2 field of a download -> legacy field of a file.
_FILE_FIELDS = {"sha256sum": "sha256sum", "file_purpose": "file_type", "content_hash": "content_hash"}
_SLOW_HOST = "civitai"


def is_yaml(path: str) -> bool:
    return "yaml" in path.lower()


def config_from_legacy(legacy: JsonObject, warn: Warn) -> JsonObject:
    """The v2 `config` of a legacy record. YAML files are not downloads."""
    config = read_object(legacy, "config") or {}
    downloads = [_download(file) for file in read_objects(config, "files") if not is_yaml(file_path(file))]
    for entry in read_objects(config, "download"):
        name = read_text(entry, "file_name")
        if name is None:
            warn("download_unnamed", "a download names no file")
            continue
        if is_yaml(name):
            continue
        targets = [download for download in downloads if download["file_name"] == name]
        if not targets:
            warn("download_unknown_file", f"download of {name!r}, which is not among the files")
            targets = [_download({"path": name})]
            downloads += targets
        for target in targets:
            target["file_url"] = read_text(entry, "file_url") or ""
    converted: JsonObject = {"download": downloads}
    hashes = read_object(config, "embedded_component_hashes")
    if hashes is not None:
        converted["embedded_component_hashes"] = {kind: _hash(hashes, kind) for kind in hashes}
    return converted


def file_path(file: JsonObject) -> str:
    path = read_text(file, "path")
    if path is None:
        raise RecordError("file_without_path", "a file has no path")
    return path


def _download(file: JsonObject) -> JsonObject:
    name = file_path(file)
    download = {
        "file_name": name,
        "file_url": "",
        "sha256sum": read_text(file, "sha256sum") or UNKNOWN_HASH,
        "content_hash": read_text(file, "content_hash"),
        "file_purpose": read_text(file, "file_type"),
        "known_slow_download": _SLOW_HOST in name,
    }
    return {field: value for field, value in download.items() if value is not None}


def _hash(hashes: JsonObject, kind: str) -> str:
    value = read_text(hashes, kind)
    if value is None:
        raise RecordError("wrong_type", f"embedded_component_hashes.{kind} must be text")
    return value


def config_overlay(config: JsonObject, before: JsonObject, after: JsonObject) -> JsonObject:
    """The legacy config with what changed between two v2 configs.

    What v2 does not know (MD5 sums, YAML files, extra keys) stays; files it does not list keep their place.
    """
    result = dict(config)
    old, new = before.get("download") or [], after.get("download") or []
    if [_expressed(download) for download in old] != [_expressed(download) for download in new]:
        result["files"] = _files_overlay(config.get("files") or [], old, new)
        result["download"] = _urls_overlay(config.get("download") or [], old, new)
    hashes = after.get("embedded_component_hashes")
    if hashes != before.get("embedded_component_hashes"):
        result["embedded_component_hashes"] = hashes
        if hashes is None:
            del result["embedded_component_hashes"]
    return result


def config_normalised(config: JsonObject | None) -> JsonObject:
    """A legacy config as it is stored: no nulls, both lists there, a `file_path` in each download."""
    config = _without_nulls(config or {})
    files = [_without_nulls(file) for file in config.pop("files", [])]
    downloads = [_without_nulls(entry) for entry in config.pop("download", [])]
    return {
        "files": files,
        "download": [entry if "file_path" in entry else _with_empty_path(entry) for entry in downloads],
        **config,
    }


def _files_overlay(
    files: Sequence[JsonObject], old: list[JsonObject], new: list[JsonObject]
) -> list[JsonObject]:
    entries = _by_name(files, "path")
    previous = _by_name(old, "file_name")
    result = []
    for download in new:
        name = download["file_name"]
        entry = entries[name].pop(0) if entries[name] else {"path": name}
        was = _file_values(previous[name].pop(0)) if previous[name] else None
        result.append(_file_overlay(entry, was, _file_values(download)))
    names = {download["file_name"] for download in (*old, *new)}
    for index, entry in enumerate(files):
        if entry.get("path") not in names:
            result.insert(index, entry)
    return result


def _file_overlay(entry: JsonObject, was: JsonObject | None, now: JsonObject) -> JsonObject:
    result = dict(entry)
    for field, value in now.items():
        if was is not None and was[field] == value:
            continue
        if value is None:
            result.pop(field, None)
        else:
            result[field] = value
    return result


def _urls_overlay(
    entries: Sequence[JsonObject], old: list[JsonObject], new: list[JsonObject]
) -> list[JsonObject]:
    was = {download["file_name"]: _url(download) for download in old}
    now = {download["file_name"]: _url(download) for download in new}
    result = []
    for entry in entries:
        name = entry.get("file_name")
        if name in was and name not in now:
            continue
        changed = name in now and now[name] != was.get(name)
        result.append({**entry, "file_url": now[name]} if changed else entry)
    listed = {entry.get("file_name") for entry in result}
    result += [
        {"file_name": name, "file_path": "", "file_url": url}
        for name, url in now.items()
        if name not in listed and (url or name not in was)
    ]
    return result


def _expressed(download: JsonObject) -> tuple[Any, ...]:
    """What the legacy format can say about a download."""
    return (download["file_name"], _url(download), *_file_values(download).values())


def _file_values(download: JsonObject) -> JsonObject:
    """The legacy fields of a file, None where it has none."""
    values = {legacy: download.get(field) for field, legacy in _FILE_FIELDS.items()}
    if values["sha256sum"] == UNKNOWN_HASH:
        values["sha256sum"] = None
    return values


def _url(download: JsonObject) -> str:
    return download.get("file_url") or ""


def _by_name(items: Iterable[JsonObject], field: str) -> defaultdict[str | None, list[JsonObject]]:
    found = defaultdict(list)
    for item in items:
        found[item.get(field)].append(item)
    return found


def _with_empty_path(entry: JsonObject) -> JsonObject:
    """The download with an empty `file_path` where hand-written records have it."""
    file_name = {"file_name": entry["file_name"]} if "file_name" in entry else {}
    return {**file_name, "file_path": "", **entry}


def _without_nulls(source: JsonObject) -> JsonObject:
    return {key: value for key, value in source.items() if value is not None}
