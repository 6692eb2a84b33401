// Threads and device, from options to the tensor engine.
import ArgumentParser
import CommandSupport
import TensorCore
import Training

extension RuntimeOptions {
  /// Sets the threads of the calling thread's kernels, `threads` or those of the options, and
  /// picks the device.
  ///
  /// - Parameter device: taken instead of that of the precision.
  /// - Throws: `ValidationError` for a precision that this machine lacks.
  package func startComputing(
    precision: Precision = .float32, threads: Int? = nil, on device: Device? = nil
  ) throws -> Device {
    if let engine { console.warn("--engine \(engine): there is one engine now; left aside") }
    ComputeThreads.set(threads ?? threadCount)
    if let device { return device }
    switch precision {
    case .float32: return .default
    case .int8: return .int8
    case .bfloat16:
      guard let device = Device.bfloat16 else {
        throw ValidationError(
          "--precision bf16 needs a processor with bfloat16 dot products (avx512_bf16).")
      }
      return device
    }
  }
}

extension SuiteVersion {
  /// The version of a command that computes, with the kernels that run on this machine.
  package static var ofModelCommand: String {
    "\(current) (\(Device.kernels), \(ComputeThreads.count) threads)"
  }
}

extension Precision: ExpressibleByArgument {}
