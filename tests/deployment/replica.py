"""What a client of the published library sees; runs in that library's interpreter, and speaks JSON by lines.

Standard input gives a model and a description. Each line of output is an observation: at once, and again when the
model is read with that description.
"""

import json
import sys
import time

from horde_model_reference import (
    KNOWN_IMAGE_GENERATION_BASELINE,
    MODEL_REFERENCE_CATEGORY,
    ModelReferenceManager,
)

PATIENCE = 60
IMAGES, TEXTS = MODEL_REFERENCE_CATEGORY.image_generation, MODEL_REFERENCE_CATEGORY.text_generation

manager = ModelReferenceManager()


def told(**seen: object) -> None:
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()


images, texts = manager.get_model_reference(IMAGES), manager.get_model_reference(TEXTS)
wanted = KNOWN_IMAGE_GENERATION_BASELINE.stable_diffusion_xl
found = manager.query(IMAGES).for_baseline(wanted).exclude_nsfw().order_by("name").to_list()
told(
    types=sorted({type(record).__name__ for record in (*images.values(), *texts.values())}),
    images=sorted(images),
    texts=sorted(texts),
    sizes={name: record.parameters_count for name, record in texts.items()},
    checksums={name: [file.sha256sum for file in record.config.download] for name, record in images.items()},
    found=[record.name for record in found],
    counted=manager.query(TEXTS).count(),
)
name, description = json.loads(sys.stdin.readline())
deadline = time.monotonic() + PATIENCE
seen = None
while seen != description and time.monotonic() < deadline:
    time.sleep(1)
    # The library has no record while the cache times of its categories run out, one after the other.
    if record := manager.get_model_or_none(IMAGES, name):
        seen = record.description
told(description=seen)
