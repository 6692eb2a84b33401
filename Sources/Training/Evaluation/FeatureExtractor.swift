// Features of images, by a network that the user brings.
import Checkpoints
import Images
import Metrics
import Models
import NN
import TamingCheckpoints
import TensorCore

/// What features are made by.
package enum FeatureSource: Equatable, Sendable {
  /// `inception=FILE`: those of FID.
  case inception(String)
  /// `lite0=FILE`: EfficientNet-lite0.
  case lite0(String)
  /// Mean and deviation of a VQGAN's latents.
  case latents

  /// From `inception=FILE`, `lite0=FILE` or `latents`; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    switch (parts.first, parts.count) {
    case ("inception", 2): self = .inception(parts[1])
    case ("lite0", 2): self = .lite0(parts[1])
    case ("latents", 1): self = .latents
    default: return nil
    }
  }

  /// Whether the network also tells classes, which the Inception Score needs.
  package var hasLogits: Bool {
    if case .inception = self { true } else { false }
  }

  /// How metrics name the Fréchet distance of these features.
  package var fidName: String {
    switch self {
    case .inception: "fid"
    case .lite0: "fd_lite0"
    case .latents: "fd_latents"
    }
  }

  /// How metrics name the kernel distance of these features.
  package var kidName: String {
    switch self {
    case .inception: "kid"
    case .lite0: "kd_lite0"
    case .latents: "kd_latents"
    }
  }
}

/// A network of features with the way images come to it.
package struct FeatureExtractor {
  package let source: FeatureSource
  /// The file of weights; of latents the VQGAN's.
  package let path: String
  /// SHA-256 of the file of weights; of latents the fingerprint of encoder and codebook.
  package let digest: String
  /// What older statistics of latents have in its place: the fingerprint of the whole VQGAN.
  let olderDigest: String?
  /// Length of the features.
  package let width: Int
  package let resize: FeatureResize
  private let network: Network
  private let device: Device

  private enum Network {
    case inception(InceptionV3), lite0(EfficientNetLite0), latents(FirstStage)
  }

  /// - Parameter stage: the VQGAN whose latents are taken.
  /// - Throws: errors of the file, `ArchitectureError`, `ModelMismatchError`.
  package init(
    _ source: FeatureSource, stage: FirstStage?, resize: FeatureResize, on device: Device
  ) throws {
    self.source = source
    self.resize = resize
    self.device = device
    olderDigest = source == .latents ? stage?.fingerprint : nil
    switch source {
    case .inception(let path):
      var model = InceptionV3(on: device)
      try Self.load(&model, path)
      model.fold()
      (network, width, digest) = (.inception(model), InceptionV3.width, try sha256(ofFile: path))
      self.path = path
    case .lite0(let path):
      var model = EfficientNetLite0(on: device)
      try Self.load(&model, path)
      model.fold()
      (network, width, digest) = (.lite0(model), EfficientNetLite0.width, try sha256(ofFile: path))
      self.path = path
    case .latents:
      guard let stage else { throw EvaluationError.latentsNeedVQGAN }
      try stage.requireColourImages()
      (network, width) = (.latents(stage), 2 * stage.config.embedDim)
      (path, digest) = (stage.path, stage.fingerprints.codes)
    }
    if let convolution = firstOverflow() {
      throw ArchitectureError.unsupported(
        path: path,
        problem: "the sums of \(convolution) are not finite; weights as large as these give no "
          + "features")
    }
  }

  /// The first convolution that overflows on noise, whose ReLU may still give numbers.
  private func firstOverflow() -> String? {
    func noise(_ side: Int) -> Tensor {
      var random = RandomSource(seed: 0)
      let pixels = (0..<3 * side * side).map { _ in UInt8.random(in: 0...255, using: &random) }
      return input([RGBImage(width: side, height: side, pixels: pixels)], side: side)
    }
    return switch network {
    case .inception(let model): model.firstOverflow(on: noise(InceptionV3.side))
    case .lite0(let model): model.firstOverflow(on: noise(EfficientNetLite0.side))
    case .latents: nil
    }
  }

  /// Fills a network and checks that no variance is below 0.
  private static func load<Model: Layer>(_ model: inout Model, _ path: String) throws {
    do {
      let file = try CheckpointFile.openAsItIs(path)
      try ModelFiles.load(&model, from: file) { $0.hasSuffix("num_batches_tracked") }
    } catch PyTorchFileError.noStateDictionary(let path, _) {
      throw wholeModel(path)
    } catch PyTorchFileError.archive(let path, let entry, _) where entry.contains("code/") {
      throw wholeModel(path)
    }
    for (name, tensor) in model.namedTensors
    where name.hasSuffix("running_var") && tensor.withElements({ $0.contains { $0 < 0 } }) {
      throw ArchitectureError.unsupported(
        path: path, problem: "\(name) holds variances below 0; copy the file again")
    }
  }

  private static func wholeModel(_ path: String) -> ArchitectureError {
    .unsupported(
      path: path,
      problem: "holds a whole model, as clean-fid's inception-2015-12-05.pt (TorchScript); the "
        + "same weights by name are in pytorch-fid's pt_inception-2015-12-05-6726825d.pth")
  }

  /// How metrics name the kernel distance of these features.
  package var kidName: String { source.kidName }

  /// How images come to the network, for files and messages; latents take them as they are.
  package var convention: String { source == .latents ? "none" : resize.rawValue }

  /// Refuses sizes that a VQGAN does not take.
  ///
  /// - Throws: `EncodingError.size`.
  package func requireSize(width: Int, height: Int, of path: String) throws(EncodingError) {
    guard case .latents(let stage) = network else { return }
    let factor = stage.config.downsampling
    guard width % factor == 0, height % factor == 0 else {
      throw .size(path: path, width: width, height: height, factor: factor)
    }
  }

  /// Features `[count, width]` of images of any sizes; latents need one size, a multiple of the
  /// VQGAN's factor.
  ///
  /// - Throws: `EncodingError.color`.
  package func features(of images: [RGBImage]) throws -> [Float] {
    try withoutGradients {
      switch network {
      case .inception(let model):
        return model(input(images, side: InceptionV3.side)).elements()
      case .lite0(let model):
        return model(input(images, side: EfficientNetLite0.side)).elements()
      case .latents(let stage):
        let input = try stage.input(
          images, named: { "image \($0) of a batch" }, on: device)
        let rows = stage.model.latents(of: input).rows()
        let (count, length) = (rows.shape[1], rows.shape[2])
        return rows.elements().chunked(count * length).flatMap { image in
          Self.moments(of: image, length: length)
        }
      }
    }
  }

  /// Logits of the classifier, of Inception's features alone.
  package func logits(of features: FeatureTable) -> FeatureTable? {
    guard case .inception(let model) = network else { return nil }
    var table = FeatureTable(width: 1008)
    let rows = Tensor(features.values, shape: [features.count, features.width], on: device)
    table.append(withoutGradients { model.logits(of: rows).elements() })
    return table
  }

  private func input(_ images: [RGBImage], side: Int) -> Tensor {
    var planes: [Float] = []
    planes.reserveCapacity(images.count * 3 * side * side)
    for image in images { planes += image.planes(side: side, resize: resize) }
    // (p - 128)/128 as TensorFlow's graph has it, 2·p/255 - 1 as pytorch-fid; lite0 (p - 127)/128.
    let (scale, offset): (Float, Float) =
      switch (source, resize) {
      case (.lite0, _): (1 / 128, -127.0 / 128)
      case (_, .torch): (2 / 255, -1)
      default: (1 / 128, -1)
      }
    return Tensor(planes, shape: [images.count, 3, side, side], on: device)
      .scaled(by: scale, plus: offset)
  }

  /// Means of all channels, then their deviations.
  private static func moments(of rows: ArraySlice<Float>, length: Int) -> [Float] {
    let rows = Array(rows)
    let count = rows.count / length
    let means = DoubleMatrix.columnMeans(of: rows, rows: count, columns: length)
    let squares = DoubleMatrix.columnMeans(
      of: rows.map { $0 * $0 }, rows: count, columns: length)
    let deviations = zip(means, squares).map { max($1 - $0 * $0, 0).squareRoot() }
    return (means + deviations).map { Float($0) }
  }
}

extension [Float] {
  fileprivate func chunked(_ size: Int) -> [ArraySlice<Float>] {
    stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
  }
}
