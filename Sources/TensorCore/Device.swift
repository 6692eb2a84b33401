// Where tensors live and what computes on them.
import CKernels

/// How the matrix products of linear layers read their factors; sums, weights and everything else
/// are float32, but for keys and values kept in sampling, which are bfloat16 unless this is
/// float32.
package enum Precision: String, Codable, CaseIterable, Sendable {
  case float32
  /// Eight bits of mantissa, on processors that have dot products of them.
  case bfloat16 = "bf16"
  /// Weights in 8 bits, one scale to an output, multiplied with float32: for sampling, which reads
  /// every weight for a few positions.
  case int8
}

/// A position for tensors, with the backend that computes there.
package struct Device: Sendable, Equatable, CustomStringConvertible {
  let backend: any Backend

  package static func == (a: Device, b: Device) -> Bool { a.backend === b.backend }

  /// The processor.
  package static let `default` = Device(backend: CPUBackend())

  /// What the processor computes with, `AVX2, 6×16 tiles`: the instruction set of the kernels and
  /// the rows and columns that a product keeps in registers.
  package static let kernels: String = {
    var (rows, vectors) = (0, 0)
    ck_tile_size(&rows, &vectors)
    return "\(String(cString: ck_instruction_set())), \(rows)×\(16 * vectors) tiles"
  }()

  /// Every device of this build, for tests.
  package static let all: [Device] = [.default]

  /// The processor with matrix products in bfloat16; `nil` where it has no dot products of them.
  package static let bfloat16: Device? =
    ck_has_bfloat16() != 0 ? Device(backend: CPUBackend(precision: .bfloat16)) : nil

  /// What the VQGAN's `--precision bf16` computes on: the processor with float32 arithmetic, which
  /// keeps large activations for the backward pass in bf16, and multiplies in it where that is
  /// faster: convolutions but those by Winograd's algorithm, on AMD's processors with AVX-512.
  package static let bf16Activations = Device(backend: CPUBackend(keepsBF16: true))

  /// The processor with weights of linear maps in 8 bits; not for training.
  package static let int8 = Device(backend: CPUBackend(precision: .int8))

  /// Whether the KV cache of sampling takes 16 bits.
  package var isBF16: Bool { backend.precision != .float32 }

  package var name: String { backend.name }
  package var description: String { name }

  /// Waits until everything that was asked of this device is done.
  package func synchronize() { backend.synchronize() }

  /// The buffers of this device.
  package var pool: MemoryPool { backend.pool }
}
