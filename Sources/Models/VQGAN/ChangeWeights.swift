// The pixels of a frame that are not its background count more.
import TensorCore

extension Tensor {
  /// Weights of the values of images: `1 + weight` where a pixel has changed and 1 elsewhere,
  /// divided by their mean over the image, so that every image counts as much as before.
  ///
  /// - Parameters:
  ///   - changed: 1 for pixels that have changed and 0 for others, `[N, H, W]`.
  ///   - shape: of the images, `[N, C, H, W]`.
  package init(weighing changed: [UInt8], by weight: Float, of shape: Shape, on device: Device) {
    let (count, channels, pixels) = (shape[0], shape[1], shape[2] * shape[3])
    precondition(changed.count == count * pixels, "\(changed.count) pixels for images \(shape)")
    var weights: [Float] = []
    weights.reserveCapacity(count * channels * pixels)
    for image in 0..<count {
      let own = changed[image * pixels..<(image + 1) * pixels]
      let fraction = Float(own.count { $0 != 0 }) / Float(max(pixels, 1))
      let still = 1 / (1 + weight * fraction)
      let plane = own.map { $0 != 0 ? (1 + weight) * still : still }
      for _ in 0..<channels { weights += plane }
    }
    self.init(weights, shape: shape, on: device)
  }

  /// The mean of `w·|x̂ - x|`, a scalar.
  ///
  /// - Parameter weights: none negative, of the images' shape.
  package func meanAbsoluteDifference(from images: Tensor, weights: Tensor) -> Tensor {
    (plain() * weights).meanAbsoluteDifference(from: images.plain() * weights)
  }

  /// The mean of `w·(x̂ - x)²`, a scalar.
  ///
  /// - Parameter weights: of the images' shape.
  package func meanSquaredDifference(from images: Tensor, weights: Tensor) -> Tensor {
    let difference = plain() - images.plain()
    return (difference * difference * weights).mean()
  }
}
