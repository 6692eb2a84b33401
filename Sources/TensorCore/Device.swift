// Where tensors live and which engine computes on them.
import CKernels

/// The library that computes convolutions and matrix products.
package enum Engine: String, Codable, CaseIterable, Sendable {
  /// oneDNN: direct and Winograd convolutions in the blocked layout.
  case onednn
  /// im2col and OpenBLAS: needs no other library.
  case openblas
}

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

  /// The processor with the given engine; `nil` where that engine is not built in.
  package static func cpu(_ engine: Engine) -> Device? {
    switch engine {
    case .openblas: return openBLAS
    case .onednn: return oneDNN
    }
  }

  /// oneDNN where it is built in, else OpenBLAS.
  package static let `default`: Device = oneDNN ?? openBLAS

  /// Every device of this build, for tests that hold the engines together.
  package static let all: [Device] = [oneDNN, openBLAS].compactMap { $0 }

  package static let openBLAS = Device(backend: CPUBackend(engine: .openblas))
  #if HAS_ONEDNN
    package static let oneDNN: Device? = Device(backend: CPUBackend(engine: .onednn))
  #else
    package static let oneDNN: Device? = nil
  #endif

  /// oneDNN with matrix products in bfloat16; `nil` where it is not built in or the processor has
  /// none of them.
  package static let bfloat16: Device? = {
    #if HAS_ONEDNN
      if ck_has_bfloat16() != 0 {
        return Device(backend: CPUBackend(engine: .onednn, precision: .bfloat16))
      }
    #endif
    return nil
  }()

  /// The same engine with weights of linear maps in 8 bits; not for training.
  package func withInt8Weights() -> Device? {
    guard let cpu = backend as? CPUBackend else { return nil }
    return Device(backend: CPUBackend(engine: cpu.engine, precision: .int8))
  }

  /// Whether the KV cache of sampling takes 16 bits.
  package var isBF16: Bool { backend.precision != .float32 }

  /// The engine's name, as `--engine` takes it.
  package var name: String { backend.name }
  package var description: String { name }

  /// Waits until everything that was asked of this device is done.
  package func synchronize() { backend.synchronize() }

  /// The buffers of this device.
  package var pool: MemoryPool { backend.pool }
}
