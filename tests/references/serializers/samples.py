"""Small records to start from."""

DOWNLOAD = {"file_name": "a.safetensors", "file_url": "not a URL"}
UNCHECKED_MINIMUM = {"name": "N"}


def make_image(**changes) -> dict:
    return {"name": "N", "baseline": "stable_diffusion_xl", "nsfw": False, **changes}


def make_text(**changes) -> dict:
    return {"name": "P/N-7B", "parameters": 7_000_000_000, **changes}


MINIMAL = {"image_generation": make_image(), "text_generation": make_text()}


def make_minimal(category: str, **changes) -> dict:
    return {**MINIMAL.get(category, UNCHECKED_MINIMUM), **changes}
