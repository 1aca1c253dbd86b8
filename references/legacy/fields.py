"""Facts about the legacy formats: their fields in order, their types, their columns."""

from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.vocabulary import ControlNetStyle

IMAGE_ORDER = (
    "name",
    "baseline",
    "optimization",
    "type",
    "inpainting",
    "description",
    "tags",
    "showcases",
    "version",
    "style",
    "trigger",
    "homepage",
    "nsfw",
    "download_all",
    "requirements",
    "config",
    "available",
    "features_not_supported",
    "size_on_disk_bytes",
    "min_bridge_version",
)
SMALL_ORDER = (
    "name",
    "type",
    "baseline",
    "description",
    "version",
    "style",
    "nsfw",
    "download_all",
    "config",
    "available",
    "features_not_supported",
    "pretrained_name",
)
TEXT_ORDER = (
    "name",
    "model_name",
    "baseline",
    "parameters",
    "description",
    "version",
    "style",
    "nsfw",
    "display_name",
    "url",
    "tags",
    "instruct_format",
    "settings",
)


def field_order(category: str) -> tuple[str, ...]:
    """The keys of a legacy record that is written anew, in order."""
    return {IMAGE_CATEGORY: IMAGE_ORDER, TEXT_CATEGORY: TEXT_ORDER}.get(category, SMALL_ORDER)


# The `type` values of each category. The first one is what a record without a type gets, but a ControlNet
# model always has to say its own.
LEGACY_TYPES: dict[str, tuple[str, ...]] = {
    IMAGE_CATEGORY: ("ckpt",),
    "blip": ("blip",),
    "clip": ("clip", "coca"),
    "codeformer": ("CodeFormers",),
    "controlnet": tuple(ControlNetStyle),
    "esrgan": ("realesrgan", "esrgan"),
    "gfpgan": ("gfpgan",),
    "safety_checker": ("safety_checker",),
    "miscellaneous": ("layer_diffuse",),
}


def default_type(category: str) -> str | None:
    return None if category == "controlnet" else LEGACY_TYPES[category][0]


# The baselines that legacy files have always spelled this way; any other one is worth a look.
ESTABLISHED_BASELINES = frozenset(
    {
        "stable diffusion 1",
        "stable diffusion 2",
        "stable diffusion 2 512",
        "stable_diffusion_xl",
        "stable_cascade",
    }
)
STOCK_CONFIGS = frozenset({"v1-inference.yaml", "v2-inference-v.yaml"})

CSV_COLUMNS = (
    "name",
    "parameters_bn",
    "display_name",
    "url",
    "baseline",
    "description",
    "style",
    "tags",
    "instruct_format",
    "settings",
)
# What a legacy text entry shows where the record is silent.
DEFAULT_VERSION = "1"
DEFAULT_STYLE = "generalist"
