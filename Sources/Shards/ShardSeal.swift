// What stands behind the HDF5 part of a shard: a checksum over all of it but the rows, which have
// their own.

import Checksums
import DurableFiles
import Platform

/// The seal of a shard of format_version 2 and later.
///
/// Behind the HDF5 part, which ends where its superblock says: the ranges of bytes that hold rows
/// (two uint64 each), then SHA-256 of all other bytes and of what follows here, the length of the
/// HDF5 part, the number of ranges, and 16 letters. Integers are little-endian. Readers of HDF5
/// ignore it.
enum ShardSeal {
  private static let magic = Array("swift-vqgan-seal".utf8)
  private static let footerBytes = 32 + 8 + 8 + 16

  /// Compares the seal of a file with its bytes.
  ///
  /// - Returns: whether there is one.
  /// - Throws: `brokenSeal`, `unreadable`.
  static func check(_ file: RawFile) throws(ShardError) -> Bool {
    guard file.count >= footerBytes else { return false }
    let footer = try bytes(of: file, file.count - footerBytes..<file.count)
    guard footer.suffix(magic.count).elementsEqual(magic) else { return false }
    let length = integer(footer, at: 32)
    let count = integer(footer, at: 40)
    let room = file.count - footerBytes
    guard let length, let count, length <= room, count == (room - length) / 16,
      count * 16 == room - length
    else { throw .brokenSeal(path: file.path) }
    let list = try bytes(of: file, length..<room)
    var rows: [Range<Int>] = []
    var end = 0
    for index in 0..<count {
      guard let from = integer(list, at: index * 16), let to = integer(list, at: index * 16 + 8),
        end <= from, from < to, to <= length
      else { throw .brokenSeal(path: file.path) }
      rows.append(from..<to)
      end = to
    }
    guard try digest(of: file, length: length, rows: rows).elementsEqual(footer.prefix(32)) else {
      throw .brokenSeal(path: file.path)
    }
    return true
  }

  /// Adds the seal to a closed file.
  ///
  /// - Parameters:
  ///   - temporaryPath: where the file is.
  ///   - path: what errors call it.
  /// - Throws: `file`, `unreadable`, `malformed`.
  static func append(to temporaryPath: String, for path: String) throws(ShardError) {
    let input = try HDF5InputFile(trusted: temporaryPath)
    var rows: [Range<Int>] = []
    for name in ShardFormat.rowDatasets where try input.hasDataset(name) {
      rows += try input.dataset(name).rowRanges()
    }
    rows = merged(rows)
    let length = input.bytes.count
    let digest = try digest(of: input.bytes, length: length, rows: rows)
    do throws(DurableFileError) {
      var file = try OpenFile(appendingTo: temporaryPath)
      try file.write(encoded(rows) + digest + encoded([length, rows.count]) + magic)
      try file.close()
    } catch {
      throw .writeFailed(path: path, item: "the seal", reason: "\(error)")
    }
  }

  /// SHA-256 of all but the rows, of their list and the two counts.
  private static func digest(
    of file: RawFile, length: Int, rows: [Range<Int>]
  ) throws(ShardError) -> [UInt8] {
    var hash = SHA256()
    var start = 0
    for row in rows + [length..<length] {
      while start < row.lowerBound {
        let end = min(start + 1 << 20, row.lowerBound)
        try bytes(of: file, start..<end).withUnsafeBytes { hash.update($0) }
        start = end
      }
      start = row.upperBound
    }
    (encoded(rows) + encoded([length, rows.count])).withUnsafeBytes { hash.update($0) }
    return hash.finalize()
  }

  /// Ascending ranges, those that touch each other as one.
  private static func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
    var all: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = all.last, last.upperBound >= range.lowerBound {
        all[all.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        all.append(range)
      }
    }
    return all
  }

  private static func bytes(of file: RawFile, _ range: Range<Int>) throws(ShardError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    try bytes.withUnsafeMutableBytes { buffer in
      Result { () throws(ShardError) in
        try file.read(into: buffer, at: UInt64(range.lowerBound), item: "the seal")
      }
    }.get()
    return bytes
  }

  private static func encoded(_ rows: [Range<Int>]) -> [UInt8] {
    encoded(rows.flatMap { [$0.lowerBound, $0.upperBound] })
  }

  private static func encoded(_ integers: [Int]) -> [UInt8] {
    integers.flatMap { integer in (0..<8).map { UInt8(truncatingIfNeeded: integer >> (8 * $0)) } }
  }

  /// An integer of 8 bytes that is not negative; nil for others.
  private static func integer(_ bytes: [UInt8], at position: Int) -> Int? {
    let integer = (0..<8).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
    return integer >= 0 ? integer : nil
  }
}
