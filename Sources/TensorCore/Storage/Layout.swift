// How the elements of a tensor lie in memory.

/// How the elements of a tensor lie in memory.
///
/// Networks on images stay in `blocked` from the first convolution to the last; everything else is `plain`.
package enum Layout: Sendable {
  /// Row-major.
  case plain
  /// Activations `[N, C, H, W]` as blocks of 16 channels: `[N][⌈C/16⌉][H·W][16]`, lanes past C zero.
  case blocked
  /// Convolution weights `[O, I, k, k]` as `[⌈O/16⌉][⌈I/16⌉][k·k][16 i][16 o]`, lanes past O and I zero.
  case blockedWeights

  /// Floats that a tensor of this shape occupies.
  func storedCount(_ shape: Shape) -> Int {
    func padded(_ channels: Int) -> Int { (channels + 15) / 16 * 16 }
    switch self {
    case .plain: return shape.count
    case .blocked: return shape[0] * padded(shape[1]) * shape[2] * shape[3]
    case .blockedWeights: return padded(shape[0]) * padded(shape[1]) * shape[2] * shape[3]
    }
  }
}
