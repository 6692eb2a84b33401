// The perceptual network: LPIPS heads on VGG16.

import Checkpoints
import Models
import NN

/// The weights of LPIPS on VGG16, checked, still in their files.
package struct PerceptualWeights: Sendable {
  package let channels: [Int]
  /// Names from `net.slice1.0.weight` to `lin4.model.1.weight`.
  package let tensors: RenamedTensors
  /// The heads, when they lie in another file than VGG16.
  private let heads: RenamedTensors?

  package static let prefix = "loss.perceptual_loss."

  /// LPIPS out of one file: of its own, or as part of a VQGAN's checkpoint.
  ///
  /// - Throws: `ArchitectureError`, `ModelMismatchError`.
  package init(_ source: some TensorSource) throws {
    let isPart = source.names.contains { $0.hasPrefix(Self.prefix) }
    let all = RenamedTensors(source, below: isPart ? Self.prefix : "")
    channels = try Self.channels(of: all)
    let shapes = LPIPS(channels: channels).shapes()
    try all.require(shapes) { $0.hasPrefix("scaling_layer.") }
    tensors = RenamedTensors(
      all, oldNames: Dictionary(uniqueKeysWithValues: shapes.map { ($0.name, $0.name) }))
    heads = nil
  }

  /// torchvision's VGG16 and the heads of LPIPS, each in its file; VGG16's classifier is left out.
  ///
  /// - Throws: `ArchitectureError`, `ModelMismatchError`.
  package init(vgg16: some TensorSource, heads: some TensorSource) throws {
    channels = try Self.channels(of: heads)
    let shapes = LPIPS(channels: channels).shapes()
    let lins = shapes.filter { $0.name.hasPrefix("lin") }
    let network = shapes.filter { !$0.name.hasPrefix("lin") }
    // `net.slice2.5.weight` of LPIPS is torchvision's `features.5.weight`.
    let oldNames = network.map { name, _ in
      (name, (["features"] + name.split(separator: ".").dropFirst(2)).joined(separator: "."))
    }
    tensors = RenamedTensors(
      vgg16,
      oldNames: Dictionary(uniqueKeysWithValues: oldNames.filter { vgg16.contains($0.1) }))
    self.heads = RenamedTensors(
      heads, oldNames: Dictionary(uniqueKeysWithValues: lins.map { ($0.name, $0.name) }))
    try tensors.require(network)
    try heads.require(lins)
  }

  /// The channels of the five slices, from the heads.
  static func channels(of source: some TensorSource) throws -> [Int] {
    try (0..<5).map { try source.shape(of: "lin\($0).model.1.weight", axes: 4)[1] }
  }

  /// The entries of the one file that `--perceptual` takes, names with `prefix`.
  package func entries(below prefix: String = "") throws -> [SafetensorsEntry] {
    let sources = [tensors] + (heads.map { [$0] } ?? [])
    return try sources.flatMap { source in
      try source.names.map { try source.floatEntry(of: $0, as: prefix + $0) }
    }
  }

  package var summary: String { "LPIPS on VGG16, channels \(channels)" }
}
