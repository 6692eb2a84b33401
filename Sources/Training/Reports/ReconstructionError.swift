// Why images cannot be reconstructed.

/// Why images cannot be reconstructed.
package enum ReconstructionError: Error, Equatable {
  /// An image is smaller than one code.
  case tooSmall(name: String, width: Int, height: Int, factor: Int)
  /// The size asked for is no multiple of the VQGAN's factor.
  case size(width: Int, height: Int, factor: Int)
  case noImages
}

extension ReconstructionError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooSmall(let name, let width, let height, let factor):
      "\(name): an image of \(width)×\(height), this VQGAN needs at least \(factor)×\(factor);"
        + " enlarge it with --size"
    case .size(let width, let height, let factor):
      "--size \(width)x\(height): this VQGAN needs multiples of \(factor) pixels"
    case .noImages: "no images given"
    }
  }
}
