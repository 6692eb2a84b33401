// What tells one set of weights from another.
import Checksums
import Models
import NN
import TensorCore

/// SHA-256 over name, shape and values of every tensor.
struct Fingerprint {
  private var hash = SHA256()

  mutating func add(_ name: String, _ shape: Shape, _ values: UnsafeBufferPointer<Float>) {
    add("\(name) \(shape)")
    hash.update(UnsafeRawBufferPointer(values))
  }

  /// Adds a line of text.
  mutating func add(_ line: String) {
    Array("\(line)\n".utf8).withUnsafeBytes { hash.update($0) }
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

/// The fingerprints of a VQGAN.
package struct VQGANFingerprints: Equatable, Sendable {
  /// Of all weights.
  package let vqgan: String
  /// Of what decides the codes of an image: encoder and codebook, with the rule of the quantizer.
  package let codes: String
  /// Of what makes images of the codebook's vectors.
  package let decoder: String
}

extension VQGANFingerprints {
  /// Takes in the tensors of a VQGAN one by one, in visiting order.
  struct Hash {
    private var vqgan = Fingerprint()
    private var codes = Fingerprint()
    private var decoder = Fingerprint()

    init(_ config: VQGANConfig) { codes.add(config.codeRule) }

    mutating func add(_ name: String, _ shape: Shape, _ values: UnsafeBufferPointer<Float>) {
      vqgan.add(name, shape, values)
      if VQGANPart(ofTensor: name) == .decoder {
        decoder.add(name, shape, values)
      } else if !name.hasSuffix(".cluster_size"), !name.hasSuffix(".embed_avg") {
        // The averages that move a codebook decide no code.
        codes.add(name, shape, values)
      }
    }

    mutating func finish() -> VQGANFingerprints {
      VQGANFingerprints(vqgan: vqgan.finish(), codes: codes.finish(), decoder: decoder.finish())
    }
  }

  package init(of model: VQGAN) {
    var hash = Hash(model.config)
    for (name, tensor) in model.namedTensors {
      tensor.withElements { hash.add(name, tensor.shape, $0) }
    }
    self = hash.finish()
  }
}
