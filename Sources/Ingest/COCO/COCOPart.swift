import Corpora
import DurableFiles
import Images

/// One split of COCO, opened: its folder of images and what the annotation files say of them.
final class COCOPart: Sendable {
  let layout: COCOLayout
  let folder: ImageFolder
  /// The images that any of the files lists, by number; empty where there is no file.
  let images: [Int64: COCOImage]
  let maps: ImageFolder?
  let captions: COCOCaptions?
  let things: COCOObjects?
  let stuff: COCOObjects?
  /// The names of the annotation files that are read, each with its SHA-256.
  let digests: [String]
  /// Warnings that cost no image.
  let warnings: [String]
  /// Records of the annotation files that are of no use, for the report.
  let leftOut: [String]

  /// Opens a split and reads the annotation files that the options need; where they need none, one
  /// of them for the sizes.
  ///
  /// - Throws: `IngestError`, `COCOLayoutError`, `COCOError`, `ImageError`, and what `progress`
  ///   throws.
  init(
    _ layout: COCOLayout, options: COCOOptions, policy: ErrorPolicy,
    progress: (IngestEvent) throws -> Void
  ) throws {
    let needs = try COCONeeds(of: options, in: layout)
    folder = try ImageFolder(layout.imageFolder, followsLinks: options.followsLinks)
    maps = try needs.maps.map { path throws(ImageError) in
      try ImageFolder(path, followsLinks: options.followsLinks)
    }
    self.layout = layout
    var listing = COCOImageListing(policy: policy, needsAnnotations: !needs.sizesOnly)
    func reading(_ path: String, _ body: (COCOReading) throws -> Void) throws {
      try withoutActuallyEscaping(progress) { progress in
        try body(
          COCOReading(images: needs.sizesOnly ? [] : nil, isStrict: policy.isStrict) {
            bytes, size in
            try progress(.read(file: path, bytes: bytes, of: size))
          })
      }
    }
    var digests: [String] = []
    func note(_ digest: String, of path: String) {
      digests.append("\(COCOLayout.fileName(of: path)) \(digest)")
    }
    func objects(_ path: String?, _ what: String) throws -> COCOObjects? {
      guard let path else { return nil }
      var read: COCOObjects?
      try reading(path) { read = try COCOObjects(path: path, reading: $0) }
      if let read {
        note(read.digest, of: path)
        try listing.add(read.images, of: path, faults: read.faults, what: what)
      }
      return read
    }
    var captions: COCOCaptions?
    if let path = needs.captions {
      try reading(path) { captions = try COCOCaptions(path: path, reading: $0) }
      if let captions {
        note(captions.digest, of: path)
        try listing.add(captions.images, of: path, faults: captions.faults, what: "captions")
      }
    }
    let things = try objects(needs.instances, "objects")
    let stuff = try objects(needs.stuff, "surfaces")
    self.captions = needs.sizesOnly ? nil : captions
    self.things = needs.sizesOnly ? nil : things
    self.stuff = needs.sizesOnly ? nil : stuff
    images = listing.images
    warnings = listing.warnings + needs.warnings
    leftOut = listing.leftOut
    self.digests = digests
  }
}

/// Which files of a split the options need.
private struct COCONeeds {
  private(set) var captions, instances, stuff, maps: String?
  /// Whether only the list of images is wanted of the file.
  private(set) var sizesOnly = false
  private(set) var warnings: [String] = []

  init(of options: COCOOptions, in layout: COCOLayout) throws(COCOLayoutError) {
    func found(
      _ path: String?, _ kind: String, for needed: String
    ) throws(COCOLayoutError) -> String {
      guard let path else {
        throw .noFile(root: layout.root, kind: kind, label: layout.label, needed: needed)
      }
      return path
    }
    if options.captions {
      captions = try found(layout.captions, "captions", for: "--captions")
    }
    if options.objects {
      instances = try found(layout.instances, "instances", for: "--objects")
    }
    if !options.categoryNames.isEmpty {
      instances = try found(layout.instances, "instances", for: "--categories")
      stuff = layout.stuff
    }
    switch options.segmentation {
    case .none: break
    case .stuffthingmaps:
      maps = try found(layout.maps, "stuffthingmaps", for: "--segmentation stuffthingmaps")
    case .annotations:
      instances = try found(layout.instances, "instances", for: "--segmentation annotations")
      stuff = layout.stuff
      if stuff == nil {
        warnings.append(
          "\(layout.root): no annotations/stuff_\(layout.label).json; label maps hold things only")
      }
    }
    if captions == nil, instances == nil, stuff == nil {
      sizesOnly = true
      captions = layout.captions
      if captions == nil { instances = layout.instances }
      if captions == nil, instances == nil { stuff = layout.stuff }
    }
  }
}

/// The images that several annotation files list.
private struct COCOImageListing {
  let policy: ErrorPolicy
  let needsAnnotations: Bool
  private(set) var images: [Int64: COCOImage] = [:]
  private(set) var warnings: [String] = []
  private(set) var leftOut: [String] = []
  private var firstPath: String?

  init(policy: ErrorPolicy, needsAnnotations: Bool) {
    self.policy = policy
    self.needsAnnotations = needsAnnotations
  }

  /// - Parameter what: plural of what the annotations of the file are.
  /// - Throws: `.otherImages` where two files list no image in common, `.nothingUsable` where one
  ///   lists none or nothing of them, `.tooManyRecords` where more of one are invalid than the policy allows.
  mutating func add(
    _ more: [COCOImage], of path: String, faults: InvalidCOCORecords, what: String
  ) throws(IngestError) {
    let reason = faults.listed.first?.description
    if more.isEmpty { throw .nothingUsable(path: path, what: "image", reason: reason) }
    if needsAnnotations, faults.annotations > 0, faults.keptAnnotations == 0 {
      throw .nothingUsable(path: path, what: "annotation", reason: reason)
    }
    try note(faults, of: path)
    if needsAnnotations, faults.annotations == 0 {
      warnings.append("\(path): no \(what), its \"annotations\" is an empty list")
    }
    var common = 0
    var different = 0
    for image in more {
      if let known = images[image.id] {
        common += 1
        if known.fileName != image.fileName || !known.hasSize(of: image) { different += 1 }
        if known.width == nil, known.fileName == image.fileName { images[image.id] = image }
      } else {
        images[image.id] = image
      }
    }
    if let firstPath, common == 0, !more.isEmpty {
      throw .otherImages(path: path, other: firstPath)
    }
    if firstPath == nil { firstPath = path }
    if different > 0 {
      warnings.append(
        "\(path): \(different) images have another name or size than in \(firstPath ?? path), "
          + "which is believed")
    }
  }

  private mutating func note(
    _ faults: InvalidCOCORecords, of path: String
  ) throws(IngestError) {
    let allowed = policy.limit.count(of: faults.read)
    let lost = policy.isChosen ? faults.count : faults.lost
    if lost > allowed, let first = faults.listed.first {
      throw .tooManyRecords(
        path: path, count: lost, read: faults.read, allowed: allowed,
        first: first.description)
    }
    leftOut += faults.listed.map(\.description)
    if faults.repeatedIDs > 0 {
      warnings.append(
        "\(path): \(faults.repeatedIDs) annotations have the number of another one; all are kept")
    }
    if faults.count > 0 {
      let kinds = faults.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      let first = faults.listed.first.map { "; the first: \($0)" } ?? ""
      warnings.append(
        "\(path): \(faults.count) records left out (\(kinds.joined(separator: ", ")))\(first)")
    }
    if faults.mendedEscapes > 0 {
      warnings.append(
        "\(path): \(faults.mendedEscapes) halves of characters (such as \\ud800) read as U+FFFD")
    }
  }
}

extension COCOImage {
  /// Whether two files do not contradict each other.
  fileprivate func hasSize(of other: COCOImage) -> Bool {
    width == nil || other.width == nil || (width, height) == (other.width, other.height)
  }
}
