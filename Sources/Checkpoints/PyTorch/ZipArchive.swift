// The directory of a zip archive, whose entries are stored, as torch.save does it, or deflated
// where that is allowed.

/// Where an entry's bytes are.
struct ZipEntry: Equatable, Sendable {
  let name: String
  let range: Range<Int>  // bytes of the file
  let crc: UInt32  // of its contents
  let size: Int  // of its contents: more than the range where they are deflated
  let isDeflated: Bool
}

/// A zip archive whose directory has been checked: entries lie apart from each other inside the
/// file, names are unique.
///
/// Sizes come from the central directory, because torch.save leaves them out of the entries' own
/// headers. Nothing is ever extracted under an entry's name.
/// - Source: PKWARE's APPNOTE 6.3, §4.3.
struct ZipArchive: Sendable {
  let entries: [String: ZipEntry]

  /// - Parameter allowsDeflated: as `numpy.savez_compressed` writes them.
  init(_ file: RandomAccessFile, allowsDeflated: Bool = false) throws(PyTorchFileError) {
    let directory = try Self.directory(of: file)
    let fields = LittleEndianFields(bytes: try file.bytes(directory.range))
    var entries: [String: ZipEntry] = [:]
    var occupied: [Range<Int>] = []
    var position = 0
    for _ in 0..<directory.entries {
      let claim = try Self.claim(
        in: fields, at: &position, path: file.path, allowsDeflated: allowsDeflated)
      let range = try Self.dataRange(of: claim, in: file, before: directory.range.lowerBound)
      let entry = ZipEntry(
        name: claim.name, range: range, crc: claim.crc, size: claim.size,
        isDeflated: claim.isDeflated)
      guard entries.updateValue(entry, forKey: claim.name) == nil else {
        throw .archive(path: file.path, entry: claim.name, problem: "the name comes twice")
      }
      occupied.append(claim.offset..<range.upperBound)
    }
    guard position == fields.bytes.count else {
      throw .archive(
        path: file.path, entry: "", problem: "the directory holds more than its entries")
    }
    occupied.sort { $0.lowerBound < $1.lowerBound }
    for (first, second) in zip(occupied, occupied.dropFirst())
    where first.upperBound > second.lowerBound {
      let name = entries.values.first { $0.range.upperBound == second.upperBound }?.name ?? ""
      throw .archive(path: file.path, entry: name, problem: "overlaps the entry before it")
    }
    self.entries = entries
  }

  /// Finds the central directory from the end of the file.
  private static func directory(
    of file: RandomAccessFile
  ) throws(PyTorchFileError) -> (range: Range<Int>, entries: Int) {
    let start = max(0, file.count - 22 - 65_535)
    let tail = LittleEndianFields(bytes: try file.bytes(start..<file.count))
    // The last record whose comment ends with the file; a comment may hold another one's signature.
    let record = stride(from: tail.bytes.count - 22, through: 0, by: -1).first { offset in
      tail.bytes[offset...].starts(with: [0x50, 0x4b, 5, 6])
        && tail.number(at: offset + 20, size: 2) == tail.bytes.count - offset - 22
    }
    guard let record else {
      throw .archive(
        path: file.path, entry: "", problem: "no directory at its end; the file is cut short")
    }
    var end = start + record
    var size = tail.number(at: record + 12, size: 4)
    var offset = tail.number(at: record + 16, size: 4)
    var entries = tail.number(at: record + 10, size: 2)
    if end >= 20 {
      let locator = LittleEndianFields(bytes: try file.bytes(end - 20..<end))
      if locator.bytes.starts(with: [0x50, 0x4b, 6, 7]) {
        guard let position = locator.number(at: 8, size: 8), position <= end - 20 - 56 else {
          throw .archive(
            path: file.path, entry: "", problem: "the zip64 directory lies past the end")
        }
        let record = LittleEndianFields(bytes: try file.bytes(position..<position + 56))
        guard record.bytes.starts(with: [0x50, 0x4b, 6, 6]) else {
          throw .archive(
            path: file.path, entry: "", problem: "no zip64 directory at byte \(position)")
        }
        end = position
        entries = record.number(at: 32, size: 8)
        size = record.number(at: 40, size: 8)
        offset = record.number(at: 48, size: 8)
      }
    }
    guard let size, let offset, let entries, offset <= end, size <= end - offset else {
      throw .archive(path: file.path, entry: "", problem: "the directory lies past the end")
    }
    guard offset + size == end else {
      throw .archive(
        path: file.path, entry: "",
        problem: "\(end - offset - size) bytes too many before or behind the directory")
    }
    guard entries <= size / 46, size <= 1 << 28 else {
      throw .archive(
        path: file.path, entry: "", problem: "a directory of \(size) bytes for \(entries) entries")
    }
    return (offset..<end, entries)
  }

  /// What the directory says of an entry.
  private struct Claim {
    let name: String
    let size: Int
    let stored: Int  // bytes in the file
    let offset: Int  // of its own header
    let crc: UInt32
    let isDeflated: Bool
  }

  private static func claim(
    in fields: LittleEndianFields, at position: inout Int, path: String, allowsDeflated: Bool
  ) throws(PyTorchFileError) -> Claim {
    let start = position
    guard start <= fields.bytes.count - 46,
      fields.bytes[start...].starts(with: [0x50, 0x4b, 1, 2]),
      let flags = fields.number(at: start + 8, size: 2),
      let method = fields.number(at: start + 10, size: 2),
      let crc = fields.number(at: start + 16, size: 4),
      let compressed = fields.number(at: start + 20, size: 4),
      let size = fields.number(at: start + 24, size: 4),
      let nameLength = fields.number(at: start + 28, size: 2),
      let extraLength = fields.number(at: start + 30, size: 2),
      let commentLength = fields.number(at: start + 32, size: 2),
      let offset = fields.number(at: start + 42, size: 4),
      start + 46 + nameLength + extraLength + commentLength <= fields.bytes.count
    else {
      throw .archive(path: path, entry: "", problem: "a damaged directory at its byte \(start)")
    }
    let extra = start + 46 + nameLength
    let name = String(decoding: fields.bytes[start + 46..<extra], as: UTF8.self)
    position = extra + extraLength + commentLength
    guard flags & 1 == 0 else {
      throw .archive(path: path, entry: name, problem: "is encrypted")
    }
    let isDeflated = method == 8 && allowsDeflated
    guard method == 0 || isDeflated else {
      throw .archive(
        path: path, entry: name,
        problem: "is compressed (method \(method)), torch.save stores; unpack it and zip -0 it")
    }
    let wide = try wideNumbers(
      in: fields, extra..<extra + extraLength,
      wanted: [size, compressed, offset].map { $0 == 0xffff_ffff }, path: path, name: name)
    let (realSize, realCompressed) = (wide[0] ?? size, wide[1] ?? compressed)
    guard realSize == realCompressed || isDeflated else {
      throw .archive(
        path: path, entry: name,
        problem: "\(realCompressed) bytes are stored for \(realSize)")
    }
    return Claim(
      name: name, size: realSize, stored: realCompressed, offset: wide[2] ?? offset,
      crc: UInt32(truncatingIfNeeded: crc), isDeflated: isDeflated)
  }

  /// The 64-bit numbers of the zip64 extra field; it holds those alone that the fixed fields have
  /// no room for.
  private static func wideNumbers(
    in fields: LittleEndianFields, _ extra: Range<Int>, wanted: [Bool], path: String, name: String
  ) throws(PyTorchFileError) -> [Int?] {
    guard wanted.contains(true) else { return wanted.map { _ in nil } }
    var position = extra.lowerBound
    while position + 4 <= extra.upperBound, let id = fields.number(at: position, size: 2),
      let length = fields.number(at: position + 2, size: 2)
    {
      let end = position + 4 + length
      guard id == 1, end <= extra.upperBound else {
        position = end
        continue
      }
      position += 4
      var numbers: [Int?] = []
      for isWanted in wanted {
        guard isWanted else {
          numbers.append(nil)
          continue
        }
        guard position + 8 <= end, let number = fields.number(at: position, size: 8) else { break }
        numbers.append(number)
        position += 8
      }
      if numbers.count == wanted.count { return numbers }
      break
    }
    throw .archive(path: path, entry: name, problem: "its zip64 sizes are missing")
  }

  /// The bytes behind the entry's own header.
  private static func dataRange(
    of claim: Claim, in file: RandomAccessFile, before directory: Int
  ) throws(PyTorchFileError) -> Range<Int> {
    let outside = PyTorchFileError.archive(
      path: file.path, entry: claim.name, problem: "lies outside of the archive")
    let nameLength = claim.name.utf8.count
    guard claim.offset <= directory - 30 - nameLength else { throw outside }
    let header = LittleEndianFields(
      bytes: try file.bytes(claim.offset..<claim.offset + 30 + nameLength))
    guard header.bytes.starts(with: [0x50, 0x4b, 3, 4]),
      header.number(at: 26, size: 2) == nameLength,
      header.bytes[30...].elementsEqual(claim.name.utf8),
      let extraLength = header.number(at: 28, size: 2)
    else {
      throw .archive(
        path: file.path, entry: claim.name,
        problem: "no header of its own at byte \(claim.offset)")
    }
    let start = claim.offset + 30 + nameLength + extraLength
    guard start <= directory, claim.stored <= directory - start else { throw outside }
    return start..<start + claim.stored
  }
}
