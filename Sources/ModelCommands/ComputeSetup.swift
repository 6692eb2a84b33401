// Threads and engine, from options to the tensor engine.
import ArgumentParser
import CommandSupport
import TensorCore
import Training

extension RuntimeOptions {
  /// Sets the threads of the calling thread's kernels and picks the device.
  ///
  /// - Throws: `ValidationError` for an engine or a precision that this build or machine lacks.
  package func startComputing(precision: Precision = .float32) throws -> Device {
    try Environment(
      toolVersion: SuiteVersion.current, threads: threadCount, engine: engine ?? .fastest
    ).startComputing(precision: precision)
  }
}

extension Environment {
  /// The same with the threads and the engine of a run.
  func startComputing(precision: Precision) throws -> Device {
    ComputeThreads.set(threads)
    if precision == .bfloat16 {
      guard engine == .onednn, let device = Device.bfloat16 else {
        throw ValidationError(
          "--precision bf16 needs the engine onednn and a processor with bfloat16 dot products "
            + "(avx512_bf16).")
      }
      return device
    }
    guard let device = Device.cpu(engine) else {
      throw ValidationError(
        "--engine \(engine) is not built in; this build has "
          + Device.all.map(\.name).joined(separator: ", ") + ".")
    }
    return precision == .int8 ? device.withInt8Weights() ?? device : device
  }
}

extension Engine {
  /// The fastest that is built in.
  static var fastest: Engine { Device.oneDNN == nil ? .openblas : .onednn }
}

extension Engine: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
