// Ranges of a file that may be larger than memory.

import Checksums
import DurableFiles

/// A file of which only the ranges that are asked for are read.
///
/// It is read, not mapped into memory: a file that is cut short meanwhile gives an error instead of
/// a signal.
final class RandomAccessFile: Sendable {
  let path: String
  let count: Int  // bytes
  private let file: OpenFile

  init(_ path: String) throws(PyTorchFileError) {
    self.path = path
    do {
      file = try OpenFile(reading: path)
      count = try file.count
    } catch {
      throw .file(error)
    }
  }

  func bytes(_ range: Range<Int>) throws(PyTorchFileError) -> [UInt8] {
    try elements(range, as: UInt8.self)
  }

  /// The bytes of a range as elements; the element's size divides the range's.
  func elements<Element: BitwiseCopyable>(
    _ range: Range<Int>, as type: Element.Type
  ) throws(PyTorchFileError) -> [Element] {
    guard range.lowerBound >= 0, range.upperBound <= count else {
      throw .cutShort(path: path, bytes: count, expected: range.upperBound)
    }
    let elements: [Element]
    do {
      elements = try file.elements(range, as: type)
    } catch {
      throw .file(error)
    }
    let got = elements.count * MemoryLayout<Element>.stride
    guard got == range.count else {
      throw .cutShort(path: path, bytes: range.lowerBound + got, expected: range.upperBound)
    }
    return elements
  }

  /// The CRC-32 of a range, which is read in pieces.
  func crc32(of range: Range<Int>) throws(PyTorchFileError) -> UInt32 {
    var crc: UInt32 = 0
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(start + 1 << 20, range.upperBound)
      let piece = try bytes(start..<end)
      crc = piece.withUnsafeBytes { Checksums.crc32($0, continuing: crc) }
      start = end
    }
    return crc
  }
}

/// Fields of a little-endian structure.
struct LittleEndianFields {
  let bytes: [UInt8]

  /// The number of `size` bytes at `offset`; nil past the end and above `Int.max`.
  func number(at offset: Int, size: Int) -> Int? {
    guard offset >= 0, size <= 8, offset <= bytes.count - size else { return nil }
    let value = bytes[offset..<offset + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: value)
  }
}
