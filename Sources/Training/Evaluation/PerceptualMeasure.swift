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
  /// The files of weights.
  package let paths: [String]
  /// SHA-256 of the files, in the order in which they were named.
  package let digests: [String]
  private let distance: (Tensor, Tensor) -> Tensor

  /// - Parameter paths: one file of VGG16 with its heads, or the file of a trunk and that of its
  ///   heads.
  /// - Throws: errors of the files, `EvaluationError.lpips`, `ModelMismatchError`.
  package init(_ paths: [String], on device: Device) throws {
    self.paths = paths
    digests = try paths.map { try sha256(ofFile: $0) }
    let files = try paths.map { try CheckpointFile.openAsItIs($0) }
    let parts = files.map(PerceptualPart.init)
    func file(_ part: PerceptualPart) -> (any TensorSource)? {
      parts.firstIndex(of: part).map { files[$0] }
    }
    if parts == [.whole] {
      let network = try LPIPS.load(paths[0], on: device).frozen()
      (trunk, smallestSide) = ("vgg", 16)
      distance = { a, b in network(a, b) }
      return
    }
    for kind in [PerceptualTrunk.Kind.alex, .squeeze] where parts.count == 2 {
      guard let base = file(.trunk(kind)), let heads = file(.heads(kind)) else { continue }
      var network = PerceptualTrunk(kind, on: device)
      try ModelFiles.load(&network, from: OverlaidTensors(base, below: heads)) {
        $0.hasPrefix("classifier.")
      }
      (trunk, smallestSide) = (kind.rawValue, kind.smallestSide)
      let ready = network
      distance = { a, b in ready(a, b) }
      return
    }
    throw EvaluationError.lpips(
      found: zip(paths, parts).map { path, part in "\(path) holds \(part.title)" })
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

/// What a file is to LPIPS, by the names and shapes of its tensors.
private enum PerceptualPart: Equatable {
  /// VGG16 with its heads, also inside a VQGAN's checkpoint.
  case whole
  case trunk(PerceptualTrunk.Kind), heads(PerceptualTrunk.Kind)
  case vgg16, headsOfVGG16
  case other(String)

  init(_ source: any TensorSource) {
    func shape(_ name: String) -> [Int]? {
      source.contains(name) ? try? source.shape(of: name) : nil
    }
    let channels = (0..<8).compactMap { shape("lin\($0).model.1.weight")?.dropFirst().first }
    let kinds = [PerceptualTrunk.Kind.alex, .squeeze]
    if source.names.contains(where: { $0.hasSuffix("net.slice1.0.weight") }) {
      self = .whole
    } else if shape("features.3.squeeze.weight") != nil {
      self = .trunk(.squeeze)
    } else if let first = shape("features.0.weight") {
      self =
        switch first {
        case [64, 3, 11, 11]: .trunk(.alex)
        case [64, 3, 3, 3]: .vgg16
        default: .other("features.0.weight of shape \(first)")
        }
    } else if let kind = kinds.first(where: { PerceptualTrunk.channels(of: $0) == channels }) {
      self = .heads(kind)
    } else if channels == LPIPS.vgg16Channels {
      self = .headsOfVGG16
    } else {
      let names = source.names.prefix(3).joined(separator: ", ")
      self = .other("no part of LPIPS (but \(names) …)")
    }
  }

  var title: String {
    switch self {
    case .whole: "VGG16 with its heads"
    case .trunk(.alex): "AlexNet without heads"
    case .trunk(.squeeze): "SqueezeNet without heads"
    case .heads(let kind): "the heads of \(kind.rawValue) alone"
    case .vgg16: "VGG16 without heads"
    case .headsOfVGG16: "the heads of vgg alone"
    case .other(let what): what
    }
  }
}
