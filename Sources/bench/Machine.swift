// What Linux tells about the process and its machine.
import Foundation

/// The memory of this process.
enum ProcessMemory {
  /// The peak since the start or the last reset, MiB; `nil` where `/proc` does not tell.
  static var peakMebibytes: Double? {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kibibytes = line.split(separator: " ").compactMap({ Double($0) }).first
    else { return nil }
    return kibibytes / 1024
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
  /// Mean number of runnable processes over the last minute; `nil` where `/proc` does not tell.
  static var lastMinute: Double? {
    (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?
      .split(separator: " ").first.flatMap { Double($0) }
  }

  /// A load above which metrics are not worth much.
  static let quiet = 0.5
}
