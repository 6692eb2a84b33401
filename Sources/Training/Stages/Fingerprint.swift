// What tells one set of weights from another.
import Checksums
import NN
import TensorCore

/// SHA-256 over name, shape and values of every tensor.
struct Fingerprint {
  private var hash = SHA256()

  mutating func add(_ name: String, _ shape: Shape, _ values: UnsafeBufferPointer<Float>) {
    Array("\(name) \(shape)\n".utf8).withUnsafeBytes { hash.update($0) }
    hash.update(UnsafeRawBufferPointer(values))
  }

  /// In hexadecimal digits.
  mutating func finish() -> String { hexadecimal(hash.finalize()) }
}

extension Layer {
  /// SHA-256 over name, shape and values of every tensor in visiting order.
  package var fingerprint: String {
    var print = Fingerprint()
    for (name, tensor) in namedTensors {
      tensor.withElements { print.add(name, tensor.shape, $0) }
    }
    return print.finish()
  }
}
