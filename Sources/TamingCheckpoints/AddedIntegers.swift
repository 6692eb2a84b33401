// A file of weights with one tensor more, from another file.

import Checkpoints

/// The tensors of a file and a list of integers beside them.
package struct AddedIntegers: TensorSource {
  private let base: any TensorSource
  private let name: String
  private let values: [Int]

  /// - Parameter name: takes the position of a tensor of that name in the file.
  package init(_ base: any TensorSource, _ name: String, _ values: [Int]) {
    self.base = base
    self.name = name
    self.values = values
  }

  package var path: String { base.path }

  package var names: [String] {
    (base.names.filter { $0 != name } + [name]).sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
  }

  package func contains(_ name: String) -> Bool { name == self.name || base.contains(name) }

  package func shape(of name: String) throws -> [Int] {
    name == self.name ? [values.count] : try base.shape(of: name)
  }

  package func type(of name: String) throws -> ElementType {
    name == self.name ? .int64 : try base.type(of: name)
  }

  package func floats(of name: String) throws -> [Float] {
    name == self.name ? values.map { Float($0) } : try base.floats(of: name)
  }

  package func integers(of name: String) throws -> [Int] {
    name == self.name ? values : try base.integers(of: name)
  }

  package func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    name == self.name ? try values.withUnsafeBytes(body) : try base.withBytes(of: name, body)
  }
}
