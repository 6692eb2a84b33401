// The names of COCO-Stuff's labels.

extension COCOStuffLabel {
  /// Names of 1…182 in order, by supercategory.
  static let groups: [(supercategory: String, names: [String])] = [
    ("person", ["person"]),
    ("vehicle", ["bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"]),
    (
      "outdoor",
      [
        "traffic light", "fire hydrant", "street sign", "stop sign", "parking meter", "bench",
      ]
    ),
    (
      "animal",
      [
        "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe",
      ]
    ),
    (
      "accessory",
      [
        "hat", "backpack", "umbrella", "shoe", "eye glasses", "handbag", "tie", "suitcase",
      ]
    ),
    (
      "sports",
      [
        "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove",
        "skateboard", "surfboard", "tennis racket",
      ]
    ),
    ("kitchen", ["bottle", "plate", "wine glass", "cup", "fork", "knife", "spoon", "bowl"]),
    (
      "food",
      [
        "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza",
        "donut", "cake",
      ]
    ),
    (
      "furniture",
      [
        "chair", "couch", "potted plant", "bed", "mirror", "dining table", "window", "desk",
        "toilet", "door",
      ]
    ),
    ("electronic", ["tv", "laptop", "mouse", "remote", "keyboard", "cell phone"]),
    ("appliance", ["microwave", "oven", "toaster", "sink", "refrigerator", "blender"]),
    (
      "indoor",
      [
        "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
        "hair brush",
      ]
    ),
    ("textile", ["banner", "blanket"]),
    ("plant", ["branch"]),
    ("building", ["bridge", "building-other"]),
    ("plant", ["bush"]),
    ("furniture-stuff", ["cabinet"]),
    ("structural", ["cage"]),
    ("raw-material", ["cardboard"]),
    ("floor", ["carpet"]),
    ("ceiling", ["ceiling-other", "ceiling-tile"]),
    ("textile", ["cloth", "clothes"]),
    ("sky", ["clouds"]),
    ("furniture-stuff", ["counter", "cupboard"]),
    ("textile", ["curtain"]),
    ("furniture-stuff", ["desk-stuff"]),
    ("ground", ["dirt"]),
    ("furniture-stuff", ["door-stuff"]),
    ("structural", ["fence"]),
    ("floor", ["floor-marble", "floor-other", "floor-stone", "floor-tile", "floor-wood"]),
    ("plant", ["flower"]),
    ("water", ["fog"]),
    ("food-stuff", ["food-other", "fruit"]),
    ("furniture-stuff", ["furniture-other"]),
    ("plant", ["grass"]),
    ("ground", ["gravel", "ground-other"]),
    ("solid", ["hill"]),
    ("building", ["house"]),
    ("plant", ["leaves"]),
    ("furniture-stuff", ["light"]),
    ("textile", ["mat"]),
    ("raw-material", ["metal"]),
    ("furniture-stuff", ["mirror-stuff"]),
    ("plant", ["moss"]),
    ("solid", ["mountain"]),
    ("ground", ["mud"]),
    ("textile", ["napkin"]),
    ("structural", ["net"]),
    ("raw-material", ["paper"]),
    ("ground", ["pavement"]),
    ("textile", ["pillow"]),
    ("plant", ["plant-other"]),
    ("raw-material", ["plastic"]),
    ("ground", ["platform", "playingfield"]),
    ("structural", ["railing"]),
    ("ground", ["railroad"]),
    ("water", ["river"]),
    ("ground", ["road"]),
    ("solid", ["rock"]),
    ("building", ["roof"]),
    ("textile", ["rug"]),
    ("food-stuff", ["salad"]),
    ("ground", ["sand"]),
    ("water", ["sea"]),
    ("furniture-stuff", ["shelf"]),
    ("sky", ["sky-other"]),
    ("building", ["skyscraper"]),
    ("ground", ["snow"]),
    ("solid", ["solid-other"]),
    ("furniture-stuff", ["stairs"]),
    ("solid", ["stone"]),
    ("plant", ["straw"]),
    ("structural", ["structural-other"]),
    ("furniture-stuff", ["table"]),
    ("building", ["tent"]),
    ("textile", ["textile-other", "towel"]),
    ("plant", ["tree"]),
    ("food-stuff", ["vegetable"]),
    (
      "wall",
      [
        "wall-brick", "wall-concrete", "wall-other", "wall-panel", "wall-stone", "wall-tile",
        "wall-wood",
      ]
    ),
    ("water", ["water-other", "waterdrops"]),
    ("window", ["window-blind", "window-other"]),
    ("solid", ["wood"]),
  ]
}
