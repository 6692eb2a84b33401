// A file of weights, some of whose tensors are taken from another one.

/// The tensors of `base`; those that `top` has are taken from there.
package struct OverlaidTensors: TensorSource {
  private let base: any TensorSource
  private let top: any TensorSource

  package init(_ base: any TensorSource, below top: any TensorSource) {
    self.base = base
    self.top = top
  }

  package var path: String { base.path }
  package func path(of name: String) -> String { source(of: name).path(of: name) }
  package var names: [String] {
    (base.names + top.names.filter { !base.contains($0) }).sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
  }

  private func source(of name: String) -> any TensorSource { top.contains(name) ? top : base }

  package func contains(_ name: String) -> Bool { source(of: name).contains(name) }
  package func shape(of name: String) throws -> [Int] { try source(of: name).shape(of: name) }
  package func type(of name: String) throws -> ElementType { try source(of: name).type(of: name) }
  package func floats(of name: String) throws -> [Float] { try source(of: name).floats(of: name) }
  package func integers(of name: String) throws -> [Int] {
    try source(of: name).integers(of: name)
  }

  package func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try source(of: name).withBytes(of: name, body)
  }
}
