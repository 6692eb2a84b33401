// The two forms of PyTorch files: where their pickle and their storages are.

/// The pickle of a file, and the positions of its storages.
struct PyTorchContents {
  let pickle: Pickle
  let positions: [String: Range<Int>]
  /// CRC-32 of each storage; the stream of pickles has none.
  let checksums: [String: UInt32]

  /// A pickle of more bytes is refused; that of the largest transformer has one megabyte.
  private static let maxPickleBytes = 1 << 28

  init(_ file: RandomAccessFile) throws(PyTorchFileError) {
    let prefix = try file.bytes(0..<min(file.count, 512))
    if prefix.starts(with: [0x50, 0x4b, 3, 4]) {
      try self.init(archive: file)
    } else if prefix.starts(with: Self.magic) {
      try self.init(stream: file)
    } else {
      throw Self.otherFormat(prefix, path: file.path)
    }
  }

  // MARK: The archive

  private init(archive file: RandomAccessFile) throws(PyTorchFileError) {
    let entries = try ZipArchive(file).entries
    let pickles = entries.keys.filter { name in
      name.hasSuffix("/data.pkl") && name.utf8.count(where: { $0 == UInt8(ascii: "/") }) == 1
    }
    guard pickles.count == 1, let name = pickles.first, let entry = entries[name] else {
      throw .notPyTorch(
        path: file.path, found: "a zip archive with \(pickles.count) data.pkl", advice: Self.advice)
    }
    let stem = name.dropLast("data.pkl".count)
    if entries[stem + "constants.pkl"] != nil {
      throw .notPyTorch(
        path: file.path, found: "a TorchScript archive",
        advice: "save the state_dict of the model with torch.save")
    }
    if let order = entries[stem + "byteorder"], order.range.count == 3,
      try file.bytes(order.range) == Array("big".utf8)
    {
      throw .bigEndian(path: file.path)
    }
    guard entry.range.count <= Self.maxPickleBytes else {
      throw .archive(path: file.path, entry: name, problem: "\(entry.range.count) bytes")
    }
    guard try file.crc32(of: entry.range) == entry.crc else {
      throw .archive(
        path: file.path, entry: name,
        problem: "its CRC-32 differs from the archive's; copy the file again")
    }
    var unpickler = Unpickler(PickleInput(file, entry.range))
    pickle = try unpickler.load()
    var positions: [String: Range<Int>] = [:]
    var checksums: [String: UInt32] = [:]
    for storage in try Self.storages(of: pickle, path: file.path).values {
      guard let entry = entries["\(stem)data/\(storage.key)"] else { continue }
      let expected = storage.count * (storage.type.bits / 8)
      guard entry.range.count == expected else {
        throw .storage(
          path: file.path, key: storage.key,
          problem: "\(entry.range.count) bytes, \(storage.count) elements of "
            + "\(storage.type.rawValue) need \(expected)")
      }
      positions[storage.key] = entry.range
      checksums[storage.key] = entry.crc
    }
    self.positions = positions
    self.checksums = checksums
  }

  // MARK: The stream

  /// The pickle of the number that begins a stream.
  private static let magic: [UInt8] = [
    0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ]

  /// Magic number, version, system, object and keys as pickles, then each storage's length and
  /// elements.
  private init(stream file: RandomAccessFile) throws(PyTorchFileError) {
    var position = Self.magic.count
    func next() throws(PyTorchFileError) -> Pickle {
      let end = min(file.count, position + Self.maxPickleBytes)
      var unpickler = Unpickler(PickleInput(file, position..<end))
      let pickle = try unpickler.load()
      position = unpickler.input.position
      return pickle
    }
    let version = try next()
    guard version.integer(version.root) == 1001 else {
      throw .notPyTorch(
        path: file.path, found: "a stream of an unknown version", advice: Self.advice)
    }
    let system = try next()
    if let order = system.value("little_endian", in: system.root),
      case .bool(false) = system[order]
    {
      throw .bigEndian(path: file.path)
    }
    pickle = try next()
    let keys = try next()
    guard let list = keys.list(keys.root) else {
      throw .notPyTorch(
        path: file.path, found: "a stream without a list of storages", advice: Self.advice)
    }
    let storages = try Self.storages(of: pickle, path: file.path)
    var positions: [String: Range<Int>] = [:]
    for reference in list {
      guard let key = keys.text(reference), let storage = storages[key], positions[key] == nil
      else {
        throw .storage(
          path: file.path, key: keys.text(reference) ?? "(no text)",
          problem: "is stored, but no tensor names it, or it is stored twice")
      }
      let header = LittleEndianFields(
        bytes: try file.bytes(position..<min(position + 8, file.count)))
      guard let count = header.number(at: 0, size: 8) else {
        throw .cutShort(path: file.path, bytes: file.count, expected: position + 8)
      }
      guard count == storage.count else {
        throw .storage(
          path: file.path, key: key,
          problem: "\(count) elements, its tensors name \(storage.count)")
      }
      let (end, overflows) = (position + 8).addingReportingOverflow(
        count * (storage.type.bits / 8))
      guard !overflows, end <= file.count else {
        throw .cutShort(path: file.path, bytes: file.count, expected: overflows ? .max : end)
      }
      positions[key] = position + 8..<end
      position = end
    }
    self.positions = positions
    checksums = [:]
  }

  private static func storages(
    of pickle: Pickle, path: String
  ) throws(PyTorchFileError) -> [String: StorageReference] {
    switch pickle.storages() {
    case .success(let storages): return storages
    case .failure(let problem):
      throw .storage(path: path, key: "", problem: problem.text)
    }
  }

  // MARK: Other formats

  private static let advice = "is it the file that torch.save wrote?"

  /// What people have under a checkpoint's name instead of one.
  private static func otherFormat(_ prefix: [UInt8], path: String) -> PyTorchFileError {
    if prefix.count > 262, prefix[257..<262].elementsEqual("ustar".utf8) {
      return .notPyTorch(
        path: path, found: "a tar archive of PyTorch before 0.1.10",
        advice: "load it with PyTorch 1 or 2 (weights_only=False) and save it again")
    }
    let known: [(start: [UInt8], found: String, advice: String)] = [
      (Array("<".utf8), "an HTML page", "download the file itself"),
      (
        Array("version https://git-lfs".utf8), "a Git-LFS pointer",
        "fetch the file with git lfs pull"
      ),
      ([0x89, 0x48, 0x44, 0x46], "an HDF5 file", Self.advice),
      ([0x1f, 0x8b], "a gzip file", "unpack it first"),
      ([0x50, 0x4b], "an empty or split zip archive", Self.advice),
      ([0x80], "a pickle that torch.save did not write", Self.advice),
    ]
    let match = known.first { prefix.starts(with: $0.start) }
    return .notPyTorch(
      path: path, found: match?.found ?? (prefix.isEmpty ? "an empty file" : "an unknown format"),
      advice: match?.advice ?? Self.advice)
  }
}
