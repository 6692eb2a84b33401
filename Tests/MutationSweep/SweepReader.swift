// The process that reads: what kills it is a finding.
import CommandSupport
import DurableFiles
import Foundation
import Glibc
import ModelCommands
import TensorCore

/// Reads changed files one after the other, and tells of each on stdout.
struct SweepReader {
  let kind: SweepKind
  let stage: Stage
  let seed: UInt64

  /// Seconds and bytes that one file may take.
  static let maxSeconds = 10
  static let maxBytes = 2 << 30

  /// What became of a file.
  struct Outcome: Codable {
    var number: Int
    /// Nil for a file that was accepted.
    var exitCode: Int32?
    /// What is wrong with that, or the error.
    var text = ""
    var isViolation = false
    var seconds: Double
    var mebibytes: Int
  }

  func read(_ numbers: Range<Int>) throws {
    limitMemory()
    // As in the commands: 71, said in time.
    MemoryPool.outOfMemory.withLock { $0 = { _ in _exit(SuiteExitCode.noMemory.rawValue) } }
    let expected = try kind.files.map { file in
      try stage.reset(kind)
      return try kind.read("\(stage.work)/\(file)", stage.work)
    }
    for number in numbers {
      if kind.writes { try stage.reset(kind) }
      let which = number % kind.files.count
      let path = "\(stage.work)/\(kind.files[which])"
      try stage.replace(path, by: stage.mutation(kind, seed, number).bytes)
      var outcome = Outcome(number: number, seconds: 0, mebibytes: 0)
      let start = ContinuousClock.now
      alarm(UInt32(Self.maxSeconds))
      do {
        let found = try kind.read(path, stage.work)
        if kind.isChecked, found != expected[which] {
          (outcome.isViolation, outcome.text) = (true, "accepted, but it is not what was written")
        }
      } catch {
        outcome.text = "\(error)"
        let code = SuiteExitCode(of: error) ?? SuiteExitCode(ofModels: error)
        outcome.exitCode = (code ?? .bug).rawValue
        if code == nil || code == .bug { outcome.isViolation = true }
      }
      alarm(0)
      outcome.seconds = (ContinuousClock.now - start) / .seconds(1)
      outcome.mebibytes = Self.peakMebibytes
      if outcome.mebibytes << 20 > Self.maxBytes { outcome.isViolation = true }
      if !kind.writes, kind.files.count > 1 { try stage.restore(kind.files[which]) }
      print(String(decoding: try JSONEncoder().encode(outcome), as: UTF8.self))
      fflush(nil)
    }
  }

  private static var peakMebibytes: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Int(usage.ru_maxrss) >> 10
  }

  /// An allocation beyond it fails; sanitizers need more room than there is.
  private func limitMemory() {
    guard dlsym(nil, "__asan_init") == nil, dlsym(nil, "__tsan_init") == nil else { return }
    var limit = rlimit(rlim_cur: rlim_t(Self.maxBytes), rlim_max: rlim_t(Self.maxBytes))
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
  }
}
