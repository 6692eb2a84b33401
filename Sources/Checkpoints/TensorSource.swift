// What the loaders of models ask of a file of weights, whatever its format.

import TensorCore

/// Named tensors that are read when they are asked for.
package protocol TensorSource: Sendable {
  /// The file, for messages.
  var path: String { get }
  /// The file that holds a tensor, where there are several; `path` unless told otherwise.
  func path(of name: String) -> String
  /// The tensors' names, sorted by their bytes.
  var names: [String] { get }

  func contains(_ name: String) -> Bool

  /// - Throws: the format's error when there is no such tensor.
  func shape(of name: String) throws -> [Int]

  /// - Throws: as `shape(of:)`.
  func type(of name: String) throws -> ElementType

  /// The elements as floats, row-major; every type of numbers is converted.
  ///
  /// - Throws: as `shape(of:)`, and when the file is damaged or the elements are no numbers.
  func floats(of name: String) throws -> [Float]

  /// The elements of a tensor of integers, row-major.
  ///
  /// - Throws: as `floats(of:)`, and for floats.
  func integers(of name: String) throws -> [Int]

  /// Hands the elements' bytes to `body`: row-major, little-endian.
  ///
  /// - Throws: as `floats(of:)`, or what `body` throws.
  func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result
}

extension TensorSource {
  package func path(of name: String) -> String { path }

  /// A tensor on its way into a safetensors file, its type kept; read when its turn comes.
  ///
  /// - Parameter newName: its name there.
  package func entry(of name: String, as newName: String) throws -> SafetensorsEntry {
    SafetensorsEntry(name: newName, type: try type(of: name), shape: try shape(of: name)) { body in
      try withBytes(of: name, body)
    }
  }
}

/// Some tensors of a file under other names.
package struct RenamedTensors: TensorSource {
  private let base: any TensorSource
  private let oldNames: [String: String]

  /// - Parameter oldNames: for each name here the name in `base`.
  package init(_ base: any TensorSource, oldNames: [String: String]) {
    self.base = base
    self.oldNames = oldNames
  }

  /// The tensors whose names begin with `prefix`, without it.
  package init(_ base: any TensorSource, below prefix: String) {
    self.init(
      base,
      oldNames: Dictionary(
        uniqueKeysWithValues: base.names.filter { $0.hasPrefix(prefix) }
          .map { (String($0.dropFirst(prefix.count)), $0) }))
  }

  package var path: String { base.path }
  package func path(of name: String) -> String { base.path(of: oldNames[name] ?? name) }

  package var names: [String] {
    oldNames.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  package func contains(_ name: String) -> Bool { oldNames[name] != nil }

  private func old(_ name: String) throws(NoTensorError) -> String {
    guard let old = oldNames[name] else { throw NoTensorError(path: path, tensor: name) }
    return old
  }

  package func shape(of name: String) throws -> [Int] { try base.shape(of: try old(name)) }
  package func type(of name: String) throws -> ElementType { try base.type(of: try old(name)) }
  package func floats(of name: String) throws -> [Float] { try base.floats(of: try old(name)) }
  package func integers(of name: String) throws -> [Int] { try base.integers(of: try old(name)) }

  package func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try base.withBytes(of: try old(name), body)
  }
}

/// A tensor that was asked for is not among the renamed ones.
package struct NoTensorError: Error, Equatable, CustomStringConvertible {
  package let path: String
  package let tensor: String

  package var description: String { "\(path): no tensor \(tensor)" }
}
