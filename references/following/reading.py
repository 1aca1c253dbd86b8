"""What the PRIMARY has: whether it moved, and whole copies that never mix two states of a category."""

from collections.abc import Collection
from functools import cached_property
from typing import Any
from urllib.parse import quote

from references.categories import TEXT_CATEGORY
from references.following.client import PrimaryClient, PrimaryError, PrimaryUnreachable, Reply, json_read
from references.following.copies import (
    CategoryCopy,
    Marks,
    StructureCopy,
    category_copy,
    has_legacy_view,
    name_lists_read,
    name_schema_read,
    schema_groups_read,
)

READ_ATTEMPTS = 4
# Either version serves metadata, the other one refuses: which, is a matter of the PRIMARY's canonical format.
MOUNTS = ("v2", "v1")
# A service that tells no revision may answer from a cache that is younger than its metadata says.
SETTLING_SECONDS = 180
_GROUPS = f"v2/{TEXT_CATEGORY}"


class PrimaryReader:
    """Reads a PRIMARY for one round. Every method raises PrimaryError where it has nothing usable.

    `accepted` are the categories that may turn out empty although the metadata does not bear that out.
    """

    def __init__(self, client: PrimaryClient, *, accepted: Collection[str] = ()) -> None:
        self._client = client
        self._accepted = accepted

    def category(
        self, category: str, held: Marks, *, held_count: int, fetched_at: float | None
    ) -> CategoryCopy | Marks:
        """The category's copy; or its marks alone where they say that the state held is the present one."""
        if not held.v2_tag and self._is_settled(category, held, fetched_at):
            return held
        for turn in range(READ_ATTEMPTS):
            known = Marks() if turn else held
            v2 = self._client.get(f"v2/{category}", tag=known.v2_tag)
            if v2.is_missing or v2.body.strip() == b"{}":
                return self._emptied(category, v2, held, held_count)
            found = self._views(category, v2, known)
            if found is not None:
                return found
        raise PrimaryError(f"{category} changed during each of {READ_ATTEMPTS} reads")

    def structure(self) -> StructureCopy | None:
        """Aliases, families and naming schemas; None where the PRIMARY does not offer them."""
        try:
            aliases = self._client.get_json(f"{_GROUPS}/aliases", attempts=1)
            families = self._client.get_json(f"{_GROUPS}/families", attempts=1)
        except PrimaryUnreachable:
            raise
        except PrimaryError:
            return None
        if aliases is None or families is None:
            return None
        alias_lists = name_lists_read(
            aliases, "aliases", listed="entries", key="canonical", members="aliases"
        )
        family_lists = name_lists_read(
            families, "families", listed="families", key="family_name", members="members"
        )
        return StructureCopy(alias_lists, family_lists, self._schemas(alias_lists))

    def _is_settled(self, category: str, held: Marks, fetched_at: float | None) -> bool:
        """Whether the metadata alone shows that nothing moved since the copy held was read."""
        told = held.last_updated
        if told is None or fetched_at is None or self._last_updates.get(category) != told:
            return False
        return fetched_at + self._client.clock_ahead >= told + SETTLING_SECONDS

    @cached_property
    def _last_updates(self) -> dict[str, int]:
        """When each category last changed, of all at once; empty where no metadata is to be had."""
        rows = self._metadata("metadata")
        return {name: when for name, row in rows.items() if (when := _last_updated(row)) is not None}

    def _metadata(self, path: str) -> dict[str, Any]:
        for mount in MOUNTS:
            try:
                answer = self._client.get_json(f"{mount}/metadata/{path}", attempts=1)
            except PrimaryUnreachable:
                raise
            except PrimaryError:
                continue
            if isinstance(answer, dict):
                return answer
        return {}

    def _views(self, category: str, v2: Reply, known: Marks) -> CategoryCopy | Marks | None:
        """Version 2 together with version 1; None where they are not of one state, or only one was sent."""
        if v2.is_unmoved and v2.revision is not None and v2.revision == known.revision:
            return known
        if not has_legacy_view(category):
            marks = _marks(v2, None, known)
            return marks if v2.is_unmoved else category_copy(category, v2.body, None, marks)
        if v2.revision is None and not v2.is_unmoved:
            return self._bracketed(category)
        v1 = self._v1(category, known.v1_tag)
        if v1.revision != v2.revision:
            return None
        if v2.is_unmoved and v1.is_unmoved:
            return _marks(v2, v1, known)
        if v2.is_unmoved or v1.is_unmoved:
            return None
        return category_copy(category, v2.body, v1.body, _marks(v2, v1, known))

    def _bracketed(self, category: str) -> CategoryCopy | None:
        """Both views of a PRIMARY that tells no revisions, read while it said that nothing changed.

        What says so is the metadata, or version 2 itself where there is none.
        """
        before = self._last_updated_now(category)
        v2 = self._client.get(f"v2/{category}")
        v1 = self._v1(category, "")
        after = self._last_updated_now(category)
        if before != after or v2.is_missing:
            return None
        if after is None and self._client.get(f"v2/{category}").body != v2.body:
            return None
        marks = Marks(last_updated=after, v2_tag=v2.tag, v1_tag=v1.tag)
        return category_copy(category, v2.body, v1.body, marks)

    def _v1(self, category: str, tag: str) -> Reply:
        reply = self._client.get(f"v1/{category}", tag=tag)
        if reply.is_missing:
            raise PrimaryError(f"v1/{category}: nothing there, although version 2 has models")
        return reply

    def _last_updated_now(self, category: str) -> int | None:
        return _last_updated(self._metadata(f"{category}/last_updated"))

    def _emptied(self, category: str, v2: Reply, held: Marks, held_count: int) -> CategoryCopy:
        """The copy of a category without models. An answer alone does not make us forget those held."""
        path = f"v2/{category}"
        if v2.is_missing:
            _missing_check(v2, path)
        marks = Marks()
        if held_count and category not in self._accepted:
            row = self._metadata(category)
            marks = Marks(last_updated=_last_updated(row))
            is_deleted = (row.get("last_operation_type"), row.get("total_models")) == ("delete", 0)
            if not is_deleted or marks.last_updated in (None, held.last_updated):
                raise PrimaryError(
                    f"{path}: no models, where {held_count} are held; its metadata tells of no deletion"
                )
        return CategoryCopy(category, [], None, marks)

    def _schemas(self, aliases: dict[str, list[str]]) -> dict[str, dict]:
        """The schemas laid down, of the groups that the summary tells of. An alias shows that of its group."""
        path = "groups/summary"
        summary = self._client.get_json(f"{_GROUPS}/{path}")
        canonical = {alias: name for name, others in aliases.items() for alias in others}
        names = set(schema_groups_read(summary, path))
        names |= {canonical[name] for name in names if name in canonical}
        schemas = {name: schema for name in sorted(names) if (schema := self._schema(name))}
        return {
            name: schema
            for name, schema in schemas.items()
            if name not in canonical or schemas.get(canonical[name]) != schema
        }

    def _schema(self, group: str) -> dict | None:
        """The schema laid down for the group; None where it is only inferred."""
        answer = self._client.get_json(f"{_GROUPS}/group/name_schema?name={quote(group, safe='')}")
        return None if answer is None else name_schema_read(answer, "group/name_schema")


def _marks(v2: Reply, v1: Reply | None, known: Marks) -> Marks:
    """The marks of two answers. One that says that nothing moved need not repeat its entity tag."""
    # Only with a revision is `Last-Modified` known to be when the category changed.
    last_updated = v2.last_modified if v2.revision is not None else None
    v2_tag = v2.tag or (known.v2_tag if v2.is_unmoved else "")
    v1_tag = (v1.tag or (known.v1_tag if v1.is_unmoved else "")) if v1 else ""
    return Marks(v2.revision, last_updated, v2_tag, v1_tag)


def _missing_check(reply: Reply, path: str) -> None:
    """Raises PrimaryError unless the PRIMARY itself says that there are no models.

    Proxies and mistaken addresses lead to answers that tell of no such path.
    """
    answer = json_read(reply.body, path)
    detail = answer.get("detail") if isinstance(answer, dict) else None
    if not isinstance(detail, str) or detail == "Not Found":
        raise PrimaryError(f"{path}: status 404, but not of the API; is its address right?")


def _last_updated(row: Any) -> int | None:
    value = row.get("last_updated") if isinstance(row, dict) else None
    return value if type(value) is int and 0 <= value < 2**53 else None
