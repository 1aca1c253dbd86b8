"""Made-up image models: the same ones for the same seed, about as large as real ones."""

import random
from collections.abc import Iterator

SEED = 20_240_229

# Members, and how often each occurs, follow the image models of the AI-Horde: a median of 800 bytes a record.
_BASELINES = {
    "stable_diffusion_1": 66,
    "stable_diffusion_xl": 30,
    "stable_diffusion_2_768": 2,
    "flux_1": 1,
    "stable_cascade": 1,
}
_STYLES = {"anime": 35, "realistic": 21, "artistic": 20, "generalist": 15, "other": 5, "furry": 4}
_TAGS = ("anime", "booru", "character", "comic", "hentai", "photo", "portrait", "retro", "scenes", "sketch")
_SYLLABLES = (
    "al",
    "ber",
    "cor",
    "dan",
    "el",
    "fi",
    "gor",
    "hal",
    "in",
    "jas",
    "kel",
    "lum",
    "mir",
    "nor",
    "pra",
)
_NOUNS = ("Diffusion", "Mix", "Dream", "Vision", "Style", "Realism", "Toon", "Merge", "Inpainting", "XL")
# The share of models that have an optional member, or something in a list.
_TAGGED, _SHOWN, _TRIGGERED, _WITH_HOMEPAGE, _INPAINTING = 0.2, 0.45, 0.15, 0.95, 0.05


def records(count: int, *, seed: int = SEED) -> Iterator[tuple[str, dict]]:
    """`count` names with their v2 records, without timestamps."""
    rng = random.Random(seed)  # noqa: S311 - the same models each time, nothing secret
    for number in range(count):
        name = f"{_word(rng).capitalize()} {rng.choice(_NOUNS)} {number}"
        yield name, _record(rng, name)


def _record(rng: random.Random, name: str) -> dict:
    file_name = f"{name.replace(' ', '_')}.safetensors"
    slug = name.lower().replace(" ", "_")
    record = {
        "name": name,
        "description": _sentence(rng),
        "version": f"{rng.randint(1, 9)}.{rng.randint(0, 9)}",
        "config": {
            "download": [
                {
                    "file_name": file_name,
                    "file_url": f"https://models.example.org/{_word(rng)}/{_word(rng)}/resolve/main/{file_name}",
                    "sha256sum": f"{rng.getrandbits(256):064x}",
                    "known_slow_download": False,
                }
            ]
        },
        "size_on_disk_bytes": rng.randint(1_900_000_000, 7_200_000_000),
    }
    if rng.random() < _INPAINTING:
        record["inpainting"] = True
    return record | {
        "baseline": _weighted(rng, _BASELINES),
        "tags": rng.sample(_TAGS, rng.randint(1, 3)) if rng.random() < _TAGGED else [],
        "showcases": _showcases(rng, slug) if rng.random() < _SHOWN else [],
        "trigger": [_word(rng) for _ in range(rng.randint(1, 6))] if rng.random() < _TRIGGERED else [],
        **(
            {"homepage": f"https://models.example.org/models/{rng.randint(1, 999_999)}/{slug}"}
            if rng.random() < _WITH_HOMEPAGE
            else {}
        ),
        "nsfw": rng.random() < 0.5,
        "style": _weighted(rng, _STYLES),
    }


def _showcases(rng: random.Random, slug: str) -> list[str]:
    return [
        f"https://raw.example.org/model-reference/main/showcase/{slug}/{number:02}_{_word(rng)}.webp"
        for number in range(1, rng.randint(2, 4))
    ]


def _word(rng: random.Random) -> str:
    return "".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4)))


def _sentence(rng: random.Random) -> str:
    return " ".join(_word(rng) for _ in range(rng.randint(5, 20))).capitalize() + "."


def _weighted(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), weights=weights.values())[0]
