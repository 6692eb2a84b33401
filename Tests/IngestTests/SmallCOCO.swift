import Corpora
import Foundation
import Images
import Ingest
import Shards
import TestSupport

/// A small folder in COCO's layout: four images with objects, surfaces, captions and label maps.
struct SmallCOCO {
  /// Size by number, pixels.
  static let sizes: [(id: Int64, width: Int, height: Int)] = [
    (9, 40, 30), (25, 30, 40), (30, 33, 33), (34, 48, 32),
  ]

  let folder: TemporaryFolder
  var root: String { folder("coco") }
  private let label: String

  /// - Parameter label: the folder of images, `train2017`.
  init(label: String = "train2017", in folder: TemporaryFolder? = nil) throws {
    self.folder = try folder ?? TemporaryFolder()
    self.label = label
    for name in [label, "annotations", "stuffthingmaps/\(label)"] {
      try FileManager.default.createDirectory(
        atPath: self.folder("coco/\(name)"), withIntermediateDirectories: true)
    }
    for (id, width, height) in Self.sizes {
      try Self.image(width: width, height: height).writePNG(to: path(id))
      try Self.map(id, width: width, height: height).writePNG(to: mapPath(id))
    }
    try write("instances", Self.instances)
    try write("stuff", Self.stuff)
    try write("captions", Self.captions)
  }

  static func name(_ id: Int64) -> String { String(format: "%012d.jpg", id) }
  func path(_ id: Int64) -> String { "\(root)/\(label)/\(Self.name(id))" }
  func mapPath(_ id: Int64) -> String {
    "\(root)/stuffthingmaps/\(label)/" + String(format: "%012d.png", id)
  }
  func annotations(_ kind: String) -> String { "\(root)/annotations/\(kind)_\(label).json" }

  /// Columns get redder, rows greener; the name ends with .jpg although it is a PNG.
  static func image(width: Int, height: Int) -> RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: (0..<height).flatMap { y in
        (0..<width).flatMap { x in [UInt8(x * 5), UInt8(y * 5), UInt8(40)] }
      })
  }

  /// A band of 123 (stored as 122) at the left, a column of 182 at the right, nothing elsewhere.
  static func map(_ id: Int64, width: Int, height: Int) -> LabelMap {
    LabelMap(
      width: width, height: height,
      values: (0..<height).flatMap { _ in
        (0..<width).map { x in x < width / 4 ? 122 : x == width - 1 ? 181 : 255 }
      })
  }

  static var listed: [[String: Any]] {
    sizes.map {
      ["id": $0.id, "file_name": name($0.id), "width": $0.width, "height": $0.height]
    }
  }

  static func object(
    _ id: Int, image: Int64, category: Int, box: [Double], crowd: Bool = false
  ) -> [String: Any] {
    let (x, y, right, bottom) = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    return [
      "id": id, "image_id": image, "category_id": category, "bbox": box, "iscrowd": crowd ? 1 : 0,
      "area": box[2] * box[3], "segmentation": [[x, y, right, y, right, bottom, x, bottom]],
    ]
  }

  static var instances: [String: Any] {
    [
      "info": [:], "images": listed,
      "annotations": [
        object(101, image: 9, category: 1, box: [10, 5, 20, 20]),
        object(102, image: 9, category: 18, box: [15, 10, 5, 5]),
        object(103, image: 25, category: 18, box: [0, 30, 30, 10]),
        object(104, image: 34, category: 1, box: [0, 0, 4, 4], crowd: true),
        object(105, image: 34, category: 3, box: [20, 10, 8, 8]),
      ],
      "categories": [
        ["id": 1, "name": "person", "supercategory": "person"],
        ["id": 3, "name": "car", "supercategory": "vehicle"],
        ["id": 18, "name": "dog", "supercategory": "animal"],
      ],
    ]
  }

  static var stuff: [String: Any] {
    [
      "images": listed,
      "annotations": [
        object(201, image: 9, category: 124, box: [0, 0, 40, 30]),
        object(202, image: 9, category: 183, box: [0, 0, 40, 30]),
      ],
      "categories": [
        ["id": 124, "name": "grass", "supercategory": "plant"],
        ["id": 183, "name": "other", "supercategory": "other"],
      ],
    ]
  }

  static var captions: [String: Any] {
    [
      "images": listed,
      "annotations": [
        ["id": 1, "image_id": 9, "caption": "A person and a dog."],
        ["id": 2, "image_id": 34, "caption": "Ein Auto\n"],
        ["id": 3, "image_id": 9, "caption": "🐕 on grass"],
      ] as [[String: Any]],
    ]
  }

  /// Replaces an annotation file.
  func write(_ kind: String, _ content: [String: Any]) throws {
    try JSONSerialization.data(withJSONObject: content, options: [.sortedKeys])
      .write(to: URL(fileURLWithPath: annotations(kind)))
  }

  /// Replaces the bytes of an image.
  func replace(_ id: Int64, with bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path(id)))
  }
}

/// What `prep-coco` and `prep-images` are told of squares and shards.
@dynamicMemberLookup
struct ImageOptions {
  var squares: SquareOptions
  var shards: ShardOptions

  /// Squares of 24 pixels that are neither compressed nor filtered.
  static func squares(
    _ change: (inout ImageOptions) -> Void = { _ in }
  ) throws -> ImageOptions {
    var options = ImageOptions(
      squares: try .parse(["--size", "24", "--filter", "nearest"]),
      shards: try .parse(["--name", "p", "--compression", "none"]))
    change(&options)
    return options
  }

  subscript<Value>(dynamicMember path: WritableKeyPath<SquareOptions, Value>) -> Value {
    get { squares[keyPath: path] }
    set { squares[keyPath: path] = newValue }
  }

  subscript<Value>(dynamicMember path: WritableKeyPath<ShardOptions, Value>) -> Value {
    get { shards[keyPath: path] }
    set { shards[keyPath: path] = newValue }
  }
}

extension COCOOptions {
  static func taking(
    split: Split = .train, segmentation: Segmentation = .none, captions: Bool = false,
    objects: Bool = false, categories: String? = nil, followsLinks: Bool = false
  ) throws -> COCOOptions {
    var options = try COCOOptions.parse([])
    (options.split, options.segmentation, options.captions) = (split, segmentation, captions)
    (options.objects, options.categories) = (objects, categories)
    options.followsLinks = followsLinks
    return options
  }
}

/// Plans what is read of COCO.
func plan(
  _ coco: SmallCOCO, _ options: COCOOptions, _ images: ImageOptions,
  policy: ErrorPolicy = ErrorPolicy(), progress: (IngestEvent) throws -> Void = { _ in }
) throws -> IngestPlan {
  try COCOPlanner.plan(
    root: coco.root, options: options, squares: images.squares, shards: images.shards,
    policy: policy, progress: progress)
}

/// Plans and writes COCO.
@discardableResult
func ingest(
  _ coco: SmallCOCO, _ options: COCOOptions? = nil, _ images: ImageOptions? = nil,
  to folder: String, threads: Int = 2, policy: ErrorPolicy = ErrorPolicy(),
  progress: (IngestEvent) throws -> Void = { _ in }
) throws -> IngestOutcome {
  let plan = try plan(
    coco, options ?? .taking(), images ?? .squares(), policy: policy, progress: progress)
  return try ShardIngest(
    plan: plan, folder: folder, threads: threads, policy: policy, toolVersion: "test"
  ).run(progress: progress)
}
