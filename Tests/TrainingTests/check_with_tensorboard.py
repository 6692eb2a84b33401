"""Checks that TensorBoard reads a run's event file and finds there what metrics.csv says.

Usage: python check_with_tensorboard.py RUN      (needs tensorboard)
"""

import csv
import math
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

PNG = b"\x89PNG\r\n\x1a\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    run = Path(sys.argv[1])
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    compared = 0
    with open(run / "metrics.csv", newline="") as file:
        for row in csv.DictReader(file):
            step = int(row.pop("step"))
            for tag, cell in row.items():
                if not cell:
                    continue
                found = [event.value for event in events.Scalars(tag) if event.step == step]
                assert len(found) == 1, f"{tag} at step {step}: {len(found)} events"
                assert math.isclose(found[0], float(cell), rel_tol=1e-5, abs_tol=1e-30), (
                    f"{tag} at step {step}: {found[0]} in the event file, {cell} in metrics.csv")
                compared += 1
    assert compared > 0, "metrics.csv holds no metrics"
    images = [image for tag in events.Tags()["images"] for image in events.Images(tag)]
    assert images and all(image.encoded_image_string.startswith(PNG) for image in images), "no images"
    config = events.Tensors("config")[0].tensor_proto.string_val[0].decode()
    assert (run / "config.json").read_text() in config, "the configuration is not in the event file"
    print(f"{run}: {compared} metrics and {len(images)} images agree")


main()
