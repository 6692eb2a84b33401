// Reading safetensors files (github.com/huggingface/safetensors, format as of 0.4 to 0.8).

import Checksums
import DurableFiles

/// An open safetensors file whose header has been checked; tensors are read when they are asked
/// for.
///
/// Files of strangers are safe to open: every size is checked before memory is taken for it.
package final class SafetensorsFile: TensorSource {
  package let path: String
  /// The texts of `__metadata__`.
  package let metadata: [String: String]
  private let file: OpenFile
  private let dataStart: Int
  private let descriptions: [String: SafetensorsDescription]

  /// - Throws: `SafetensorsError` when the file is missing or breaks one of the format's rules.
  package init(_ path: String) throws(SafetensorsError) {
    self.path = path
    let count: Int
    do {
      file = try OpenFile(reading: path)
      count = try file.count
    } catch {
      throw .file(error)
    }
    guard count >= 8 else { throw .tooShort(path: path, bytes: count) }
    let prefix = try Self.read(file, 0..<min(count, 16), path: path)
    let headerBytes = prefix[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard headerBytes <= SafetensorsHeader.largest else {
      throw Self.otherFormat(prefix, path: path)
        ?? .headerTooLarge(path: path, bytes: headerBytes)
    }
    dataStart = 8 + Int(headerBytes)
    guard dataStart <= count else {
      throw .headerPastEnd(path: path, bytes: headerBytes, fileBytes: count)
    }
    let header = try SafetensorsHeader(
      try Self.read(file, 8..<dataStart, path: path), dataBytes: count - dataStart, path: path)
    metadata = header.metadata
    descriptions = Dictionary(header.tensors.map { ($0.name, $0) }) { first, _ in first }
  }

  /// The tensors' names, sorted by their bytes.
  package var names: [String] {
    descriptions.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  package func contains(_ name: String) -> Bool { descriptions[name] != nil }

  /// - Throws: `noTensor`.
  package func description(of name: String) throws(SafetensorsError) -> SafetensorsDescription {
    guard let description = descriptions[name] else { throw .noTensor(path: path, tensor: name) }
    return description
  }

  /// - Throws: `noTensor`.
  package func shape(of name: String) throws(SafetensorsError) -> [Int] {
    try description(of: name).shape
  }

  /// - Throws: `noTensor`.
  package func type(of name: String) throws(SafetensorsError) -> ElementType {
    try description(of: name).type
  }

  /// The elements as floats, row-major; every type of numbers is converted.
  ///
  /// - Throws: `noTensor`, `wrongType` for complex numbers, U64 and the types of 8 bits and less.
  package func floats(of name: String) throws(SafetensorsError) -> [Float] {
    let tensor = try description(of: name)
    guard let floats = try Elements(file: self, tensor: tensor).floats() else {
      throw wrongType(tensor)
    }
    return floats
  }

  /// The elements of a tensor of integers, row-major.
  ///
  /// - Throws: `noTensor`, `wrongType` for floats and for numbers above `Int.max`.
  package func integers(of name: String) throws(SafetensorsError) -> [Int] {
    let tensor = try description(of: name)
    guard let integers = try Elements(file: self, tensor: tensor).integers() else {
      throw wrongType(tensor)
    }
    return integers
  }

  private struct Elements: StoredElements {
    let file: SafetensorsFile
    let tensor: SafetensorsDescription

    var type: ElementType { tensor.type }

    func read<Element: BitwiseCopyable>(as type: Element.Type) throws(SafetensorsError) -> [Element]
    {
      try file.elements(of: tensor, as: type)
    }
  }

  private func wrongType(_ tensor: SafetensorsDescription) -> SafetensorsError {
    .wrongType(
      path: path, tensor: tensor.name, found: tensor.type,
      expected: "F32, F16, BF16 or integers")
  }

  /// Hands the stored bytes to `body`: row-major, little-endian.
  ///
  /// - Throws: `SafetensorsError`, or what `body` throws.
  package func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try elements(of: try description(of: name), as: UInt8.self).withUnsafeBytes(body)
  }

  /// SHA-256 over names, types, shapes and contents, in hexadecimal.
  ///
  /// It depends on the weights alone, not on metadata or on who wrote the file.
  ///
  /// - Parameter isIncluded: which tensors count.
  package func fingerprint(
    where isIncluded: (String) -> Bool = { _ in true }
  ) throws(SafetensorsError) -> String {
    var hash = SHA256()
    for name in names where isIncluded(name) {
      let tensor = try description(of: name)
      let title = Array("\(name)\n\(tensor.type.rawValue) \(tensor.shape)\n".utf8)
      title.withUnsafeBytes { hash.update($0) }
      try elements(of: tensor, as: UInt8.self).withUnsafeBytes { hash.update($0) }
    }
    return hexadecimal(hash.finalize())
  }

  private func elements<Element: BitwiseCopyable>(
    of tensor: SafetensorsDescription, as type: Element.Type
  ) throws(SafetensorsError) -> [Element] {
    let range = dataStart + tensor.range.lowerBound..<dataStart + tensor.range.upperBound
    return try Self.read(file, range, as: Element.self, path: path)
  }

  private static func read<Element: BitwiseCopyable>(
    _ file: borrowing OpenFile, _ range: Range<Int>, as type: Element.Type = UInt8.self,
    path: String
  ) throws(SafetensorsError) -> [Element] {
    let elements: [Element]
    do {
      elements = try file.elements(range, as: type)
    } catch {
      throw .file(error)
    }
    let got = elements.count * MemoryLayout<Element>.stride
    guard got == range.count else {  // cut by somebody after its length was checked
      throw .dataLength(path: path, bytes: range.lowerBound + got, expected: range.upperBound)
    }
    return elements
  }

  /// What people save under a checkpoint's name by mistake.
  private static func otherFormat(_ prefix: [UInt8], path: String) -> SafetensorsError? {
    let known: [(start: [UInt8], name: String)] = [
      (Array("PK\u{3}\u{4}".utf8), "a PyTorch or zip file"),
      ([0x80, 0x02], "an old PyTorch file"), ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
      (Array("<".utf8), "an HTML page"), (Array("version ".utf8), "a Git-LFS pointer"),
    ]
    return known.first { prefix.starts(with: $0.start) }
      .map { .notSafetensors(path: path, found: $0.name) }
  }
}
