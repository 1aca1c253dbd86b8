"""The rules of the code base that no linter knows, read from the source."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APPS = ("references", "moderation")
PACKAGES = ("config", *APPS)
# Folders with code that nobody here writes, or with none.
FOREIGN = {".venv", ".git", "models", "migrations", "node_modules", "__pycache__"}
MAX_LINES = 420

# The layers inside an app, from the top: a module may import from its own layer and from those below it.
# A module that is not named here stands as high as the highest one that it imports.
LAYERS = (
    {"api", "pages", "admin", "management"},
    {"services", "structure_services"},
    {"models", "structure_models", "querysets"},
    {"categories", "vocabulary"},
)
PURE = (
    "references.categories",
    "references.vocabulary",
    "references.text",
    "references.legacy",
    "references.search",
    "references.statistics",
    "references.deletion_risk",
    "references.popularity",
    "references.usage_matching",
    "moderation.diffs",
    "moderation.states",
)
FRAMEWORK = frozenset({"django", "rest_framework", "drf_spectacular", "corsheaders"})


def source_files(*packages: str) -> Iterator[Path]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if FOREIGN.isdisjoint(path.relative_to(ROOT).parts):
                yield path


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def module_path(name: str) -> Path | None:
    path = ROOT.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def imports_of(module: str) -> list[tuple[int, str]]:
    """What a module imports, inside functions too, each with its line; `from a import b` may mean `a.b`."""
    path = module_path(module)
    found = []
    for node in ast.walk(parsed(path)) if path else ():
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = path.relative_to(ROOT).parent.parts
            outer = parents[: len(parents) - node.level + 1] if node.level else ()
            base = ".".join([*outer, *([node.module] if node.module else [])])
            inner = [f"{base}.{alias.name}" for alias in node.names]
            found += [(node.lineno, name if module_path(name) else base) for name in inner]
    return found


def imports_where(*packages: str) -> Iterator[tuple[str, str, str]]:
    """Each import as (where, importing module, imported module)."""
    for path in source_files(*packages):
        module = module_name(path)
        for line, imported in imports_of(module):
            yield f"{path.relative_to(ROOT)}:{line} imports {imported}", module, imported


@cache
def is_pure(module: str) -> bool:
    """Whether neither a module nor anything of ours that it imports knows the framework."""
    reached = reached_from(module, lambda other: any(is_in(other, package) for package in PACKAGES))
    return not any(other.split(".")[0] in FRAMEWORK for other in reached)


@cache
def height(module: str) -> int:
    """How high in its app a module stands."""
    app = module.split(".")[0]
    reached = reached_from(module, lambda other: is_in(other, app) and not layer_height(other))
    return max(layer_height(other) for other in reached if is_in(other, app))


def layer_height(module: str) -> int:
    """The height of a module's layer; 0 for a module of no layer."""
    parts = module.split(".")[1:]
    return next((len(LAYERS) - depth for depth, names in enumerate(LAYERS) if not names.isdisjoint(parts)), 0)


def reached_from(module: str, is_followed: Callable[[str], bool]) -> set[str]:
    """The module and what it imports, directly or through modules that are followed."""
    reached, pending = {module}, [module]
    while pending:
        following = pending.pop()
        if is_followed(following):
            new = {imported for _, imported in imports_of(following)} - reached
            reached |= new
            pending += new
    return reached


def test_the_rules_see_the_code():
    seen = {module_name(path) for path in source_files(*PACKAGES)}
    assert {"references.services", "references.api.records", "config.urls", "config.settings"} <= seen
    assert is_pure("references.search")
    assert not is_pure("references.services")
    order = ["references.api.records", "references.services", "references.models", "references.categories"]
    assert [height(module) for module in order] == [4, 3, 2, 1]


def test_references_knows_neither_moderation_nor_config():
    found = [
        where
        for where, _, imported in imports_where("references")
        if is_in(imported, "moderation") or is_in(imported, "config")
    ]
    assert found == []


def test_moderation_does_not_know_config():
    assert [where for where, _, imported in imports_where("moderation") if is_in(imported, "config")] == []


def test_no_code_knows_the_tests():
    assert [where for where, _, imported in imports_where(*PACKAGES) if is_in(imported, "tests")] == []


@pytest.mark.parametrize("app", APPS)
def test_no_module_imports_from_a_layer_above_its_own(app):
    found = [
        where
        for where, module, imported in imports_where(app)
        if is_in(imported, app) and height(imported) > height(module)
    ]
    assert found == []


def test_pure_modules_know_neither_the_framework_nor_anything_of_ours_that_does():
    found = [
        where
        for where, module, imported in imports_where(*APPS)
        if any(is_in(module, pure) for pure in PURE) and not is_pure(imported)
    ]
    assert found == []


def test_no_module_is_too_long_to_be_one_idea():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in source_files(*PACKAGES)
    }
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_every_module_says_what_it_is_for():
    silent = [
        str(path.relative_to(ROOT))
        for path in source_files(*PACKAGES)
        if path.read_text(encoding="utf-8").strip() and not ast.get_docstring(parsed(path))
    ]
    assert silent == []


def blind_handlers(path: Path) -> Iterator[int]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or ast.unparse(kind) in ("Exception", "BaseException") for kind in caught):
                yield node.lineno


def test_no_failure_is_swallowed_unseen():
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in source_files(*PACKAGES, "tests")
        for line in blind_handlers(path)
    ]
    assert found == []


def test_no_path_of_a_machine_is_in_the_tree():
    pattern = re.compile(r"(?<![\w.:/~-])/(?:work|Users|home/\w+)/")
    suffixes = {".py", ".md", ".toml", ".yaml", ".yml", ".html", ".css", ".js", ".json", ".txt", ".cfg"}
    names = {"Makefile", "Dockerfile", ".env.example", ".gitignore", ".dockerignore", "run"}
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(ROOT.rglob("*"))
        if FOREIGN.isdisjoint(path.relative_to(ROOT).parts)
        and path.is_file()
        and (path.suffix in suffixes or path.name in names)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []
