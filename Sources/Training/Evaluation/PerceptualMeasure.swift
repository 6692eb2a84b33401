// LPIPS on any of its trunks, from files.
import Checkpoints
import Models
import NN
import TensorCore

/// LPIPS for evaluation.
package struct PerceptualMeasure {
  package let trunk: String
  /// Pixels of the shorter side of an image, at least: below, a pooling of the trunk has nothing.
  package let smallestSide: Int
  /// SHA-256 of the files, in the order in which they were named.
  package let digests: [String]
  private let distance: (Tensor, Tensor) -> Tensor

  /// - Parameter paths: one file of VGG16 with its heads, or the file of a trunk and that of its
  ///   heads.
  /// - Throws: errors of the files, `EvaluationError.halfLPIPS`, `ModelMismatchError`.
  package init(_ paths: [String], on device: Device) throws {
    digests = try paths.map { try sha256(ofFile: $0) }
    guard paths.count == 2 else {
      let network = try LPIPS.load(paths[0], on: device).frozen()
      (trunk, smallestSide) = ("vgg", 16)
      distance = { a, b in network(a, b) }
      return
    }
    let files = try paths.map { try CheckpointFile.openAsItIs($0) }
    guard let base = files.first(where: { $0.contains("features.0.weight") }),
      let heads = files.first(where: { $0.contains("lin0.model.1.weight") })
    else { throw EvaluationError.halfLPIPS(path: paths[0]) }
    let kind: PerceptualTrunk.Kind =
      base.contains("features.3.squeeze.weight") ? .squeeze : .alex
    var network = PerceptualTrunk(kind, on: device)
    try ModelFiles.load(&network, from: OverlaidTensors(base, below: heads)) {
      $0.hasPrefix("classifier.")
    }
    (trunk, smallestSide) = (kind.rawValue, kind.smallestSide)
    let ready = network
    distance = { a, b in ready(a, b) }
  }

  /// Refuses images that are too small.
  ///
  /// - Throws: `EvaluationError.size`.
  package func requireSize(
    width: Int, height: Int, of path: String, image: Int
  ) throws(EvaluationError) {
    guard min(width, height) >= smallestSide else {
      throw .size(
        path: path, image: image, found: "\(width)×\(height)",
        expected: "at least \(smallestSide) pixels a side for lpips_\(trunk)")
    }
  }

  /// Of images `[N, 3, H, W]` in [-1, 1].
  package func callAsFunction(_ a: Tensor, _ b: Tensor) -> [Double] {
    withoutGradients { distance(a, b).elements().map(Double.init) }
  }
}
