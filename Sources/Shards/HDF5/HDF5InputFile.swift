// Reading of files: what may be opened, and the list of datasets.

import CHDF5
import DurableFiles

/// An HDF5 file open for reading.
///
/// Only what the file holds itself is ever read: soft and external links, external storage and
/// virtual datasets are refused.
final class HDF5InputFile: Sendable {
  let path: String
  /// The bytes of the file, for reads that need no help of the library.
  let bytes: RawFile
  /// Whether all of it but the rows was compared with its seal.
  let isSealed: Bool
  let id: hid_t

  /// Opens a file whose seal is whole, or that libhdf5 has survived in a process of its own.
  ///
  /// - Throws: `missing`, `notAShard`, `brokenSeal`, `crashesLibrary`, or `unreadable`.
  convenience init(_ path: String) throws(ShardError) {
    let bytes = try RawFile(path)
    try Self.checkSignature(of: bytes)
    let isSealed = try ShardSeal.check(bytes)
    if !isSealed { try ShardGuard.look(at: bytes) }
    try self.init(bytes, isSealed: isSealed)
    // The library has opened the path once more.
    guard FileStamp(at: path) == (try bytes.stamp) else { throw .changed(path: path) }
  }

  /// Opens a file that this process has just written.
  convenience init(trusted path: String) throws(ShardError) {
    try self.init(try RawFile(path), isSealed: false)
  }

  private init(_ bytes: RawFile, isSealed: Bool) throws(ShardError) {
    let path = bytes.path
    self.bytes = bytes
    self.isSealed = isSealed
    id = try HDF5.locked { () throws(ShardError) -> hid_t in
      let access = try HDF5Location(path: path, item: "the file", isWriting: false).fileAccess()
      let id = HDF5.uninterrupted { H5Fopen(path, chdf5_read_only(), access.id) }
      guard id >= 0 else {
        if let errno = HDF5Location.systemError() {
          throw .file(.failed(operation: "open", path: path, errno: errno))
        }
        throw .notAShard(
          path: path, reason: HDF5Location.innermostError() ?? "libhdf5 cannot open it")
      }
      return id
    }
    self.path = path
    try refuseUserBlock()
  }

  deinit {
    HDF5.locked { _ = H5Fclose(id) }
  }

  /// A file of ours begins with the signature; others are told apart without the library.
  private static func checkSignature(of file: RawFile) throws(ShardError) {
    let expected = [0x89] + Array("HDF\r\n".utf8) + [0x1A, 0x0A]
    var found = [UInt8](repeating: 0, count: expected.count)
    guard file.count > 0 else { throw .notAShard(path: file.path, reason: "an empty file") }
    if file.count >= found.count {
      try found.withUnsafeMutableBytes { bytes in
        Result { () throws(ShardError) in
          try file.read(into: bytes, at: 0, item: "the signature")
        }
      }.get()
    }
    guard found == expected else {
      throw .notAShard(path: file.path, reason: "not an HDF5 file")
    }
  }

  func location(_ item: String) -> HDF5Location {
    HDF5Location(path: path, item: item, isWriting: false)
  }

  /// Addresses in a file count from the end of its user block; here they count from its start.
  private func refuseUserBlock() throws(ShardError) {
    let location = location("the header")
    try HDF5.locked { () throws(ShardError) in
      let list = try location.handle(H5Fget_create_plist(id), release: H5Pclose)
      var size: hsize_t = 0
      try location.check(H5Pget_userblock(list.id, &size))
      guard size == 0 else {
        throw .malformed(
          path: path, item: "the user block", found: "\(size) bytes", expected: "none")
      }
    }
  }

  // MARK: Links

  /// The names of the datasets in the root, sorted by their bytes.
  ///
  /// - Throws: `externalLink` when the root holds a link to somewhere else.
  func datasetNames() throws(ShardError) -> [String] {
    var datasets: [String] = []
    for name in try names(in: "") where try kind(of: name) == .dataset { datasets.append(name) }
    return datasets
  }

  /// The names of all datasets, those of groups in the root as `GROUP/NAME`.
  ///
  /// - Throws: `externalLink` as `datasetNames` does.
  func allDatasetNames() throws(ShardError) -> [String] {
    var all: [String] = []
    for name in try names(in: "") {
      switch try kind(of: name) {
      case .dataset: all.append(name)
      case .group:
        for inner in try names(in: name) where try kind(of: "\(name)/\(inner)") == .dataset {
          all.append("\(name)/\(inner)")
        }
      case .other: break
      }
    }
    return all
  }

  /// Whether the root holds a group of that name.
  func hasGroup(_ name: String) throws(ShardError) -> Bool { try has(.group, name) }

  /// Whether the root holds a dataset of that name.
  func hasDataset(_ name: String) throws(ShardError) -> Bool { try has(.dataset, name) }

  /// A failure of the library is no "no".
  private func has(_ wanted: ObjectKind, _ name: String) throws(ShardError) -> Bool {
    let location = location("/\(name)")
    return try HDF5.locked { () throws(ShardError) in
      guard try location.check(H5Lexists(id, name, 0)) > 0 else { return false }
      return try lockedKind(of: name) == wanted
    }
  }

  private func names(in group: String) throws(ShardError) -> [String] {
    let root = location("/\(group)")
    return try HDF5.locked { () throws(ShardError) -> [String] in
      let opened = try root.handle(
        H5Gopen2(id, group.isEmpty ? "/" : group, 0), release: H5Gclose)
      let id = opened.id
      var info = H5G_info_t()
      try root.check(H5Gget_info(id, &info))
      guard info.nlinks <= 1000 else {
        throw .malformed(
          path: path, item: root.item, found: "\(info.nlinks) entries", expected: "at most 1000")
      }
      var names: [String] = []
      for index in 0..<info.nlinks {
        var name = [CChar](repeating: 0, count: 1024)
        try root.check(
          H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, index, &name, name.count, 0))
        names.append(
          String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
      }
      return names
    }
  }

  private enum ObjectKind {
    case dataset, group, other
  }

  /// What a name of the root, or of a group in it, leads to.
  private func kind(of name: String) throws(ShardError) -> ObjectKind {
    try HDF5.locked { () throws(ShardError) -> ObjectKind in try lockedKind(of: name) }
  }

  private func lockedKind(of name: String) throws(ShardError) -> ObjectKind {
    let location = location("/\(name)")
    var link = H5L_info_t()
    try location.check(chdf5_link_info(id, name, &link))
    switch link.type {
    case H5L_TYPE_HARD: break
    case H5L_TYPE_SOFT: throw .externalLink(path: path, item: location.item, kind: "a soft link")
    case H5L_TYPE_EXTERNAL:
      throw .externalLink(path: path, item: location.item, kind: "an external link")
    default: throw .externalLink(path: path, item: location.item, kind: "a link of unknown kind")
    }
    let object = try location.handle(H5Oopen(id, name, 0), release: H5Oclose)
    switch H5Iget_type(object.id) {
    case H5I_DATASET: return .dataset
    case H5I_GROUP: return .group
    default: return .other
    }
  }

  /// Opens a dataset of the root, or `GROUP/NAME` of a group in it.
  func dataset(_ name: String) throws(ShardError) -> HDF5InputDataset {
    let location = location("/\(name)")
    if let slash = name.firstIndex(of: "/") {
      // The library would follow a link in the middle of the name.
      guard try hasGroup(String(name[..<slash])) else {
        throw .missingItem(path: path, item: location.item)
      }
    }
    return try HDF5.locked { () throws(ShardError) -> HDF5InputDataset in
      guard try location.check(H5Lexists(id, name, 0)) > 0 else {
        throw .missingItem(path: path, item: location.item)
      }
      guard try lockedKind(of: name) == .dataset else {
        throw .malformed(path: path, item: location.item, found: "a group", expected: "a dataset")
      }
      let dataset = try location.handle(H5Dopen2(id, name, 0), release: H5Dclose)
      return try HDF5InputDataset(dataset, of: self, at: location)
    }
  }
}
