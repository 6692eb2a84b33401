// What the machine can do at best: the metrics that kernels are held against.
import Foundation
import TensorCore

/// The speed of a large matrix product and of a large copy, measured in this process.
struct Ceilings: Sendable {
  /// 10⁹ floating-point operations a second of a product of 1536×1536 matrices in the device's
  /// precision.
  let gigaflops: Double
  /// 10⁹ bytes per second, read and written, of a copy of 256 MiB.
  let gigabytes: Double

  /// Takes about a second; the best of several runs, since other work only ever slows them down.
  init(of device: Device) {
    let side = 1536
    let matrix = Tensor(repeating: 0.5, shape: [side, side], on: device)
    let product = Self.best(of: 8) { _ = matrix.matmul(matrix) }
    gigaflops = 2 * Double(side * side * side) / product / 1e9
    let floats = 64 << 20
    let values = Tensor(repeating: 1, shape: [floats], on: device)
    let copy = Self.best(of: 5) { _ = values.scaled(by: 1) }
    gigabytes = 8 * Double(floats) / copy / 1e9
  }

  /// Seconds of the fastest run, after one that warms up.
  private static func best(of count: Int, _ run: () -> Void) -> Double {
    run()
    return (0..<count).map { _ in Measurement.time(run) }.min() ?? .infinity
  }
}
