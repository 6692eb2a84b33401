// Signals of real trainings and samplings: they stop, they save, and they change no byte.
import DurableFiles
import Foundation
import TestSupport
import Testing
import Training

/// A command that is running.
private final class Running {
  let process = Process()
  private let errorsPath: String

  init(_ name: String, _ arguments: String, in folder: TemporaryFolder) throws {
    errorsPath = folder("errors-\(UUID().uuidString)")
    _ = FileManager.default.createFile(atPath: errorsPath, contents: nil)
    process.executableURL = URL(fileURLWithPath: "\(builtCommands)/\(name)")
    process.arguments = arguments.split(separator: " ").map(String.init)
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorsPath))
    try process.run()
  }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Sends a signal again and again until the process ends, each when it has taken the one before:
  /// two that wait are one to it.
  ///
  /// - Parameter pause: microseconds between two.
  /// - Returns: how many it has taken.
  func disturb(with signal: Int32, pause: UInt32) -> Int {
    var taken = 0
    while process.isRunning {
      send(signal)
      while process.isRunning, isWaiting(signal) { usleep(20) }
      if process.isRunning { taken += 1 }
      usleep(pause)
    }
    return taken
  }

  /// Whether a signal to the process has not been taken yet.
  private func isWaiting(_ signal: Int32) -> Bool {
    let path = "/proc/\(process.processIdentifier)/status"
    guard let status = try? String(contentsOfFile: path, encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("ShdPnd:") }),
      let set = UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
    else { return false }
    return set & 1 << UInt64(signal - 1) != 0
  }

  /// Waits until something holds; the process may end before.
  func wait(until condition: () throws -> Bool) throws {
    for _ in 0..<6000 where process.isRunning {
      if try condition() { return }
      usleep(10_000)
    }
  }

  /// The exit status as a shell tells it.
  func end() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
  }

  func errors() throws -> String { try String(contentsOfFile: errorsPath, encoding: .utf8) }

  /// The signals that each thread blocks.
  func masks() throws -> [UInt64] {
    let tasks = "/proc/\(process.processIdentifier)/task"
    return try FileManager.default.contentsOfDirectory(atPath: tasks).compactMap { task in
      let status = try? String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
      return status?.split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
        .flatMap { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) }
    }
  }
}

@Suite("Signals of trainings and samplings")
struct SignalTests {
  /// Two layers, 64 wide, one thread: the run that signals used to crash in a handler's frame.
  private static let small =
    "train-gpt train.h5 --out run --layers 2 --heads 2 --width 64 --batch-size 8 --log-every 1 "
    + "--schedule constant --warmup 0 --threads 1"

  /// Rows of metrics.csv.
  private static func rows(_ run: String) -> Int {
    let text = try? String(contentsOfFile: "\(run)/metrics.csv", encoding: .utf8)
    return (text?.split(separator: "\n").count ?? 1) - 1
  }

  private static func checkpoint(_ run: String) throws -> [String: [UInt8]] {
    try RunFolder(run).lastCheckpointFiles()
  }

  private func start(_ command: String, in folder: TemporaryFolder) throws -> Running {
    let parts = command.split(separator: " ", maxSplits: 1).map(String.init)
    return try Running(parts[0], parts[1], in: folder)
  }

  /// Only the thread that waits for signals can get one.
  @Test(arguments: ["train-gpt", "sample-gpt"])
  func noThreadThatComputesCanGetASignal(command: String) throws {
    let stage = try GPTCommandTests.Stage()
    let run = stage.folder("run")
    let begun = try shell("\(Self.small) --steps 1 --quiet", in: stage.folder)
    #expect(begun.status == 0, "\(begun.errors)")
    let running = try start(
      command == "train-gpt"
        ? "train-gpt --out run --resume --steps 1000000 --threads 3 --checkpoint-every 1000000"
        : "sample-gpt --gpt run --count 100000 --batch-size 4 --threads 3 --out images",
      in: stage.folder)
    try running.wait {
      command == "train-gpt"
        ? Self.rows(run) > 2 : DurableFile.exists(stage.folder("images/sample-00000.png"))
    }
    let masks = try running.masks()
    running.send(SIGTERM)
    #expect(running.end() == 128 + SIGTERM)
    let ours: UInt64 = [SIGHUP, SIGINT, SIGUSR1, SIGTERM].reduce(0) { $0 | 1 << UInt64($1 - 1) }
    #expect(masks.count >= 4, "\(masks.count) threads")
    #expect(masks.count { $0 & ours != ours } == 1, "\(masks.map { String($0, radix: 16) })")
  }

  /// A run takes as many as it does: there are as many runs as a thousand need.
  private static let wanted = (signals: 1000, runs: 100)

  @Test func thousandsOfSignalsChangeNoByteOfATraining() throws {
    let stage = try GPTCommandTests.Stage()
    func train(_ run: String) -> String {
      "\(Self.small) --steps 80 --quiet".replacingOccurrences(of: "--out run", with: "--out \(run)")
    }
    let undisturbed = try shell(train("whole"), in: stage.folder)
    #expect(undisturbed.status == 0, "\(undisturbed.errors)")
    var taken = 0
    for number in 0..<Self.wanted.runs where taken < Self.wanted.signals {
      let run = stage.folder("run-\(number)")
      let running = try start(train("run-\(number)"), in: stage.folder)
      try running.wait { Self.rows(run) > 0 }
      taken += running.disturb(with: SIGUSR1, pause: 100)
      #expect(running.end() == 0)
      #expect(try running.errors() == "")
      #expect(try Self.checkpoint(run) == Self.checkpoint(stage.folder("whole")))
    }
    #expect(taken >= Self.wanted.signals)
  }

  @Test func thousandsOfSignalsChangeNoByteOfASampling() throws {
    let stage = try GPTCommandTests.Stage()
    let sample = "sample-gpt --gpt run --count 400 --batch-size 4 --threads 1 --quiet"
    let undisturbed = try shell(
      "\(Self.small) --steps 1 --quiet && \(sample) --out images --codes-out whole.h5",
      in: stage.folder)
    #expect(undisturbed.status == 0, "\(undisturbed.errors)")
    var taken = 0
    for number in 0..<Self.wanted.runs where taken < Self.wanted.signals {
      let running = try start(
        "\(sample) --out others-\(number) --codes-out \(number).h5", in: stage.folder)
      try running.wait {
        DurableFile.exists(stage.folder("others-\(number)/sample-00000.png"))
      }
      taken += running.disturb(with: SIGUSR1, pause: 50)
      #expect(running.end() == 0)
      #expect(try running.errors() == "")
      #expect(
        try DurableFile.read(stage.folder("\(number).h5"))
          == DurableFile.read(stage.folder("whole.h5")))
    }
    #expect(taken >= Self.wanted.signals)
  }

  /// Ten stops, each within a step and with a checkpoint; the end is that of a run never stopped.
  @Test func aRunStoppedTenTimesEqualsOneThatWasNot() throws {
    let stage = try GPTCommandTests.Stage()
    let run = stage.folder("run")
    for round in 0..<10 {
      let signal = round % 2 == 0 ? SIGINT : SIGTERM
      let before = Self.rows(run)
      let running = try start(
        round == 0
          ? "\(Self.small) --steps 1000000"
          : "train-gpt --out run --resume --steps 1000000 --threads 1", in: stage.folder)
      try running.wait { Self.rows(run) > before + 1 }
      running.send(signal)
      #expect(running.end() == 128 + signal)
      let line = try running.errors().split(separator: "\n").last ?? ""
      let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
      #expect(
        line == "stopped by \(name); the checkpoint of step \(Self.rows(run)) is saved, "
          + "and --resume goes on from it")
    }
    let steps = Self.rows(run) + 1
    let ends = try shell(
      """
      train-gpt --out run --resume --steps \(steps) --quiet &&
      \(Self.small.replacingOccurrences(of: "--out run", with: "--out whole")) --steps \(steps) \
        --quiet
      """, in: stage.folder)
    #expect(ends.status == 0, "\(ends.errors)")
    #expect(try Self.checkpoint(run) == Self.checkpoint(stage.folder("whole")))
  }

  @Test func sigusr1SavesAndTheRunGoesOn() throws {
    let stage = try GPTCommandTests.Stage()
    let running = try start(
      "\(Self.small) --steps 1000000 --checkpoint-every 1000000", in: stage.folder)
    try running.wait { Self.rows(stage.folder("run")) > 1 }
    running.send(SIGUSR1)
    try running.wait { !RunFolder(stage.folder("run")).steps().isEmpty }
    #expect(running.process.isRunning)
    #expect(try running.errors().contains("SIGUSR1: the checkpoint of this step is saved"))
    running.send(SIGINT)
    #expect(running.end() == 128 + SIGINT)
    #expect(RunFolder(stage.folder("run")).steps().count == 2)
  }

  /// SIGKILL a dozen times, wherever the run is, also before its first checkpoint.
  @Test(arguments: [
    (
      "train-gpt", 240, 200,
      "\(small) --ema 0.9 --clip 0.5 --pkeep 0.9 --validation held-out.h5 --validate-every 3"
    ),
    (
      "train-vqgan", 60, 700,
      "train-vqgan images.h5 --out run --preset tiny --batch-size 2 --accumulate 2 --ema 0.9 "
        + "--crop 16 --flip --clip 1 --log-every 1 --threads 1 --validation images.h5 "
        + "--disc-start 9 --set model.dropout=0.1 --set model.quantizer.initialization=k_means "
        + "--set model.quantizer.revive_after=4"
    ),
  ])
  func aRunKilledAtAnyMomentEqualsOneThatWasNot(
    command: String, steps: Int, milliseconds: Int, options: String
  ) throws {
    let stage = try GPTCommandTests.Stage()
    try imageShard(stage.folder("images.h5"), rows: 7, height: 20, width: 20) { row in
      (0..<1200).map { UInt8(($0 * (row + 3)) % 256) }
    }
    let train = "\(options) --checkpoint-every 2 --quiet --steps \(steps)"
    let outcome = try shell(
      """
      \(train.replacingOccurrences(of: "--out run", with: "--out whole")) || exit 1
      killed=0; moment=0
      while [ $killed -lt 12 ] && [ $moment -lt 60 ]; do
        moment=$((moment + 1))
        command="\(command) --out run --resume --quiet"
        [ -e run/config.json ] || command="\(train)"
        status=0
        timeout --foreground -s KILL "0.$((100 + moment * 53 % \(milliseconds)))" $command \
          > lines || status=$?
        [ $status = 0 ] && break
        killed=$((killed + 1))
      done
      \(command) --out run --resume --quiet > lines || exit 2
      echo $killed
      """, in: stage.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(Int(outcome.output.split(separator: "\n").last ?? "") ?? 0 >= 3, "\(outcome.output)")
    let (run, whole) = (RunFolder(stage.folder("run")), RunFolder(stage.folder("whole")))
    #expect(try run.lastCheckpointFiles() == whole.lastCheckpointFiles())
    let rows = try whole.untimedMetrics()
    #expect(try run.untimedMetrics() == rows)
    #expect(Set(rows.map { $0[0] }).count == steps + 1)
  }
}
