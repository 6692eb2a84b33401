// Small annotation files for the tests.

import Corpora
import Foundation
import TestSupport

let someImages = """
  {"id": 9, "file_name": "000000000009.jpg", "width": 6, "height": 5, "license": 3},
  {"id": 25, "file_name": "000000000025.jpg", "width": 4, "height": 3}
  """
let someCategories = """
  {"id": 1, "name": "person", "supercategory": "person"}, {"id": 2, "name": "bicycle"}
  """

/// An annotation of an instances file with `change` of its fields' texts.
func annotationText(_ change: [String: String?] = [:]) -> String {
  var fields: [(String, String)] = [
    ("id", "71"), ("image_id", "9"), ("category_id", "1"), ("iscrowd", "0"), ("area", "4.0"),
    ("bbox", "[1, 1, 2, 2]"), ("segmentation", "[[1, 1, 3, 1, 3, 3, 1, 3]]"),
  ]
  for (key, value) in change.sorted(by: { $0.key < $1.key }) {
    fields.removeAll { $0.0 == key }
    if let value { fields.append((key, value)) }
  }
  return "{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
}

func instancesText(
  images: String = someImages, categories: String = someCategories, annotations: [String]
) -> String {
  """
  {"info": {"year": 2017}, "images": [\(images)], "licenses": [{"id": 1}],
   "categories": [\(categories)], "annotations": [\(annotations.joined(separator: ",\n"))]}
  """
}

func captionsText(images: String = someImages, _ captions: [String]) -> String {
  "{\"images\": [\(images)], \"annotations\": [\(captions.joined(separator: ", "))]}"
}

/// Reads `bytes` as an instances file.
func objects(
  _ bytes: some Sequence<UInt8>, in folder: TemporaryFolder, reading: COCOReading = COCOReading()
) throws -> COCOObjects {
  let path = folder("instances.json")
  try Data(bytes).write(to: URL(fileURLWithPath: path))
  return try COCOObjects(path: path, reading: reading)
}

/// Reads `bytes` as a captions file.
func captions(
  _ bytes: some Sequence<UInt8>, in folder: TemporaryFolder, reading: COCOReading = COCOReading()
) throws -> COCOCaptions {
  let path = folder("captions.json")
  try Data(bytes).write(to: URL(fileURLWithPath: path))
  return try COCOCaptions(path: path, reading: reading)
}
