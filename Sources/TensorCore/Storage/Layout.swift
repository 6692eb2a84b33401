// How the elements of a tensor lie in memory.

/// How the elements of a tensor lie in memory.
///
/// Networks on images stay in `blocked` from the first convolution to the last; everything else is
/// `plain`.
package enum Layout: Sendable {
  /// Row-major.
  case plain
  /// Activations `[N, C, H, W]` as the device's convolutions want them; padding, where there is
  /// some, is zero. On the processor blocks of 16 channels: `[N][⌈C/16⌉][H·W][16]`.
  case blocked
  /// Convolution weights `[O, I, k, k]` as the device's convolutions want them; padding is zero. On
  /// the processor `[⌈O/16⌉][⌈I/16⌉][k·k][16 i][16 o]`.
  case blockedWeights
}
