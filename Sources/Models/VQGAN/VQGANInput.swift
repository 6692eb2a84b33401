// What a VQGAN reads: images, depth, or maps of labels.
import RowMaps
import TensorCore

/// A batch for a VQGAN.
package enum VQGANInput: Sendable {
  /// `[N, C, H, W]` in [-1, 1]: images or depth.
  case values(Tensor)
  /// `[N, H, W]` in `0..<in_channels`.
  case labels(IndexTensor)

  /// A batch of rows of shards.
  ///
  /// - Parameter values: `[count, height, width, channels]` of the map.
  package init(
    _ values: RowValues, of map: RowMap, count: Int, height: Int, width: Int,
    on device: Device = .default
  ) {
    switch values {
    case .bytes(let labels) where map.isLabels:
      self = .labels(IndexTensor(labels.map { Int32($0) }, shape: [count, height, width]))
    case .bytes(let pixels):
      self = .values(
        Tensor(pixels: pixels, count: count, height: height, width: width, on: device))
    case .words(let values):
      precondition(map.channels == 1, "\(map) of \(map.channels) channels of 16 bits")
      self = .values(
        Tensor(
          values.map { Float($0) / 32767.5 - 1 }, shape: [count, 1, height, width], on: device))
    }
  }

  /// The batch as a model takes it.
  func inRange(of config: VQGANConfig) -> VQGANInput {
    guard config.pixels == .unit, case .values(let images) = self else { return self }
    return .values(images.plain().scaled(by: 0.5, plus: 0.5))
  }

  /// Height and width, pixels.
  var size: (height: Int, width: Int) {
    switch self {
    case .values(let images): (images.shape[2], images.shape[3])
    case .labels(let labels): (labels.shape[1], labels.shape[2])
    }
  }
}

extension RowMap {
  /// Channels of the published models: 182 labels of COCO-Stuff and 0 for none.
  ///
  /// Palettes are of a run's own.
  package var publishedChannels: Int { isLabels ? 183 : channels }
}

extension Tensor {
  /// Images or amounts `[N, C, H, W]`, clamped to [-1, 1], as rows of shards, `[N, H, W, C]`.
  package func rowValues(of map: RowMap) -> RowValues {
    guard map.isWide else { return .bytes(pixels()) }
    precondition(map.channels == 1, "\(map) of \(map.channels) channels of 16 bits")
    let values = withoutGradients { plain() }.elements()
    return .words(values.map { UInt16((max(-1, min(1, $0)) + 1) * 32767.5 + 0.5) })
  }
}
