import Corpora
import Images
import Shards

/// Images of COCO with their label maps, captions and objects.
struct COCOSource: ImageSource {
  let parts: [COCOPart]
  let options: COCOOptions
  let depths: DepthFolder?

  var corpus: String {
    "coco/" + parts.map(\.layout.label).joined(separator: "+")
  }

  var contents: ImageContents {
    ImageContents(
      maps: (options.segmentation == .none ? [] : [.segmentation])
        + (depths == nil ? [] : [.depth]),
      captions: options.captions, objects: options.objects, categories: categories,
      noCategory: noCategory)
  }

  /// The category that other tools number 0, and the file that lists it.
  var categoryZero: (path: String, name: String)? {
    for file in parts.compactMap(\.things) {
      if let found = file.categories.first(where: { $0.id == 0 }) { return (file.path, found.name) }
    }
    return nil
  }

  /// The category of an image without objects.
  ///
  /// It is 0, or the number behind the last where 0 is listed. Not -1: a GPT's labels count from 0.
  var noCategory: Int32 {
    guard categoryZero != nil else { return 0 }
    let ids = parts.compactMap(\.things).flatMap(\.categories).map(\.id)
    return Int32((ids.max() ?? 0) + 1)
  }

  /// The annotation files' own names, and COCO-Stuff's for numbers that they do not name.
  private var categories: [ShardCategory]? {
    var named: [Int32: ShardCategory] = [:]
    if options.segmentation != .none {
      for label in COCOStuffLabel.all.dropFirst() {
        named[Int32(label.id)] = ShardCategory(
          id: Int32(label.id), name: label.name, supercategory: label.supercategory)
      }
    } else if !options.objects {
      return nil
    }
    for part in parts {
      let files = [part.things, options.segmentation == .annotations ? part.stuff : nil]
      // In label maps 0 stands for unlabelled, whatever category has that number.
      for category in files.compactMap({ $0 }).flatMap(\.categories)
      where category.id != 0 || options.objects {
        named[Int32(category.id)] = ShardCategory(
          id: Int32(category.id), name: category.name, supercategory: category.supercategory)
      }
    }
    return named.values.sorted { $0.id < $1.id }
  }

  func read(_ planned: PlannedImage, needs: ImageNeeds) throws(InvalidImage) -> SourceImage {
    guard let part = parts.first(where: { planned.name.hasPrefix("\($0.layout.label)/") }) else {
      preconditionFailure("\(planned.name) is of no part")
    }
    let name = String(planned.name.dropFirst(part.layout.label.utf8.count + 1))
    let limits = options.pixels.limits
    let image: DecodedImage
    do throws(ImageError) {
      let bytes = try part.folder.bytes(of: name, limits: limits)
      image = try oriented(
        bytes, needs: needs, as: part.images[planned.id], path: part.folder.path(of: name))
    } catch {
      throw InvalidImage(error)
    }
    var found = SourceImage(image: image)
    found.maps[.segmentation] = try labels(
      of: planned.id, name: name, in: part, for: image, &found.faults)
    if let depths { found.maps[.depth] = try depths.map(of: planned.name, for: image) }
    if options.captions {
      found.captions = part.captions?.captions(of: planned.id).map(\.text) ?? []
    }
    if options.objects {
      found.objects = (part.things?.annotations(of: planned.id) ?? []).map {
        SourceObject(id: $0.id, category: $0.categoryID, box: $0.box, isCrowd: $0.isCrowd)
      }
    }
    return found
  }

  /// The image as the annotations see it: turned only where their size asks for it.
  private func oriented(
    _ bytes: [UInt8], needs: ImageNeeds, as listed: COCOImage?, path: String
  ) throws(ImageError) -> DecodedImage {
    let image = try ImageDecoder.decode(
      bytes, path: path, limits: options.pixels.limits, needs: needs
    ) { width, height in
      guard (width, height) != (listed?.width, listed?.height),
        (height, width) == (listed?.width, listed?.height)
      else { return .upright }
      let orientation = EXIFOrientation(of: bytes)
      return orientation.exchangesSides ? orientation : .upright
    }
    guard let width = listed?.width, let height = listed?.height,
      (image.width, image.height) != (width, height)
    else { return image }
    throw .wrongSize(
      path: path, width: image.width, height: image.height, expectedWidth: width,
      expectedHeight: height)
  }

  /// The classes of an image's pixels; `nil` where none are wanted.
  private func labels(
    of id: Int64, name: String, in part: COCOPart, for image: DecodedImage, _ faults: inout [String]
  ) throws(InvalidImage) -> LabelMap? {
    switch options.segmentation {
    case .none:
      return nil
    case .annotations:
      do throws(COCOError) {
        let painted = try COCOLabelMaps(things: part.things, stuff: part.stuff)
          .labels(of: id, width: image.width, height: image.height)
        faults += painted.faults.map(\.description)
        return LabelMap(width: image.width, height: image.height, values: painted.values)
      } catch {
        throw InvalidImage(error)
      }
    case .stuffthingmaps:
      guard let maps = part.maps else { preconditionFailure("maps were found while planning") }
      let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
      return try storedLabels("\(stem).png", in: maps, for: image)
    }
  }

  private func storedLabels(
    _ name: String, in maps: ImageFolder, for image: DecodedImage
  ) throws(InvalidImage) -> LabelMap {
    let path = maps.path(of: name)
    let stored: LabelMap
    do throws(ImageError) {
      let limits = options.pixels.limits
      stored = try ImageDecoder.decodeLabels(
        try maps.bytes(of: name, limits: limits), path: path, limits: limits)
      guard (stored.width, stored.height) == (image.width, image.height) else {
        throw .wrongSize(
          path: path, width: stored.width, height: stored.height, expectedWidth: image.width,
          expectedHeight: image.height)
      }
    } catch {
      throw InvalidImage(error)
    }
    do throws(COCOError) {
      return LabelMap(
        width: stored.width, height: stored.height,
        values: try COCOStuffMap.labels(stored: stored.values, width: stored.width, path: path))
    } catch {
      throw InvalidImage(error)
    }
  }
}
