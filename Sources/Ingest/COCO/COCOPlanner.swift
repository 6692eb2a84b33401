import Corpora
import DurableFiles
import Images
import Shards

/// Reads the annotation files of COCO and decides which images become which rows.
package enum COCOPlanner {
  /// Plans the shards of one or both splits.
  ///
  /// - Parameters:
  ///   - root: the folder that COCO's archives were unpacked to.
  ///   - progress: told what happens, in the calling thread; what it throws ends the planning.
  /// - Throws: `IngestError`, `COCOLayoutError`, `COCOError`, `ImageError`, and what `progress`
  ///   throws.
  package static func plan(
    root: String, options: COCOOptions, squares: SquareOptions, shards: ShardOptions,
    policy: ErrorPolicy, progress: (IngestEvent) throws -> Void
  ) throws -> IngestPlan {
    let depths = try options.depth.map { path throws(ImageError) in
      try DepthFolder(
        path, followsLinks: options.followsLinks, limits: options.pixels.limits)
    }
    var parts: [COCOPart] = []
    for split in options.splits {
      parts.append(
        try COCOPart(
          try COCOLayout(root: root, split: split, followsLinks: options.followsLinks),
          options: options, policy: policy, progress: progress))
    }
    var listed: [COCOLayout.Split: [PlannedImage]] = [:]
    var warnings: [String] = []
    var leftOut: [String] = []
    for part in parts {
      let found = try self.images(of: part, options: options, policy: policy, progress: progress)
      try check(found.images, of: part, crops: squares.crops)
      listed[part.layout.split] = found.images
      warnings += part.warnings + found.warnings
      leftOut += part.leftOut + found.leftOut
    }
    let choice = ImageChoice(
      training: listed[.train] ?? [], validation: listed[.val] ?? [], options: squares)
    try choice.check(
      path: root, wantsTraining: options.splits.contains(.train),
      wantsValidation: options.splits.contains(.val) || squares.holdout > 0)
    let files = parts.flatMap { $0.layout.annotationFiles }
    let source = COCOSource(parts: parts, options: options, depths: depths)
    var record = IngestRecord()
    options.note(in: &record)
    record.note(annotations: parts.flatMap(\.digests))
    if options.objects, let found = source.categoryZero {
      record.note("--objects (category of none)", source.noCategory, as: "category_none")
      warnings.append(
        "\(found.path): category 0 is \"\(found.name)\"; \"category\" of an image without objects "
          + "is therefore \(source.noCategory), not 0")
    }
    return IngestPlan(
      choice, squares, shards, of: source, name: "coco",
      inputs: files.map {
        PlannedInput(
          name: COCOLayout.fileName(of: $0), bytes: DurableFile.byteCount(of: $0) ?? -1)
      } + choice.inputs,
      record: record, warnings: warnings, leftOut: leftOut)
  }

  /// The images of a split by number: those that the annotation files list, or without such a file
  /// those in the folder.
  private static func images(
    of part: COCOPart, options: COCOOptions, policy: ErrorPolicy,
    progress: (IngestEvent) throws -> Void
  ) throws -> (images: [PlannedImage], warnings: [String], leftOut: [String]) {
    let listing = ImageListing(
      of: part.layout.imageFolder, followsLinks: options.followsLinks)
    let inFolder = listing.images
    var names: [(id: Int64, name: String)]
    var warnings: [String] = []
    var leftOut: [String] = []
    if part.images.isEmpty {
      names = numbered(inFolder)
    } else {
      names = part.images.values.map { ($0.id, part.nameInFolder($0.fileName)) }
      let folder = part.layout.imageFolder
      let listed = Set(names.map { plain($0.name) })
      leftOut = inFolder.filter { !listed.contains($0) }
        .map { "\(folder)/\($0): in no annotation file" }
      if !leftOut.isEmpty {
        warnings.append(
          "\(folder): \(leftOut.count) images are in no annotation file and were left out")
      }
      if let wanted = try part.images(showing: options.categoryNames) {
        names = names.filter { wanted.contains($0.id) }
      }
    }
    names.sort { ($0.id, $0.name) < ($1.id, $1.name) }
    var images: [PlannedImage] = []
    images.reserveCapacity(names.count)
    for (count, (id, name)) in names.enumerated() {
      images.append(
        PlannedImage(
          id: id, name: "\(part.layout.label)/\(name)", bytes: part.folder.fileSize(of: name)))
      if count % 1000 == 999 { try progress(.planned(items: count + 1, of: names.count)) }
    }
    if part.images.isEmpty { images += listing.unreadFolders(prefix: "\(part.layout.label)/") }
    if !images.isEmpty, !part.images.isEmpty, images.allSatisfy({ $0.bytes == nil }) {
      try refuseLink(names[0].name, in: part.folder)
      throw IngestError.noneOfTheImages(
        folder: part.layout.imageFolder, count: images.count, example: names[0].name,
        found: inFolder.first)
    }
    // Without a limit, a short list is how somebody chooses images.
    if policy.isChosen, let first = leftOut.first {
      try policy.check(skipped: leftOut.count, of: inFolder.count, reason: first)
    }
    return (images, warnings, leftOut)
  }

  /// A listed name as the folder has it: `x.jpg` for `./x.jpg`.
  private static func plain(_ name: String) -> String {
    guard DurableFile.hasSlash(name) else { return name }
    return name.utf8.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
      .map { String(Substring($0)) }.joined(separator: "/")
  }

  /// Where no image opens because all are links: says so.
  private static func refuseLink(
    _ name: String, in folder: ImageFolder
  ) throws(ImageError) {
    do throws(ImageError) {
      _ = try folder.bytes(of: name)
    } catch {
      if case .linkLeadsOut = error { throw error }
    }
  }

  /// Refuses numbers that leave no room for that of the square.
  private static func check(
    _ images: [PlannedImage], of part: COCOPart, crops: Int
  ) throws(IngestError) {
    guard crops > 0, let large = images.first(where: { $0.id > PlannedImage.maxCroppedID })
    else { return }
    throw .numberTooLarge(
      id: large.id, name: large.name, path: part.layout.annotationFiles.first ?? part.layout.root)
  }

  /// Numbers of images that nothing lists: those in their names, or else their positions.
  private static func numbered(_ names: [String]) -> [(id: Int64, name: String)] {
    let numbers = names.map { name -> Int64? in
      let stem = name.prefix { $0 != "." }
      guard stem.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
      return Int64(stem).flatMap { $0 < 1 << 48 ? $0 : nil }
    }
    let known = numbers.compactMap { $0 }
    guard Set(known).count == names.count else {
      return names.enumerated().map { (Int64($0.offset), $0.element) }
    }
    return Array(zip(known, names))
  }
}

extension COCOPart {
  /// A listed name, without the folder of images where it begins with that and leads to no file
  /// in it: `1.jpg` for `train2017/1.jpg` and `images/train2017/1.jpg`.
  fileprivate func nameInFolder(_ name: String) -> String {
    let prefixes = ["\(layout.label)/", "images/\(layout.label)/"]
    guard let prefix = prefixes.first(where: name.hasPrefix), folder.fileSize(of: name) == nil
    else { return name }
    return String(name.dropFirst(prefix.count))
  }

  /// The numbers of the images that show at least one of these categories; `nil` where none are
  /// named.
  ///
  /// - Parameter categories: names or numbers.
  fileprivate func images(showing categories: [String]) throws(IngestError) -> Set<Int64>? {
    guard !categories.isEmpty else { return nil }
    let files = [things, stuff].compactMap { $0 }
    var wanted: Set<Int> = []
    for category in categories {
      let found = files.flatMap(\.categories).first {
        $0.name == category || "\($0.id)" == category
      }
      guard let found else {
        throw .unknownCategory(category, path: files.first?.path ?? layout.root)
      }
      wanted.insert(found.id)
    }
    return Set(
      images.keys.filter { id in
        files.contains { file in
          file.annotations(of: id).contains { wanted.contains($0.categoryID) }
        }
      })
  }
}
