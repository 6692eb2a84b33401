// Writing zip archives of stored entries, aligned as torch.save aligns them.

import Checksums
import DurableFiles

/// A zip archive that is written entry by entry; it appears under its name when it is complete.
///
/// - Source: PKWARE's APPNOTE 6.3, §4.3 and 4.5.3.
struct ZipWriter: ~Copyable {
  private var file: UnfinishedFile
  private var offset = 0
  private var directory: [UInt8] = []
  private var entries = 0
  /// Numbers from here on are written in the zip64 form.
  private let zip64From: Int

  /// - Parameter zip64From: the format's own limit; lower in tests, so that small archives have the form of large ones.
  init(to path: String, zip64From: Int = 0xffff_ffff) throws(DurableFileError) {
    file = try UnfinishedFile(for: path)
    self.zip64From = zip64From
  }

  /// Adds an entry whose bytes begin at a multiple of 64.
  mutating func add(_ name: String, _ bytes: UnsafeRawBufferPointer) throws(DurableFileError) {
    let crc = crc32(bytes)
    let start = offset
    let isWide = bytes.count >= zip64From || offset >= zip64From
    // The entry's own header has no room for its offset, and both sizes or none in the zip64 form.
    var extra: [UInt8] = []
    if bytes.count >= zip64From {
      extra += number(1, 2) + number(16, 2) + number(bytes.count, 8) + number(bytes.count, 8)
    }
    let unpadded = start + 30 + name.utf8.count + extra.count + 4
    let padding = (64 - unpadded % 64) % 64
    extra += Array("FB".utf8) + number(padding, 2) + [UInt8](repeating: 0x5a, count: padding)
    let header = common(crc: crc, size: bytes.count, isWide: isWide)
    try write(
      [0x50, 0x4b, 3, 4] + header + number(name.utf8.count, 2) + number(extra.count, 2)
        + Array(name.utf8) + extra)
    addToDirectory(name, header, size: bytes.count, offset: start)
    try file.write(bytes)
    offset += bytes.count
    entries += 1
  }

  mutating func add(_ name: String, _ bytes: [UInt8]) throws(DurableFileError) {
    let outcome = bytes.withUnsafeBytes { buffer in
      Result { () throws(DurableFileError) in try add(name, buffer) }
    }
    try outcome.get()
  }

  /// Writes the directory and publishes the file.
  mutating func finish() throws(DurableFileError) {
    let start = offset
    let size = directory.count
    try write(directory)
    let isWide = start >= zip64From || size >= zip64From || entries >= min(zip64From, 0xffff)
    if isWide {
      let record = offset
      try write([0x50, 0x4b, 6, 6] + number(44, 8) + number(45, 2) + number(45, 2))
      try write(number(0, 4) + number(0, 4) + number(entries, 8) + number(entries, 8))
      try write(number(size, 8) + number(start, 8))
      try write([0x50, 0x4b, 6, 7] + number(0, 4) + number(record, 8) + number(1, 4))
    }
    let count = isWide ? 0xffff : entries
    try write([0x50, 0x4b, 5, 6] + number(0, 4) + number(count, 2) + number(count, 2))
    try write(
      number(isWide ? 0xffff_ffff : size, 4) + number(isWide ? 0xffff_ffff : start, 4)
        + number(0, 2))
    try file.publish()
  }

  /// The fields from the version to the sizes, which the two headers of an entry share.
  private func common(crc: UInt32, size: Int, isWide: Bool) -> [UInt8] {
    // UTF-8 names, stored, on the first day of 1980: equal tensors give equal bytes.
    let field = size >= zip64From ? 0xffff_ffff : size
    return number(isWide ? 45 : 20, 2) + number(0x0800, 2) + number(0, 2) + number(0, 2)
      + number(0x21, 2) + number(Int(crc), 4) + number(field, 4) + number(field, 4)
  }

  private mutating func addToDirectory(
    _ name: String, _ header: [UInt8], size: Int, offset: Int
  ) {
    var wide: [UInt8] = []
    if size >= zip64From { wide += number(size, 8) + number(size, 8) }
    if offset >= zip64From { wide += number(offset, 8) }
    if !wide.isEmpty { wide = number(1, 2) + number(wide.count, 2) + wide }
    directory += [0x50, 0x4b, 1, 2] + number(45, 2) + header
    directory += number(name.utf8.count, 2) + number(wide.count, 2) + number(0, 2) + number(0, 2)
    directory += number(0, 2) + number(0, 4)
    directory += number(offset >= zip64From ? 0xffff_ffff : offset, 4) + Array(name.utf8) + wide
  }

  private mutating func write(_ bytes: [UInt8]) throws(DurableFileError) {
    try file.write(bytes)
    offset += bytes.count
  }

  private func number(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }
}
