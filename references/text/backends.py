"""The inference backends that serve text models under a prefixed name of their own."""

BACKENDS = ("aphrodite", "koboldcpp")


def split_backend(name: str) -> tuple[str | None, str]:
    """The backend a name is prefixed with, if any, and the name without that prefix.

    Prefixes are case-sensitive: `Aphrodite/x` is a model of the author `Aphrodite`.
    """
    head, slash, rest = name.partition("/")
    if slash and head in BACKENDS:
        return head, rest
    return None, name


def name_variants(name: str) -> list[str]:
    """Every name a canonical model goes by: its own, then the one each backend gives it."""
    return [name, *related_models(name)]


def related_models(name: str) -> list[str]:
    """The prefixed names of a canonical model: aphrodite keeps the author, koboldcpp drops it."""
    _, slash, without_author = name.partition("/")
    return [f"aphrodite/{name}", f"koboldcpp/{without_author if slash else name}"]
