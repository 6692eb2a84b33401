// What the system tells about the process and its machine.
import Foundation
import Platform

/// The memory of this process.
enum ProcessMemory {
  /// The peak since the start or the last reset, MiB; `nil` where the system does not tell.
  static var peakMebibytes: Double? {
    peakMemory.map { Double($0) / 1_048_576 }
  }

  /// Starts a new peak; without effect where the system does not allow it.
  static func resetPeak() {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Data("5".utf8))
    try? file.close()
  }
}

/// How busy the machine is with other work.
enum MachineLoad {
  /// Mean number of runnable processes over the last minute; `nil` where the system does not tell.
  static var lastMinute: Double? { machineLoad }

  /// A load above which metrics are not worth much.
  static let quiet = 0.5
}
