// Families of published tokenizers whose files name the layers of a VQGAN in their own way.

import Checkpoints
import Models

/// How a family of tokenizers names its tensors, and what its weights do not show.
protocol PublishedLayout: Sendable {
  /// What people call it.
  static var title: String { get }
  /// A tensor that every file of the family has, and no file of another one.
  static var mark: String { get }

  /// - Throws: `ArchitectureError` for a file that this family's own code could not load.
  init(_ source: some TensorSource) throws

  var table: NameTable { get }

  /// Tensors of the file without a part in the model.
  func isExtra(_ name: String) -> Bool

  /// The codebook of weights under our names: entries, their length, and its kind.
  func codebook(
    of weights: some TensorSource
  ) throws -> (shape: [Int], quantizer: QuantizerConfig)

  /// Adds what shapes do not show, and compares what they do show with what else there is.
  func complete(_ config: inout VQGANConfig, of weights: some TensorSource) throws

  /// The tensors under our names and of our shapes.
  func adapted(_ weights: RenamedTensors) throws -> any TensorSource
}

extension PublishedLayout {
  func isExtra(_ name: String) -> Bool { false }
  func complete(_ config: inout VQGANConfig, of weights: some TensorSource) throws {}
  func adapted(_ weights: RenamedTensors) throws -> any TensorSource { weights }
}

/// A file of another family than taming-transformers, its tensors under our names.
struct PublishedWeights {
  let layout: any PublishedLayout
  let tensors: any TensorSource
  /// Names that the file has for those that are ours.
  private let file: any TensorSource

  /// The families beside taming-transformers, one file each.
  private static let layouts: [any PublishedLayout.Type] = [
    LlamaGenLayout.self, DiffusersLayout.self, OpenMAGVIT2Layout.self, IRISLayout.self,
  ]
  /// The mark of taming-transformers and of IBQ, whose names are the same.
  private static let tamingMark = "encoder.down.0.block.0.conv1.weight"

  /// - Returns: nil for a file with the names of taming-transformers.
  /// - Throws: `ArchitectureError`, for names of no family too.
  init?(_ source: some TensorSource) throws {
    guard let type = Self.layouts.first(where: { source.contains($0.mark) }) else {
      if source.contains(Self.tamingMark) { return nil }
      throw ArchitectureError.unknownLayout(
        path: source.path, names: source.names,
        known: ["\(Self.tamingMark) (taming-transformers, IBQ)"]
          + Self.layouts.map { "\($0.mark) (\($0.title))" })
    }
    layout = try type.init(source)
    let layout = layout
    var oldNames: [String: String] = [:]
    for name in source.names where !layout.isExtra(name) {
      // What has no counterpart is found to be unexpected; a space keeps it apart from our names.
      let ours = layout.table.ours(name) ?? (name.hasPrefix("loss.") ? name : "\(name) ")
      oldNames[ours] = name
    }
    file = source
    tensors = try layout.adapted(RenamedTensors(source, oldNames: oldNames))
  }

  /// An error about our names, with those of the file in their place.
  func inTheirNames(_ error: any Error) -> any Error {
    func theirs(_ name: String) -> String {
      layout.table.theirs(name) ?? (name.hasSuffix(" ") ? String(name.dropLast()) : name)
    }
    /// What begins with a name.
    func told(_ text: String) -> String {
      let name = text.prefix { $0 != " " }
      return theirs(String(name)) + text.dropFirst(name.count)
    }
    switch error {
    case let error as ModelMismatchError:
      return ModelMismatchError(
        path: error.path, missing: error.missing.map(theirs),
        unexpected: error.unexpected.map(theirs),
        misshapen: error.misshapen.map(told), integers: error.integers.map(told))
    case ArchitectureError.noTensor(let path, let tensor):
      return ArchitectureError.noTensor(path: path, tensor: theirs(tensor))
    case ArchitectureError.shape(let path, let tensor, let shape, let expected):
      return ArchitectureError.shape(
        path: path, tensor: theirs(tensor), shape: shape, expected: expected)
    default: return error
    }
  }
}
