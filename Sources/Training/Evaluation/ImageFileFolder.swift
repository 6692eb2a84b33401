// A folder of image files that are compared with others.
import DurableFiles

/// What a folder holds: PNG and JPEG files, or shards.
struct ImageFileFolder {
  let folder: String
  /// Names of PNG and JPEG files, sorted.
  let names: [String]
  /// Names of shards, sorted.
  let shards: [String]
  /// What is beside the images and not taken.
  let warnings: [String]

  /// Sheets that sample-gpt and reconstruct write beside their images.
  private static let sheets: Set = ["grid.png", "sheet.png"]

  init(_ folder: String) {
    self.folder = folder
    let all = DurableFile.names(in: folder).filter { !$0.hasPrefix(".") }.sorted()
    // Whatever their names end with.
    let folders = Set(all.filter { DurableFile.isFolder("\(folder)/\($0)") })
    let files = all.filter { !folders.contains($0) }
    func isOf(_ endings: [String]) -> (String) -> Bool {
      { name in endings.contains(where: name.lowercased().hasSuffix) }
    }
    shards = files.filter(isOf([".h5"]))
    let images = files.filter(isOf([".png", ".jpg", ".jpeg"]))
    let own = images.filter { !Self.sheets.contains($0) }
    names = own.isEmpty ? images : own
    var warnings: [String] = []
    for sheet in images where Self.sheets.contains(sheet) && !own.isEmpty {
      warnings.append(
        "\(folder): \(sheet) was left out, a sheet that sample-gpt or reconstruct wrote; give it "
          + "another name if it is an image like the others")
    }
    let known = Set(images + shards)
    let others = files.filter { !known.contains($0) }
    if let first = others.first {
      warnings.append(
        "\(folder): \(others.count == 1 ? "1 file is" : "\(others.count) files are") no PNG or JPEG "
          + "by name and left out, such as \(first)")
    }
    if let first = folders.min() {
      warnings.append(
        "\(folder): \(folders.count == 1 ? "1 folder" : "\(folders.count) folders") in it left out "
          + "with all that is there, such as \(first)")
    }
    self.warnings = warnings
  }

  func path(of name: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }
}

extension EvaluationSide {
  /// The same images in the order of their namesakes of the reference.
  ///
  /// Files of two folders pair by name, without their endings, and without the numbers of
  /// reconstruct, where these are all that differs; rows of shards, of images or codes, where both
  /// sides have the same names. All else pairs by position.
  /// - Throws: `EvaluationError.unpaired` for the first image without a namesake, of shards only
  ///   where others have one; errors of the files.
  func paired(with reference: EvaluationSide) throws -> EvaluationSide {
    guard let (own, others) = try names(with: reference) else { return self }
    let numbers = Dictionary(uniqueKeysWithValues: zip(own, own.indices))
    let known = Set(others)
    if !isFolder, !own.contains(where: known.contains) { return self }
    if let alone = others.first(where: { numbers[$0] == nil }) {
      throw EvaluationError.unpaired(name: alone, path: reference.path, other: path)
    }
    if let alone = own.first(where: { !known.contains($0) }) {
      throw EvaluationError.unpaired(name: alone, path: path, other: reference.path)
    }
    var side = self
    side.rows = reference.rows.compactMap { numbers[others[$0]] }
    return side
  }

  private var isFolder: Bool {
    if case .folder = contents { true } else { false }
  }

  /// The names of all images of two sides of one kind; nil where they have none, or the same twice.
  private func names(
    with reference: EvaluationSide
  ) throws -> (own: [String], reference: [String])? {
    func areDifferent(_ names: [String]) -> Bool { Set(names).count == names.count }
    let found: ([String], [String])
    switch (contents, reference.contents) {
    case (.folder(let own), .folder(let other)):
      var stems = (own.names.map(Self.stem), other.names.map(Self.stem))
      let bare = (Self.withoutNumbers(stems.0), Self.withoutNumbers(stems.1))
      if Set(stems.0) != Set(stems.1), Set(bare.0) == Set(bare.1) { stems = bare }
      found = areDifferent(stems.0) && areDifferent(stems.1) ? stems : (own.names, other.names)
    default:
      guard let own = try rowNames, let others = try reference.rowNames else { return nil }
      found = (own, others)
    }
    return areDifferent(found.0) && areDifferent(found.1) ? found : nil
  }

  /// The names of all rows of image shards and code shards; nil of anything else.
  private var rowNames: [String]? {
    get throws {
      switch contents {
      case .shards(let set): try set.names
      case .codes(let set, _): try set.names
      default: nil
      }
    }
  }

  /// Names without the numbers `0000-` that reconstruct sets before those of its images; as they
  /// are where one has none.
  private static func withoutNumbers(_ names: [String]) -> [String] {
    let bare = names.compactMap { $0.wholeMatch(of: /[0-9]{4,}-(.+)/).map { String($0.1) } }
    return bare.count == names.count ? bare : names
  }

  /// A name without its ending.
  private static func stem(_ name: String) -> String {
    name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
  }
}
