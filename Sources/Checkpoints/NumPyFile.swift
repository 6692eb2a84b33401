// Lists of integers as NumPy saves them.
import DurableFiles

/// A one-dimensional array of integers in NumPy's `.npy` form.
///
/// - Source: NumPy Enhancement Proposal 1; versions 1 to 3 of the format.
package struct NumPyFile: Sendable {
  package let path: String
  package let integers: [Int]

  /// Bytes of the largest file that is read.
  private static let limit = 64 << 20

  /// - Throws: `NumPyFileError`, `DurableFileError`.
  package init(_ path: String) throws {
    self.path = path
    let bytes = try DurableFile.read(path, atMost: Self.limit)
    let header = try NumPyHeader(bytes[...], path: path)
    let (type, start, extents) = (header.type, header.start, header.extents)
    guard extents.count == 1, let count = extents.first else {
      throw NumPyFileError(path: path, problem: "an array of shape \(extents), expected one axis")
    }
    guard let width = Self.widths[type] else {
      throw NumPyFileError(
        path: path, problem: "elements of type \(type), expected little-endian integers")
    }
    let (expected, overflows) = count.multipliedReportingOverflow(by: width)
    guard count >= 0, !overflows, bytes.count - start == expected else {
      throw NumPyFileError(
        path: path,
        problem: "\(bytes.count - start) bytes behind byte \(start), expected \(count) × \(width)")
    }
    let isSigned = type.contains("i")
    integers = (0..<count).map { index in
      let position = start + index * width
      let pattern = (0..<width).reduce(UInt64(0)) { $0 | UInt64(bytes[position + $1]) << (8 * $1) }
      let unused = 64 - 8 * width
      return isSigned
        ? Int(Int64(bitPattern: pattern << unused) >> unused) : Int(truncatingIfNeeded: pattern)
    }
  }

  private static let widths = [
    "|u1": 1, "|i1": 1, "<u2": 2, "<i2": 2, "<u4": 4, "<i4": 4, "<u8": 8, "<i8": 8,
  ]
}

/// What a `.npy` array says of itself.
struct NumPyHeader {
  let type: String
  let extents: [Int]
  /// The first byte of the elements.
  let start: Int

  init(_ bytes: ArraySlice<UInt8>, path: String) throws(NumPyFileError) {
    let bytes = Array(bytes.prefix(1 << 16))
    guard bytes.count >= 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw NumPyFileError(path: path, problem: "no .npy file: it does not begin with \\x93NUMPY")
    }
    let wide = bytes[6] > 1
    let length = (0..<(wide ? 4 : 2)).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    let start = (wide ? 12 : 10) + length
    guard (1...3).contains(bytes[6]), start <= bytes.count else {
      throw NumPyFileError(
        path: path, problem: "version \(bytes[6]) with a header of \(length) bytes")
    }
    let header = String(decoding: bytes[(wide ? 12 : 10)..<start], as: UTF8.self)
    func value(_ key: String, _ end: Character) -> String {
      guard let found = header.firstRange(of: "'\(key)':") else { return "" }
      return String(header[found.upperBound...].drop { $0 == " " }.prefix { $0 != end })
    }
    type = value("descr", ",").filter { $0 != "'" }
    let extents = value("shape", ")").dropFirst().split(separator: ",").map { text in
      Int(text.filter { $0 != " " })
    }
    guard !extents.contains(nil) else {
      throw NumPyFileError(
        path: path,
        problem: "an array of shape \(value("shape", ")"))), expected one axis or two")
    }
    self.extents = extents.compactMap { $0 }
    self.start = start
  }

  /// The head of an array, as NumPy writes it; a single value has no extents.
  static func bytes(extents: [Int], type: String = "<f8") -> [UInt8] {
    let shape = extents.map(String.init).joined(separator: ", ") + (extents.count == 1 ? "," : "")
    var text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape)), }"
    text += String(repeating: " ", count: 63 - (10 + text.utf8.count) % 64) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0] + [UInt8(text.utf8.count & 255)]
      + [UInt8(text.utf8.count >> 8)] + Array(text.utf8)
  }
}

/// Why a `.npy` file cannot be read.
package struct NumPyFileError: Error, Equatable, CustomStringConvertible {
  package let path: String
  package let problem: String

  package var description: String { "\(path): \(problem)" }
}
