"""Makes the checkpoints and the expected codes of ConvertedConditionTests in this folder.

PyTorch 2.13, numpy 2.2.6:

    python make.py

conditions.ckpt has the keys of a published transformer with its VQGAN, order-NAME.ckpt those of a transformer with a
permuter. expected.json holds, for each condition, its tokens as the published code makes them and the codes (raster
order) that are the most probable one after the other. The weights are random and large, so that every code hangs on its
condition.
"""

import importlib.util
import json
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent
SIDE, PIXELS, CODES, TOKENS, CLASSES = 4, 8, 64, 256, 80
specification = importlib.util.spec_from_file_location("models", FOLDER / "../../../Tools/pytorch_models.py")
models = importlib.util.module_from_spec(specification)
specification.loader.exec_module(models)

torch.manual_seed(11)
vqgan = models.VQGAN({
    "resolution": PIXELS, "in_channels": 3, "out_ch": 3, "ch": 32, "ch_mult": [1, 1], "num_res_blocks": 1,
    "attn_resolutions": [], "z_channels": 16, "embed_dim": 8, "n_embed": CODES, "dropout": 0, "double_z": False,
    "quantizer": {"kind": "gradient"},
})
gpt = models.GPT({"vocab_size": TOKENS, "block_size": 107, "n_layer": 1, "n_head": 2, "n_embd": 16, "n_unmasked": 0})
with torch.no_grad():
    for parameter in gpt.parameters():
        if parameter.ndim > 1:
            parameter.normal_(0, 0.5)
gpt.eval()
smallest = [float("inf")]


def drawn(condition, cells=range(SIDE * SIDE)):
    """The most probable codes behind the condition's tokens; cells[i] is the position of the i-th of them."""
    sequence = list(condition)
    for _ in range(SIDE * SIDE):
        with torch.no_grad():
            logits = gpt(torch.tensor([sequence]))[0, -1, :CODES]
        best, second = logits.topk(2).values.tolist()
        smallest[0] = min(smallest[0], best - second)
        sequence.append(int(logits.argmax()))
    codes = [0] * (SIDE * SIDE)
    for cell, code in zip(cells, sequence[len(condition):]):
        codes[int(cell)] = code
    return {"condition": [int(token) for token in condition], "codes": codes}


def coordinates():
    """CoordStage of what the data sets give: the number of each pixel over that of all."""
    whole = torch.arange(PIXELS * PIXELS, dtype=torch.float64).reshape(1, 1, PIXELS, PIXELS) / PIXELS**2
    positions = torch.nn.functional.interpolate(whole, scale_factor=0.5, mode="area").clamp(0, 1)
    return (TOKENS * positions).round().long().flatten().tolist()


# Left, top, width, height in pixels, COCO's number, crowd: as in the shard that the test writes.
OBJECTS = [(0, 0, 4, 3, 1, False), (2.5, 1, 5, 6.5, 13, True), (6, 6, 2, 2, 10, False)]
# COCO's things sorted as texts; the position is the class.
CATEGORIES = sorted(str(number) for number in range(1, 91) if number not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83))


def scene(form):
    """ObjectsBoundingBoxConditionalBuilder and ObjectsCenterPointsConditionalBuilder, objects in their order."""
    side, none, most = 16, TOKENS - 1, 30

    def token(x, y):
        return int(round(y / PIXELS * (side - 1))) * side + int(round(x / PIXELS * (side - 1)))

    tokens = []
    for x, y, width, height, category, crowd in OBJECTS:
        tokens.append(CATEGORIES.index(str(category)) + CLASSES * crowd)
        tokens += ([token(x, y), token(x + width, y + height)] if form == "boxes"
                   else [token(x + width / 2, y + height / 2)])
    length = most * (3 if form == "boxes" else 2)
    return tokens + [none] * (length - len(tokens)) + [token(0, 0), token(PIXELS, PIXELS)]


def z_curve():
    """Bits of row and column in turns, the column's first."""
    key = [sum((c >> b & 1) << 2 * b | (r >> b & 1) << 2 * b + 1 for b in range(4))
           for r in range(SIDE) for c in range(SIDE)]
    return np.argsort(key)


orders = {"z-curve": z_curve(), "random": np.random.RandomState(1).permutation(SIDE * SIDE)}
transformer = {f"transformer.{name}": value for name, value in gpt.state_dict().items()}
# The VQGAN only draws the images: half the bits are enough.
stage = {f"first_stage_model.{name}": value.half() for name, value in vqgan.state_dict().items()}
torch.save({"state_dict": {**stage, **transformer}}, FOLDER / "conditions.ckpt")
expected = {
    "labels": [drawn([3]), drawn([7])],
    "coordinates": [drawn(coordinates())],
    "boxes": [drawn(scene("boxes"))],
    "points": [drawn(scene("points"))],
}
for name, cells in orders.items():
    cells = torch.tensor(cells)
    permuter = {"permuter.forward_shuffle_idx": cells, "permuter.backward_shuffle_idx": torch.argsort(cells)}
    torch.save({"state_dict": {**transformer, **permuter}}, FOLDER / f"order-{name}.ckpt")
    expected[f"order-{name}"] = [drawn([0], cells.tolist())]
(FOLDER / "expected.json").write_text(json.dumps(expected) + "\n")
print("smallest lead of a code:", smallest[0])
