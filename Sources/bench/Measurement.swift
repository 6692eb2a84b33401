// Timing: warm-up apart, then repetitions until the time is up.
import CommandSupport
import Foundation
import Metrics
import TensorCore

/// One line of the result.
struct Measurement: Encodable, Sendable {
  let name: String
  let unit: String
  /// Of the repetitions, in `unit`.
  let median: Double
  /// The values that a tenth of the repetitions lies below and above.
  let p10, p90: Double
  let repetitions: Int
  let threads: Int
  /// The device, with its precision.
  let engine: String
  /// The instruction set and the register tile of the kernels.
  let kernels: String
  /// 10⁹ floating-point operations a second at the median.
  var gigaflops: Double?
  /// 10⁹ bytes per second that had to move at least, at the median.
  var gigabytes: Double?
  /// The machine's best at either, measured in the same process.
  var gigaflopsCeiling, gigabytesCeiling: Double?
  /// The most bytes that tensors took at once, MiB.
  var poolPeakMebibytes: Double?
  /// The most memory that the process held, MiB.
  var processPeakMebibytes: Double?

  enum CodingKeys: String, CodingKey {
    case name, unit, median, p10, p90, repetitions, threads, engine, kernels
    case gigaflops = "gflop_per_second"
    case gigabytes = "gb_per_second"
    case gigaflopsCeiling = "ceiling_gflop_per_second"
    case gigabytesCeiling = "ceiling_gb_per_second"
    case poolPeakMebibytes = "pool_peak_mib"
    case processPeakMebibytes = "process_peak_mib"
  }

  /// Runs a workload once or twice to warm up, then for about `seconds`, three times at least.
  ///
  /// - Parameters:
  ///   - ceilings: measured before, for workloads that are held against them.
  ///   - warm: called after the warm-up.
  init(
    _ workload: Workload, seconds: Double, on device: Device, ceilings: Ceilings?,
    warm: () -> Void = {}
  ) throws {
    device.pool.releaseFree()
    device.pool.resetPeak()
    ProcessMemory.resetPeak()
    let work = try workload.prepare(device)
    let repetition = {
      try work()
      device.synchronize()
    }
    let warmUp = try Self.time(repetition)
    if warmUp < seconds / 4 { _ = try Self.time(repetition) }
    warm()
    var times: [Double] = []
    var left = seconds
    while left > 0 || times.count < 3 {
      let time = try Self.time(repetition)
      times.append(time)
      left -= time
    }
    let middle = times.quantile(0.5)
    name = workload.name
    unit = workload.unit.name
    median = workload.unit.value(middle)
    let ends = [0.1, 0.9].map { workload.unit.value(times.quantile($0)) }.sorted()
    (p10, p90) = (ends[0], ends[1])
    repetitions = times.count
    threads = ComputeThreads.count
    engine = device.name
    kernels = Device.kernels
    gigaflops = workload.operations.map { $0 / middle / 1e9 }
    gigabytes = workload.bytes.map { $0 / middle / 1e9 }
    if gigaflops != nil { gigaflopsCeiling = ceilings?.gigaflops }
    if gigabytes != nil { gigabytesCeiling = ceilings?.gigabytes }
    if workload.tellsMemory {
      poolPeakMebibytes = Double(device.pool.statistics.peak) / 1_048_576
      processPeakMebibytes = ProcessMemory.peakMebibytes
    }
  }

  /// Seconds of one call.
  static func time(_ repetition: () throws -> Void) rethrows -> Double {
    let duration = try ContinuousClock().measure(repetition)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
