import DurableFiles

/// One split of a folder that COCO's archives were unpacked to.
///
/// `ROOT/train2017/*.jpg`, `ROOT/annotations/instances_train2017.json` and so on; the folder of
/// images may also stand in `ROOT/images`, and any year will do.
package struct COCOLayout: Equatable, Sendable {
  package enum Split: String, Sendable, CaseIterable {
    case train, val
  }

  package let root: String
  package let split: Split
  /// The name of the folder of images, such as `train2017`; annotation files end with it.
  package let label: String
  package let imageFolder: String
  /// `captions_*.json`, `instances_*.json` and `stuff_*.json`, where they are there.
  package let captions, instances, stuff: String?
  /// The folder of the split's `stuffthingmaps`, where it is there.
  package let maps: String?

  /// Folders that the archive of label maps is unpacked to.
  private static let mapFolders = [
    "stuffthingmaps", "stuffthingmaps_trainval2017", "cocostuffthings",
    "annotations/stuffthingmaps",
  ]

  /// Finds the files of a split; none is opened.
  ///
  /// - Parameter followsLinks: whether they may be links that lead out of the root.
  /// - Throws: `.missingFolder`, `.noImages` where there is no folder such as `train2017`,
  ///   `.linkLeadsOut`.
  package init(root: String, split: Split, followsLinks: Bool) throws(COCOLayoutError) {
    guard DurableFile.isFolder(root) else { throw .missingFolder(path: root) }
    guard let found = Self.imageFolder(in: root, split) else {
      throw .noImages(path: root, split: split)
    }
    func file(_ kind: String) -> String? {
      let paths = ["annotations/\(kind)_\(found.label).json", "\(kind)_\(found.label).json"]
        .map { "\(root)/\($0)" }
      // What is no file says so when it is opened.
      return paths.first { DurableFile.isFile($0) } ?? paths.first { DurableFile.exists($0) }
    }
    self.root = root
    self.split = split
    label = found.label
    imageFolder = found.path
    captions = file("captions")
    instances = file("instances")
    stuff = file("stuff")
    maps = Self.mapFolders.map { "\(root)/\($0)/\(found.label)" }
      .first { DurableFile.isFolder($0) }
    let paths = [imageFolder, captions, instances, stuff, maps].compactMap { $0 }
    for path in paths where !followsLinks && DurableFile.leadsOut(path, of: root) {
      throw .linkLeadsOut(path: path, root: root)
    }
  }

  /// The folder of the newest year.
  private static func imageFolder(
    in root: String, _ split: Split
  ) -> (label: String, path: String)? {
    var found: [(label: String, path: String)] = []
    for parent in [root, "\(root)/images"] {
      for name in DurableFile.names(in: parent) where isFolderName(name, of: split) {
        let path = "\(parent)/\(name)"
        if DurableFile.isFolder(path) { found.append((name, path)) }
      }
    }
    return found.max { $0.label < $1.label }
  }

  /// Whether a name is that of a split with a year: `train2017`.
  private static func isFolderName(_ name: String, of split: Split) -> Bool {
    guard name.hasPrefix(split.rawValue) else { return false }
    let year = name.dropFirst(split.rawValue.count)
    return year.utf8.count == 4 && year.utf8.allSatisfy { (48...57).contains($0) }
  }

  /// The name of a file without its folder: the same data under another path has the same names.
  package static func fileName(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The annotation files that are there.
  package var annotationFiles: [String] { [captions, instances, stuff].compactMap { $0 } }
}

/// Why a folder cannot be read as COCO.
package enum COCOLayoutError: Error, Equatable, Sendable {
  case missingFolder(path: String)
  case noImages(path: String, split: COCOLayout.Split)
  case linkLeadsOut(path: String, root: String)
  case noFile(root: String, kind: String, label: String, needed: String)
}

extension COCOLayoutError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missingFolder(let path):
      "\(path): no such folder; expected the one that COCO's archives were unpacked to"
    case .noImages(let path, let split):
      "\(path): no folder such as \(split.rawValue)2017, expected the one that COCO's archives were "
        + "unpacked to; Tools/fetch-coco.sh gets them"
    case .linkLeadsOut(let path, let root):
      "\(path): a link out of \(root), expected files in it (--follow-symlinks reads it)"
    case .noFile(let root, let kind, let label, let needed):
      "\(root): no \(kind == "stuffthingmaps" ? "stuffthingmaps/\(label)/" : "annotations/\(kind)_\(label).json"), "
        + "which \(needed) needs; Tools/fetch-coco.sh gets it"
    }
  }
}
