// Rotary positions.
import Foundation

/// Angles by which pairs of neighbouring channels of every head are turned, for the positions of a
/// sequence.
package struct Rotation: Sendable {
  let cosines, sines: Tensor  // [T, width / 2]
  let width: Int

  /// - Parameters:
  ///   - angles: of each position, one for each pair of channels of a head, `[T][width / 2]`.
  package init(angles: [[Double]], on device: Device) {
    let pairs = angles.first?.count ?? 0
    let shape: Shape = [angles.count, pairs]
    cosines = Tensor(angles.flatMap { $0.map { Float(cos($0)) } }, shape: shape, on: device)
    sines = Tensor(angles.flatMap { $0.map { Float(sin($0)) } }, shape: shape, on: device)
    width = 2 * pairs
  }
}

extension Tensor {
  /// The channels of every head of `[N, T, heads · width]` turned by the angles of their positions.
  ///
  /// - Source: Su et al. 2021, *RoFormer*, eq. 34.
  package func rotated(by rotation: Rotation) -> Tensor {
    rotated(channels: shape[2], by: rotation, sign: 1)
  }

  /// The same of queries and keys, beside which values lie, `[N, T, 3 · C]`.
  package func queriesAndKeysRotated(by rotation: Rotation) -> Tensor {
    rotated(channels: shape[2] / 3 * 2, by: rotation, sign: 1)
  }

  private func rotated(channels turned: Int, by rotation: Rotation, sign: Float) -> Tensor {
    let x = plain()
    let length = shape[1]
    precondition(
      rotation.cosines.shape[0] == length && turned % max(rotation.width, 1) == 0,
      "angles \(rotation.cosines.shape) for \(shape)")
    let y = Tensor(uninitializedLike: x)
    backend.rotate(x, heads: turned / rotation.width, rotation, sign: sign, into: y)
    return record(y, [x]) { dy, _ in [dy.rotated(channels: turned, by: rotation, sign: -sign)] }
  }
}
