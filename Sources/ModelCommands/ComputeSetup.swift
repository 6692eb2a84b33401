// Threads and engine, from options to the tensor engine.
import ArgumentParser
import TensorCore

extension RuntimeOptions {
  /// Sets the threads of the calling thread's kernels and picks the device.
  ///
  /// - Throws: `ValidationError` for an engine that is not built in.
  package func startComputing() throws -> Device {
    try Self.startComputing(threads: threadCount, engine: engine?.rawValue)
  }

  /// The same with threads, engine and precision that come from elsewhere, the configuration of a run.
  package static func startComputing(
    threads: Int, engine: String?, precision: Precision = .float32
  ) throws -> Device {
    ComputeThreads.set(threads)
    if precision == .bfloat16 {
      guard engine != Engine.openblas.rawValue, let device = Device.bfloat16 else {
        throw ValidationError(
          "--precision bf16 needs the engine onednn and a processor with bfloat16 dot products "
            + "(avx512_bf16).")
      }
      return device
    }
    guard let device = engine.map({ Engine(rawValue: $0).flatMap(Device.cpu) }) ?? .default else {
      throw ValidationError(
        "--engine \(engine ?? "") is not built in; this build has "
          + Device.all.map(\.name).joined(separator: ", ") + ".")
    }
    return precision == .int8 ? device.withInt8Weights() ?? device : device
  }
}

extension Precision: ExpressibleByArgument {}
