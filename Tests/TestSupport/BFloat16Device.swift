import Foundation
import TensorCore
import Testing

/// The device with products in bfloat16.
///
/// Where there is none, that this build or processor has no such products is what is tested: the
/// list of features that the kernel gives, which oneDNN does not read, must agree.
package func bfloat16Device() throws -> Device? {
  let features = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    .split(whereSeparator: \.isWhitespace)
  // A setting that makes oneDNN compute as on an older processor takes them away.
  let isLimited = ProcessInfo.processInfo.environment["DNNL_MAX_CPU_ISA"] != nil
  let isPossible = Device.oneDNN != nil && features.contains("avx512_bf16") && !isLimited
  #expect((Device.bfloat16 != nil) == isPossible)
  return Device.bfloat16
}
