import DurableFiles
import Images
import Shards

/// Images of a folder and the folders in it, or of a list of files.
package struct ImageListSource: ImageSource {
  /// Where the images are; `nil` for a list, whose names are paths.
  private let folder: ImageFolder?
  private let reading: ImageReading
  private let depths: DepthFolder?

  package let corpus = "images"
  package var contents: ImageContents { ImageContents(maps: depths == nil ? [] : [.depth]) }

  package func read(
    _ planned: PlannedImage, needs: ImageNeeds
  ) throws(InvalidImage) -> SourceImage {
    let path = folder?.path(of: planned.name) ?? planned.name
    let image: DecodedImage
    do throws(ImageError) {
      let bytes =
        if let folder {
          try folder.bytes(of: planned.name, limits: reading.limits)
        } else {
          try ImageDecoder.bytes(of: path, limits: reading.limits)
        }
      image = try reading.image(bytes, path: path, needs: needs)
    } catch {
      throw InvalidImage(error)
    }
    var found = SourceImage(image: image)
    if let depths { found.maps[.depth] = try depths.map(of: planned.name, for: image) }
    return found
  }
}

extension ImageListSource {
  /// Plans the shards of all images below a folder, by name.
  ///
  /// - Parameters:
  ///   - followsLinks: whether links to images may point out of the folder.
  ///   - depth: the folder of the images' depth maps.
  ///   - threads: that count colours.
  /// - Throws: `IngestError`, `ImageError`, and what `progress` throws.
  package static func plan(
    folder: String, followsLinks: Bool = false, reading: ImageReading, depth: String? = nil,
    squares: SquareOptions, palette: PaletteOptions? = nil, threads: Int = 1,
    shards: ShardOptions, progress: (IngestEvent) throws -> Void
  ) throws -> IngestPlan {
    let depths = try depth.map { path throws(ImageError) in
      try DepthFolder(path, followsLinks: followsLinks, limits: reading.limits)
    }
    let opened = try ImageFolder(folder, followsLinks: followsLinks)
    let listing = ImageListing(of: folder, followsLinks: followsLinks)
    if listing.images.isEmpty {
      if let first = listing.unread.first { throw IngestError.noImagesRead(reason: first.reason) }
      throw IngestError.noImages(folder: folder)
    }
    var warnings: [String] = []
    if let first = listing.ignored.first {
      warnings.append(
        "\(folder): \(listing.ignored.count) files are no images by their names and were ignored, "
          + "such as \(first)")
    }
    let source = ImageListSource(folder: opened, reading: reading, depths: depths)
    return try source.plan(
      listing.images, unread: listing.unreadFolders(), path: folder, depth: depth, squares,
      (palette, threads), shards, warnings: warnings, progress: progress)
  }

  /// Plans the shards of the images at these paths, in their order.
  ///
  /// - Parameter list: where the paths come from, for messages.
  /// - Throws: `IngestError`, and what `progress` throws.
  package static func plan(
    paths: [String], list: String, reading: ImageReading, squares: SquareOptions,
    palette: PaletteOptions? = nil, threads: Int = 1, shards: ShardOptions,
    progress: (IngestEvent) throws -> Void
  ) throws -> IngestPlan {
    try ImageListSource(folder: nil, reading: reading, depths: nil).plan(
      paths, path: list, depth: nil, squares, (palette, threads), shards, warnings: [],
      progress: progress)
  }

  private func plan(
    _ names: [String], unread: [PlannedImage] = [], path: String, depth: String?,
    _ squares: SquareOptions, _ colors: (palette: PaletteOptions?, threads: Int),
    _ shards: ShardOptions, warnings: [String], progress: (IngestEvent) throws -> Void
  ) throws -> IngestPlan {
    var images: [PlannedImage] = []
    images.reserveCapacity(names.count)
    for (id, name) in names.enumerated() {
      let bytes =
        if let folder { folder.fileSize(of: name) } else { DurableFile.byteCount(of: name) }
      images.append(PlannedImage(id: Int64(id), name: name, bytes: bytes))
      if id % 1000 == 999 { try progress(.planned(items: id + 1, of: names.count)) }
    }
    let choice = ImageChoice(training: images, unread: unread, options: squares)
    try choice.check(path: path, wantsTraining: true, wantsValidation: squares.holdout > 0)
    var record = IngestRecord()
    record.note("--upright", reading.turnsUpright)
    reading.limits.note(in: &record)
    record.remark(
      "orientation", reading.turnsUpright ? "turned as EXIF says" : "as stored, EXIF ignored")
    DepthFolder.note(depth, in: &record)
    return IngestPlan(
      choice, squares, shards, of: self, name: "images", inputs: choice.inputs, record: record,
      warnings: warnings,
      palette: try colors.palette?.palette(
        of: choice, from: self, cut: .squares(squares), threads: colors.threads,
        progress: progress))
  }
}
