import DurableFiles
import Images
import Shards

/// Pictures of a folder and the folders in it, or of a list of files.
package struct ImageListSource: PictureSource {
  /// Where the pictures are; `nil` for a list, whose names are paths.
  private let folder: PictureFolder?
  /// Whether photos are turned as their EXIF orientation says.
  private let turnsUpright: Bool
  private let depths: DepthFolder?

  package let corpus = "images"
  package var contents: PictureContents { PictureContents(depth: depths != nil) }

  package var remarks: [String: String] {
    (depths == nil ? [:] : DepthFolder.remarks).merging(
      ["orientation": turnsUpright ? "turned as EXIF says" : "as stored, EXIF ignored"]) { $1 }
  }

  package func read(_ picture: PlannedPicture) throws(PictureFault) -> SourcePicture {
    let path = folder?.path(of: picture.name) ?? picture.name
    let image: RGBImage
    do throws(ImageError) {
      let bytes =
        if let folder { try folder.bytes(of: picture.name) } else {
          try ImageDecoder.bytes(of: path)
        }
      let stored = try ImageDecoder.decode(bytes, path: path)
      image = turnsUpright ? stored.upright(EXIFOrientation(jpeg: bytes)) : stored
    } catch {
      throw PictureFault(error)
    }
    let depth: DepthMap? =
      if let depths { try depths.map(of: picture.name, for: image) } else { nil }
    return SourcePicture(image: image, depth: depth)
  }
}

extension ImageListSource {
  /// Plans the shards of all pictures below a folder, by name.
  ///
  /// - Parameters:
  ///   - followsLinks: whether links to pictures may point out of the folder.
  ///   - depths: the pictures' depth maps.
  /// - Throws: `IngestError`, and what `progress` throws.
  package static func plan(
    folder: String, followsLinks: Bool = false, turnsUpright: Bool, depths: DepthFolder? = nil,
    options: PictureIngestOptions, progress: (IngestEvent) throws -> Void
  ) throws -> PicturePlan {
    let opened: PictureFolder
    do throws(ImageError) {
      opened = try PictureFolder(folder, followsLinks: followsLinks)
    } catch {
      throw IngestError.image(error)
    }
    let listing = PictureListing(of: folder)
    if listing.pictures.isEmpty { throw IngestError.noPictures(folder: folder) }
    var warnings: [String] = []
    if let first = listing.ignored.first {
      warnings.append(
        "\(folder): \(listing.ignored.count) files are no pictures by their names and were ignored, "
          + "such as \(first)")
    }
    let source = ImageListSource(folder: opened, turnsUpright: turnsUpright, depths: depths)
    return try source.plan(
      listing.pictures, path: folder, options: options, warnings: warnings,
      progress: progress)
  }

  /// Plans the shards of the pictures at these paths, in their order.
  ///
  /// - Parameter list: where the paths come from, for messages.
  package static func plan(
    paths: [String], list: String, turnsUpright: Bool, options: PictureIngestOptions,
    progress: (IngestEvent) throws -> Void
  ) throws -> PicturePlan {
    try ImageListSource(folder: nil, turnsUpright: turnsUpright, depths: nil).plan(
      paths, path: list, options: options, warnings: [], progress: progress)
  }

  private func plan(
    _ names: [String], path: String, options: PictureIngestOptions,
    warnings: [String], progress: (IngestEvent) throws -> Void
  ) throws -> PicturePlan {
    var pictures: [PlannedPicture] = []
    pictures.reserveCapacity(names.count)
    for (id, name) in names.enumerated() {
      let bytes =
        if let folder { folder.fileSize(of: name) } else { DurableFile.byteCount(of: name) }
      pictures.append(PlannedPicture(id: Int64(id), name: name, bytes: bytes))
      if id % 1000 == 999 { try progress(.planned(items: id + 1, of: names.count)) }
    }
    let choice = PictureChoice(training: pictures, options: options)
    try choice.check(path: path, wantsTraining: true, wantsValidation: options.holdout > 0)
    return PicturePlan(
      choice, of: self, options: options, inputs: [],
      described: ["--upright": "\(turnsUpright)", "--depth": depths?.path ?? "none"],
      warnings: warnings)
  }
}
