// The perceptual network: LPIPS heads on VGG16.

import Checkpoints
import Models

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
    let shapes = TensorShapes.lpips(channels: channels)
    try all.require(shapes) { $0.hasPrefix("scaling_layer.") }
    tensors = RenamedTensors(
      all, oldNames: Dictionary(uniqueKeysWithValues: shapes.list.map { ($0.name, $0.name) }))
    heads = nil
  }

  /// torchvision's VGG16 and the heads of LPIPS, each in its file; VGG16's classifier is left out.
  ///
  /// - Throws: `ArchitectureError`, `ModelMismatchError`.
  package init(vgg16: some TensorSource, heads: some TensorSource) throws {
    var oldNames: [String: String] = [:]
    for (index, slice) in VGG16.convolutions {
      for part in ["weight", "bias"] {
        oldNames["net.slice\(slice).\(index).\(part)"] = "features.\(index).\(part)"
      }
    }
    oldNames = oldNames.filter { vgg16.contains($0.value) }
    channels = try Self.channels(of: heads)
    tensors = RenamedTensors(vgg16, oldNames: oldNames)
    let names = (0..<channels.count).map { "lin\($0).model.1.weight" }
    self.heads = RenamedTensors(
      heads, oldNames: Dictionary(uniqueKeysWithValues: names.map { ($0, $0) }))
    var (network, lins) = (TensorShapes(), TensorShapes())
    for (name, shape) in TensorShapes.lpips(channels: channels).list {
      if name.hasPrefix("lin") { lins.add(name, shape) } else { network.add(name, shape) }
    }
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
