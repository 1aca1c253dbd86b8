import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from rest_framework.exceptions import NotFound

from references import journal
from references.categories import TEXT_CATEGORY
from references.journal import StructureWrite
from references.models import Category
from references.problems import Conflict
from references.structure_models import (
    GroupAlias,
    GroupAliasEntry,
    GroupFamily,
    GroupFamilyMember,
    GroupNameSchema,
    TextStructureState,
)
from references.structure_services import (
    DEFAULT_SCHEMA,
    alias_add,
    alias_remove,
    aliases_delete,
    aliases_put,
    family_delete,
    family_member_add,
    family_member_remove,
    family_put,
    name_schema_change,
    name_schema_delete,
    name_schema_put,
)
from references.text_groups import text_groups
from references.text_structure import structure_revision
from references.text_structure import text_structure as structure_now
from tests.factories import make_record

pytestmark = pytest.mark.django_db

CLAIMANTS = 6


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[StructureWrite]:
    heard: list[StructureWrite] = []
    monkeypatch.setattr(journal, "structure_listeners", [heard.append])
    return heard


@pytest.fixture
def in_threads(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., list[Any]]]:
    """Runs calls at the same moment, each on a connection of its own; returns results or refusals, in order.

    An SQLite database in memory knows no waiting for locks, so a copy in a file stands in for it.
    """
    settings = connection.settings_dict
    name = settings["NAME"]
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        settings["NAME"] = str(tmp_path / "store.sqlite3")
        with sqlite3.connect(settings["NAME"]) as copy:
            connection.connection.backup(copy)
        copy.close()

    def run(*calls: Callable[[], Any]) -> list[Any]:
        start = Barrier(len(calls))

        def one(call: Callable[[], Any]) -> Any:
            try:
                start.wait()
                return call()
            except Conflict as conflict:
                return conflict
            finally:
                connection.close()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(one, calls))

    yield run
    settings["NAME"] = name


def aliases_of(canonical: str) -> list[str] | None:
    entry = GroupAliasEntry.objects.filter(canonical=canonical).first()
    return entry and entry.listed()


def members_of(name: str) -> list[str]:
    return sorted(GroupFamilyMember.objects.filter(family=name).values_list("group", flat=True))


# Aliases ----------------------------------------------------------------------------------------------------


def test_aliases_keep_the_order_given_and_lose_repetitions():
    answer = aliases_put(canonical="Lumimaid", aliases=["b", "a", "b", "B"])
    assert answer == {"canonical": "Lumimaid", "aliases": ["b", "a", "B"]}
    assert aliases_of("Lumimaid") == ["b", "a", "B"]


def test_putting_aliases_replaces_all_of_them_and_may_leave_an_empty_entry():
    aliases_put(canonical="Lumimaid", aliases=["a", "b", "c"])
    assert aliases_put(canonical="Lumimaid", aliases=["c", "d"])["aliases"] == ["c", "d"]
    assert aliases_put(canonical="Lumimaid", aliases=[]) == {"canonical": "Lumimaid", "aliases": []}
    assert aliases_of("Lumimaid") == []
    assert structure_now().aliases == {"Lumimaid": ()}


def test_a_group_cannot_be_its_own_alias():
    with pytest.raises(Conflict):
        aliases_put(canonical="Lumimaid", aliases=["a", "Lumimaid"])
    with pytest.raises(Conflict):
        alias_add(canonical="Lumimaid", alias="Lumimaid")
    assert aliases_of("Lumimaid") is None


def test_an_alias_has_one_owner():
    aliases_put(canonical="Lumimaid", aliases=["a"])
    with pytest.raises(Conflict, match="'a' already belongs to canonical group 'Lumimaid'"):
        aliases_put(canonical="Other", aliases=["b", "a"])
    with pytest.raises(Conflict):
        alias_add(canonical="Other", alias="a")
    assert aliases_of("Other") is None
    assert aliases_put(canonical="Other", aliases=["A"])["aliases"] == ["A"]


def test_a_canonical_name_may_be_an_alias_of_another_one_and_is_not_chased():
    aliases_put(canonical="Middle", aliases=["Low"])
    aliases_put(canonical="Top", aliases=["Middle"])
    assert structure_now().canonical("Low") == "Middle"
    assert structure_now().canonical("Middle") == "Top"


def test_adding_an_alias_makes_the_entry_and_adding_it_again_changes_nothing():
    assert alias_add(canonical="Lumimaid", alias="b") == {"canonical": "Lumimaid", "aliases": ["b"]}
    alias_add(canonical="Lumimaid", alias="a")
    assert alias_add(canonical="Lumimaid", alias="b")["aliases"] == ["b", "a"]


def test_the_last_alias_removed_takes_the_entry_along():
    aliases_put(canonical="Lumimaid", aliases=["a", "b"])
    assert alias_remove(canonical="Lumimaid", alias="a")["aliases"] == ["b"]
    assert alias_remove(canonical="Lumimaid", alias="b") == {"canonical": "Lumimaid", "aliases": []}
    assert aliases_of("Lumimaid") is None


def test_what_is_no_alias_cannot_be_removed():
    aliases_put(canonical="Lumimaid", aliases=["a"])
    for canonical, alias in (("Lumimaid", "b"), ("Other", "a")):
        with pytest.raises(NotFound):
            alias_remove(canonical=canonical, alias=alias)
    aliases_delete(canonical="Lumimaid")
    with pytest.raises(NotFound):
        aliases_delete(canonical="Lumimaid")
    assert not GroupAlias.objects.exists()


# Families ---------------------------------------------------------------------------------------------------


def test_members_of_a_family_are_sorted_by_code_point_and_distinct():
    answer = family_put(name="Fam", members=["skyfall", "Skyfall", "Lumimaid", "Skyfall"])
    assert answer == {"family_name": "Fam", "members": ["Lumimaid", "Skyfall", "skyfall"]}
    assert structure_now().families == {"Fam": ("Lumimaid", "Skyfall", "skyfall")}


def test_a_group_is_in_one_family_and_free_once_it_is_dropped():
    family_put(name="Fam", members=["Lumimaid", "Skyfall"])
    with pytest.raises(Conflict, match="'Skyfall' already is a member of family 'Fam'"):
        family_put(name="Other", members=["Behemoth", "Skyfall"])
    family_put(name="Fam", members=["Lumimaid"])
    assert family_put(name="Other", members=["Skyfall"])["members"] == ["Skyfall"]
    with pytest.raises(Conflict):
        family_member_add(name="Fam", group="Skyfall")


def test_a_family_has_members():
    with pytest.raises(Conflict):
        family_put(name="Fam", members=[])
    family_put(name="Fam", members=["Lumimaid"])
    with pytest.raises(Conflict):
        family_put(name="Fam", members=[])
    assert members_of("Fam") == ["Lumimaid"]


def test_the_name_of_the_detector_is_no_family_name():
    with pytest.raises(Conflict):
        family_put(name="detect", members=["Lumimaid"])


def test_members_are_added_to_families_that_exist():
    with pytest.raises(NotFound, match=r"^Family 'Nope' does not exist\.$"):
        family_member_add(name="Nope", group="Lumimaid")
    family_put(name="Fam", members=["Skyfall"])
    assert family_member_add(name="Fam", group="Lumimaid")["members"] == ["Lumimaid", "Skyfall"]
    assert family_member_add(name="Fam", group="Skyfall")["members"] == ["Lumimaid", "Skyfall"]


def test_the_last_member_removed_takes_the_family_along():
    family_put(name="Fam", members=["Lumimaid", "Skyfall"])
    assert family_member_remove(name="Fam", group="Skyfall")["members"] == ["Lumimaid"]
    with pytest.raises(NotFound):
        family_member_remove(name="Fam", group="Skyfall")
    assert family_member_remove(name="Fam", group="Lumimaid") == {"family_name": "Fam", "members": []}
    assert not GroupFamily.objects.exists()
    with pytest.raises(NotFound):
        family_member_remove(name="Fam", group="Lumimaid")


def test_a_family_that_was_deleted_frees_its_members():
    family_put(name="Fam", members=["Lumimaid"])
    family_delete(name="Fam")
    assert members_of("Fam") == []
    with pytest.raises(NotFound):
        family_delete(name="Fam")
    family_put(name="Other", members=["Lumimaid"])


# Naming schemas ---------------------------------------------------------------------------------------------


def test_a_schema_begins_with_the_defaults_and_keeps_what_later_changes_leave_out():
    assert name_schema_change(group="Lumimaid", changes={"separator": "_"}) == {
        **DEFAULT_SCHEMA,
        "separator": "_",
    }
    schema = name_schema_change(group="Lumimaid", changes={"extra_parts": ["date"], "separator": None})
    assert schema == {**DEFAULT_SCHEMA, "separator": "_", "extra_parts": ["date"]}
    assert GroupNameSchema.objects.get(group="Lumimaid").as_dict() == schema


def test_the_default_schema_includes_the_author():
    assert DEFAULT_SCHEMA == {
        "separator": "-",
        "part_order": ["base", "size", "variant", "version", "quant"],
        "author_included": True,
        "common_author": None,
        "template": None,
        "extra_parts": [],
    }


def test_a_schema_of_an_alias_begins_with_that_of_its_group_and_is_stored_under_itself():
    name_schema_change(group="Lumimaid", changes={"separator": "_"})
    aliases_put(canonical="Lumimaid", aliases=["Alias"])
    assert structure_now().schema("Alias")["separator"] == "_"
    name_schema_change(group="Alias", changes={"template": "{base}"})
    assert structure_now().schemas["Alias"] == {**DEFAULT_SCHEMA, "separator": "_", "template": "{base}"}
    assert structure_now().schemas["Lumimaid"]["template"] is None


def test_only_the_schema_of_exactly_that_group_is_deleted():
    name_schema_change(group="Lumimaid", changes={})
    aliases_put(canonical="Lumimaid", aliases=["Alias"])
    with pytest.raises(NotFound):
        name_schema_delete(group="Alias")
    name_schema_delete(group="Lumimaid")
    assert not GroupNameSchema.objects.exists()


# What every write does --------------------------------------------------------------------------------------


def test_each_write_is_announced_whole_with_who_made_it(writes):
    aliases_put(canonical="Lumimaid", aliases=["a"], actor="101")
    alias_add(canonical="Lumimaid", alias="b", actor="101")
    aliases_delete(canonical="Lumimaid", actor="102")
    one = {"canonical": "Lumimaid", "aliases": ["a"]}
    both = {"canonical": "Lumimaid", "aliases": ["a", "b"]}
    assert writes == [
        StructureWrite("alias", "Lumimaid", "create", None, one, "101"),
        StructureWrite("alias", "Lumimaid", "update", one, both, "101"),
        StructureWrite("alias", "Lumimaid", "delete", both, None, "102"),
    ]


def test_families_and_schemas_are_announced_too(writes):
    family_put(name="Fam", members=["Lumimaid"], actor="101")
    family_member_remove(name="Fam", group="Lumimaid", actor="101")
    name_schema_put(group="Lumimaid", schema=DEFAULT_SCHEMA, actor="101")
    name_schema_delete(group="Lumimaid", actor="101")
    family = {"family_name": "Fam", "members": ["Lumimaid"]}
    assert writes == [
        StructureWrite("family", "Fam", "create", None, family, "101"),
        StructureWrite("family", "Fam", "delete", family, None, "101"),
        StructureWrite("name_schema", "Lumimaid", "create", None, DEFAULT_SCHEMA, "101"),
        StructureWrite("name_schema", "Lumimaid", "delete", DEFAULT_SCHEMA, None, "101"),
    ]


def test_each_write_bumps_the_revision_once_and_leaves_that_of_the_models_alone():
    before = structure_revision()
    aliases_put(canonical="Lumimaid", aliases=["a", "b", "c"])
    family_put(name="Fam", members=["Lumimaid", "Skyfall"])
    name_schema_change(group="Lumimaid", changes={})
    assert structure_revision() == before + 3
    assert Category.objects.get(pk=TEXT_CATEGORY).revision == 0


def test_what_changes_nothing_is_neither_counted_nor_announced(writes):
    aliases_put(canonical="Lumimaid", aliases=["a"])
    family_put(name="Fam", members=["Lumimaid", "Skyfall"])
    name_schema_change(group="Lumimaid", changes={"separator": "_"})
    revision = structure_revision()
    del writes[:]
    aliases_put(canonical="Lumimaid", aliases=["a"])
    alias_add(canonical="Lumimaid", alias="a")
    family_put(name="Fam", members=["Skyfall", "Lumimaid"])
    family_member_add(name="Fam", group="Skyfall")
    name_schema_change(group="Lumimaid", changes={"template": None})
    assert (structure_revision(), writes) == (revision, [])


def test_a_write_that_cannot_be_recorded_does_not_happen(monkeypatch):
    def refuse(write: StructureWrite) -> None:
        raise RuntimeError("the log is full")

    aliases_put(canonical="Lumimaid", aliases=["a"])
    revision = structure_revision()
    monkeypatch.setattr(journal, "structure_listeners", [refuse])
    for write in (
        lambda: aliases_put(canonical="Lumimaid", aliases=["b"]),
        lambda: family_put(name="Fam", members=["Lumimaid"]),
        lambda: name_schema_change(group="Lumimaid", changes={}),
    ):
        with pytest.raises(RuntimeError, match="the log is full"):
            write()
    assert aliases_of("Lumimaid") == ["a"]
    assert (members_of("Fam"), list(GroupNameSchema.objects.all())) == ([], [])
    assert structure_revision() == revision


@pytest.mark.parametrize(
    "break_rule",
    [
        lambda: GroupAlias.objects.create(entry_id="Other", alias="a", position=0),
        lambda: GroupAlias.objects.create(entry_id="Other", alias="Other", position=0),
        lambda: GroupAlias.objects.create(entry_id="Other", alias="", position=0),
        lambda: GroupAlias.objects.create(entry_id="Lumimaid", alias="b", position=0),
        lambda: GroupAliasEntry.objects.create(canonical=""),
        lambda: GroupFamilyMember.objects.create(family_id="Second", group="Skyfall"),
        lambda: GroupFamilyMember.objects.create(family_id="Second", group=""),
        lambda: GroupFamily.objects.create(name="detect"),
        lambda: GroupFamily.objects.create(name=""),
        lambda: GroupNameSchema.objects.create(group="", schema="{}"),
        lambda: TextStructureState.objects.create(pk=2),
        lambda: TextStructureState.objects.update(revision=-1),
    ],
)
def test_the_database_holds_the_rules_too(break_rule):
    aliases_put(canonical="Lumimaid", aliases=["a"])
    aliases_put(canonical="Other", aliases=[])
    family_put(name="Fam", members=["Skyfall"])
    family_put(name="Second", members=["Behemoth"])
    with pytest.raises(IntegrityError), transaction.atomic():
        break_rule()


@pytest.mark.django_db(transaction=True)
def test_a_structure_read_in_a_transaction_goes_with_its_rollback():
    aliases_put(canonical="A", aliases=["one"])
    with transaction.atomic():
        aliases_put(canonical="A", aliases=["never"])
        assert structure_now().canonical("never") == "A"
        transaction.set_rollback(True)
    aliases_put(canonical="A", aliases=["two"])
    assert dict(structure_now().aliases) == {"A": ("two",)}


def test_of_many_who_claim_one_alias_at_once_one_gets_it(in_threads):
    results = in_threads(
        *(lambda owner=owner: alias_add(canonical=f"Group-{owner}", alias="a") for owner in range(CLAIMANTS))
    )
    won = [result for result in results if isinstance(result, dict)]
    assert len(won) == 1
    assert sum(isinstance(result, Conflict) for result in results) == CLAIMANTS - 1
    [aliases] = in_threads(lambda: list(GroupAlias.objects.values_list("entry_id", "alias")))
    assert aliases == [(won[0]["canonical"], "a")]


def test_of_many_who_claim_one_group_for_a_family_at_once_one_gets_it(in_threads):
    results = in_threads(
        *(
            lambda owner=owner: family_put(name=f"Fam-{owner}", members=["Skyfall"])
            for owner in range(CLAIMANTS)
        )
    )
    assert sum(isinstance(result, Conflict) for result in results) == CLAIMANTS - 1
    [revision] = in_threads(structure_revision)
    assert revision == 1


def test_aliases_added_at_once_are_all_kept(in_threads):
    in_threads(
        *(
            lambda number=number: alias_add(canonical="Lumimaid", alias=f"a{number}")
            for number in range(CLAIMANTS)
        )
    )
    [(aliases, revision)] = in_threads(lambda: (aliases_of("Lumimaid"), structure_revision()))
    assert sorted(aliases) == [f"a{number}" for number in range(CLAIMANTS)]
    assert revision == CLAIMANTS


# Reading ----------------------------------------------------------------------------------------------------


def test_the_structure_is_sorted_by_code_point():
    for name in ("b", "B", "a"):
        aliases_put(canonical=name, aliases=[])
        family_put(name=name, members=[f"{name}-1"])
        name_schema_change(group=name, changes={})
    structure = structure_now()
    assert list(structure.aliases) == list(structure.families) == list(structure.schemas) == ["B", "a", "b"]


def test_the_structure_is_read_again_only_after_a_write(django_assert_num_queries):
    aliases_put(canonical="Lumimaid", aliases=["a"])
    first = structure_now()
    with django_assert_num_queries(1):
        assert structure_now() is first
    alias_add(canonical="Lumimaid", alias="b")
    assert structure_now().canonical_names == {"a": "Lumimaid", "b": "Lumimaid"}


def test_answers_about_groups_last_until_models_or_structure_change(django_assert_num_queries):
    make_record(TEXT_CATEGORY, "Org/Lumimaid-8B", text_model_group="Lumimaid")
    first = text_groups()
    summary = first.summary
    with django_assert_num_queries(2):
        assert text_groups().summary is summary
    family_put(name="Fam", members=["Lumimaid"])
    assert text_groups().summary.body != summary.body
    second = text_groups()
    make_record(TEXT_CATEGORY, "Org/Lumimaid-70B", text_model_group="Lumimaid")
    assert text_groups() is not second
    assert len(text_groups().members["Lumimaid"]) == 2
