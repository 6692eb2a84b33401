// Rows of image shards as a VQGAN reads them: images, label maps or depth maps, as bytes.
import Models
import Shards
import TensorCore

extension VQGANInputKind {
  /// Bytes of one pixel of a row: red, green and blue; a label; or a depth of 16 bits, little-endian.
  var bytesPerPixel: Int {
    switch self {
    case .images: 3
    case .segmentation: 1
    case .depth: 2
    }
  }
}

extension ShardSet where Reader == ImageShardReader {
  /// What a VQGAN reads of one row, `[H, W, bytesPerPixel]`.
  ///
  /// - Parameter labels: how many labels the VQGAN knows, where it reads maps of them.
  /// - Throws: `ShardError`; `missingItem` in shards without such maps; `EncodingError.label`.
  func bytes(_ index: Int, of kind: VQGANInputKind, labels: Int) throws -> [UInt8] {
    switch kind {
    case .images: return try pixels(index)
    case .depth: return DepthBytes.of(try depth(index))
    case .segmentation:
      let map = try segmentation(index)
      if let wrong = map.first(where: { Int($0) >= labels }) {
        throw EncodingError.label(
          path: try locate(index).reader.path, found: Int(wrong), labels: labels)
      }
      return map
    }
  }
}

/// Depths as bytes: 0 … 65535 for -1 … 1, little-endian.
enum DepthBytes {
  static func of(_ values: [UInt16]) -> [UInt8] {
    values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
  }

  static func values(_ bytes: [UInt8]) -> [UInt16] {
    stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
  }
}

extension Tensor {
  /// Depths `[N, 1, H, W]` in [-1, 1]: `v / 32767.5 - 1`.
  package init(depths: [UInt16], count: Int, height: Int, width: Int, on device: Device = .default)
  {
    self.init(
      depths.map { Float($0) / 32767.5 - 1 }, shape: [count, 1, height, width], on: device)
  }

  /// Depths `[N, 1, H, W]`, clamped to [-1, 1], as bytes.
  func depthBytes() -> [UInt8] {
    let values = withoutGradients { plain() }.elements()
    return DepthBytes.of(values.map { UInt16((max(-1, min(1, $0)) + 1) * 32767.5 + 0.5) })
  }
}
