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

  /// The same with threads and engine that come from elsewhere, the configuration of a run.
  package static func startComputing(threads: Int, engine: String?) throws -> Device {
    ComputeThreads.set(threads)
    guard let engine else { return .default }
    guard let device = Engine(rawValue: engine).flatMap(Device.cpu) else {
      throw ValidationError(
        "--engine \(engine) is not built in; this build has "
          + Device.all.map(\.name).joined(separator: ", ") + ".")
    }
    return device
  }
}
