import Foundation
import TensorCore
import Testing

/// The device with products in bfloat16.
///
/// Where there is none, that this processor has no such products is what is tested: the list of
/// features that the kernel gives must agree.
package func bfloat16Device() throws -> Device? {
  let features = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    .split(whereSeparator: \.isWhitespace)
  // A build for older processors has them nowhere.
  let isPossible = features.contains("avx512_bf16") && Device.kernels.hasPrefix("AVX-512")
  #expect((Device.bfloat16 != nil) == isPossible)
  return Device.bfloat16
}
