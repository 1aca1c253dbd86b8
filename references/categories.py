"""The categories of the reference: one table of facts, from which everything per category is derived."""

from dataclasses import dataclass

from references.vocabulary import Domain, Purpose


@dataclass(frozen=True, slots=True)
class CategorySpec:
    """What is fixed about a category.

    `source` is the file of the legacy repositories that holds the category (None: it has no legacy form),
    `usage` the kind of model the AI-Horde reports usage for (None: it reports none).
    """

    name: str
    label: str
    domain: Domain
    purpose: Purpose
    source: str | None = None
    usage: str | None = None
    curated_elsewhere: bool = False

    @property
    def has_legacy_form(self) -> bool:
        return self.source is not None

    @property
    def has_legacy_objects(self) -> bool:
        """Whether each record keeps a legacy object; legacy text entries are computed from the record."""
        return self.has_legacy_form and self.domain is not Domain.TEXT


CATEGORIES: dict[str, CategorySpec] = {
    spec.name: spec
    for spec in (
        CategorySpec(
            "image_generation",
            "Image generation",
            Domain.IMAGE,
            Purpose.GENERATION,
            "stable_diffusion.json",
            "image",
        ),
        CategorySpec(
            "text_generation", "Text generation", Domain.TEXT, Purpose.GENERATION, "models.csv", "text"
        ),
        CategorySpec("clip", "CLIP", Domain.IMAGE, Purpose.FEATURE_EXTRACTOR, "clip.json"),
        CategorySpec("controlnet", "ControlNet", Domain.IMAGE, Purpose.AUXILIARY_OR_PATCH, "controlnet.json"),
        CategorySpec("blip", "BLIP", Domain.IMAGE, Purpose.FEATURE_EXTRACTOR, "blip.json"),
        CategorySpec("esrgan", "ESRGAN", Domain.IMAGE, Purpose.POST_PROCESSING, "esrgan.json"),
        CategorySpec("gfpgan", "GFPGAN", Domain.IMAGE, Purpose.POST_PROCESSING, "gfpgan.json"),
        CategorySpec("codeformer", "CodeFormer", Domain.IMAGE, Purpose.POST_PROCESSING, "codeformer.json"),
        CategorySpec(
            "safety_checker", "Safety checker", Domain.IMAGE, Purpose.SAFETY_CHECKER, "safety_checker.json"
        ),
        CategorySpec("video_generation", "Video generation", Domain.VIDEO, Purpose.GENERATION),
        CategorySpec("audio_generation", "Audio generation", Domain.AUDIO, Purpose.GENERATION),
        CategorySpec(
            "miscellaneous", "Miscellaneous", Domain.IMAGE, Purpose.MISCELLANEOUS, "miscellaneous.json"
        ),
        CategorySpec("lora", "LoRA", Domain.IMAGE, Purpose.AUXILIARY_OR_PATCH, curated_elsewhere=True),
        CategorySpec(
            "ti", "Textual inversion", Domain.IMAGE, Purpose.AUXILIARY_OR_PATCH, curated_elsewhere=True
        ),
    )
}
TEXT_CATEGORY = "text_generation"
IMAGE_CATEGORY = "image_generation"
