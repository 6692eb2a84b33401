// Why a file's tensors do not fit a model.

/// Why a file's tensors do not fit a model.
package struct ModelMismatchError: Error, Equatable, CustomStringConvertible {
  package let path: String
  package var missing: [String] = []
  package var unexpected: [String] = []
  /// Name, shape in the file, shape in the model.
  package var misshapen: [String] = []
  /// Name, type in the file: integers where the model has floats.
  package var integers: [String] = []

  package init(
    path: String, missing: [String] = [], unexpected: [String] = [], misshapen: [String] = [],
    integers: [String] = []
  ) {
    self.path = path
    self.missing = missing
    self.unexpected = unexpected
    self.misshapen = misshapen
    self.integers = integers
  }

  package var isEmpty: Bool {
    missing.isEmpty && unexpected.isEmpty && misshapen.isEmpty && integers.isEmpty
  }

  package var description: String {
    func list(_ title: String, _ names: [String]) -> String? {
      guard !names.isEmpty else { return nil }
      let shown = names.prefix(8).joined(separator: ", ")
      return "\(names.count) \(title): \(shown)\(names.count > 8 ? ", …" : "")"
    }
    let parts = [
      list("missing", missing), list("unexpected", unexpected), list("of another shape", misshapen),
      list("of integers instead of floats", integers),
    ].compactMap { $0 }
    return "\(path): not the weights of this model; \(parts.joined(separator: "; "))"
  }
}
