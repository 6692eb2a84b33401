// One kind swept: processes that read changed files, and commands that are given them.
import Foundation
import Synchronization
import TestSupport

/// What a sweep found, for `mutation-sweep`'s JSON.
struct SweepReport: Codable {
  struct Violation: Codable {
    let kind: String
    let seed: UInt64
    let number: Int
    let file: String
    let mutation: String
    /// The command that was given the file; nil where it was read in a process of the sweep.
    let command: String?
    let problem: String
    /// Where the file is kept.
    let kept: String
  }

  var inputs = 0
  var accepted = 0
  var refused = 0
  var commands = 0
  var slowestSeconds = 0.0
  var peakMebibytes = 0
  var violations: [Violation] = []

  enum CodingKeys: String, CodingKey {
    case inputs, accepted, refused, commands, violations
    case slowestSeconds = "slowest_seconds"
    case peakMebibytes = "peak_mebibytes"
  }

  static func + (a: SweepReport, b: SweepReport) -> SweepReport {
    SweepReport(
      inputs: a.inputs + b.inputs, accepted: a.accepted + b.accepted,
      refused: a.refused + b.refused, commands: a.commands + b.commands,
      slowestSeconds: max(a.slowestSeconds, b.slowestSeconds),
      peakMebibytes: max(a.peakMebibytes, b.peakMebibytes),
      violations: a.violations + b.violations)
  }
}

/// Sweeps files of one kind.
struct Sweep {
  let kind: SweepKind
  let seed: UInt64
  /// Folder for files that broke a promise.
  let kept: String

  /// - Parameters:
  ///   - inputs: how many changed files are read.
  ///   - commands: how many of them are given to a command too.
  func run(inputs: Int, commands: Int) throws -> SweepReport {
    let folder = try TemporaryFolder()
    let stage = Stage(path: folder.path)
    try stage.make(kind)
    return try withExtendedLifetime(folder) {
      var report = SweepReport()
      try read(inputs, stage, &report)
      for number in 0..<commands { try command(number, stage, &report) }
      return report
    }
  }

  // MARK: Reading

  /// A process reads file after file; where it dies, another one goes on behind that file.
  private func read(_ inputs: Int, _ stage: Stage, _ report: inout SweepReport) throws {
    var next = 0
    while next < inputs {
      let ended = try shell(
        "mutation-sweep --reader '\(stage.path)' --kind '\(kind.name)' --seed \(seed) "
          + "--first \(next) --inputs \(inputs)",
        environment: ["SWIFT_BACKTRACE": "enable=no"], seconds: 600)
      for line in ended.output.split(separator: "\n") {
        let outcome = try JSONDecoder().decode(
          SweepReader.Outcome.self, from: Data(line.utf8))
        count(outcome.exitCode, &report)
        report.slowestSeconds = max(report.slowestSeconds, outcome.seconds)
        report.peakMebibytes = max(report.peakMebibytes, outcome.mebibytes)
        if outcome.isViolation {
          try add(
            outcome.number, "exit code \(outcome.exitCode ?? 0): \(outcome.text)", stage, &report)
        }
        next = outcome.number + 1
      }
      if next >= inputs { break }
      count(ended.status, &report)
      if ended.status != 71 {  // no memory, said in time
        let last = ended.errors.split(separator: "\n").first.map { ": \($0)" } ?? ""
        try add(next, death(ended.status) + last, stage, &report)
      }
      next += 1
    }
  }

  private func count(_ exitCode: Int32?, _ report: inout SweepReport) {
    report.inputs += 1
    if exitCode == nil { report.accepted += 1 } else { report.refused += 1 }
  }

  private func death(_ status: Int32) -> String {
    status == 128 + SIGALRM ? "over \(SweepReader.maxSeconds) s" : "exit status \(status)"
  }

  // MARK: Commands

  private static let allowed: Set<Int32> = [0, 64, 65, 66, 71, 73, 74, 75]

  private func command(_ number: Int, _ stage: Stage, _ report: inout SweepReport) throws {
    try stage.reset(kind)
    let file = kind.files[number % kind.files.count]
    try stage.replace("\(stage.work)/\(file)", by: stage.mutation(kind, seed, number).bytes)
    let command = kind.commands[number % kind.commands.count]
      .replacingOccurrences(of: "@", with: file)
    let ended = try shell(
      """
      cd '\(stage.work)' && rm -rf ../out ../out.png && ulimit -v \(SweepReader.maxBytes >> 10)
      exec timeout -k 1 \(SweepReader.maxSeconds) \(command)
      """, environment: ["SWIFT_BACKTRACE": "enable=no"])
    report.commands += 1
    guard !Self.allowed.contains(ended.status) else { return }
    let problem =
      ended.status == 124 || ended.status == 137
      ? "over \(SweepReader.maxSeconds) s" : "exit status \(ended.status)"
    try add(number, "\(problem): \(ended.errors.suffix(500))", stage, &report, command)
  }

  // MARK: Violations

  private func add(
    _ number: Int, _ problem: String, _ stage: Stage, _ report: inout SweepReport,
    _ command: String? = nil
  ) throws {
    let mutation = try stage.mutation(kind, seed, number)
    let file = kind.files[number % kind.files.count]
    let name = "\(kind.name) \(seed) \(number) \(URL(fileURLWithPath: file).lastPathComponent)"
      .replacingOccurrences(of: " ", with: "-").replacingOccurrences(of: "'", with: "")
    try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
    try Data(mutation.bytes).write(to: URL(fileURLWithPath: "\(kept)/\(name)"))
    report.violations.append(
      SweepReport.Violation(
        kind: kind.name, seed: seed, number: number, file: file, mutation: mutation.description,
        command: command, problem: problem, kept: "\(kept)/\(name)"))
  }
}
