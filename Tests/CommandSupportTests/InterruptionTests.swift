import Foundation
import TestSupport
import Testing

struct InterruptionTests {
  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func theFirstSignalSavesThenTheProcessDiesOfIt(signal: Int32) throws {
    let probe = try Probe(work: "loop")
    kill(probe.process.processIdentifier, signal)
    probe.process.waitUntilExit()
    #expect(probe.process.terminationReason == .uncaughtSignal)
    #expect(probe.process.terminationStatus == signal)
    #expect(probe.rest() == "saved\n")
  }

  @Test(arguments: [(SIGINT, SIGTERM), (SIGINT, SIGINT), (SIGTERM, SIGHUP)])
  func theSecondSignalEndsItAtOnce(first: Int32, second: Int32) throws {
    let probe = try Probe(work: "hang")
    kill(probe.process.processIdentifier, first)
    usleep(50_000)
    #expect(probe.process.isRunning)
    let clock = ContinuousClock()
    let seconds = clock.measure {
      kill(probe.process.processIdentifier, second)
      probe.process.waitUntilExit()
    }
    #expect(probe.process.terminationReason == .uncaughtSignal)
    #expect(probe.process.terminationStatus == second)
    #expect(seconds < .seconds(2), "measured with other tests running beside it")
  }

  @Test func sigusr1AsksToSaveAndEndsNothing() throws {
    let probe = try Probe(work: "save")
    for _ in 0..<2 {
      kill(probe.process.processIdentifier, SIGUSR1)
      usleep(300_000)
    }
    kill(probe.process.processIdentifier, SIGTERM)
    probe.process.waitUntilExit()
    #expect(probe.process.terminationStatus == SIGTERM)
    #expect(probe.rest() == "asked to save\nasked to save\nsaved\n")
  }

  /// Without a backtrace, also where the runtime is told to write one.
  @Test func sigquitEndsItAtOnce() throws {
    let probe = try Probe(
      work: "hang", environment: ["SWIFT_BACKTRACE": "enable=yes,color=no,interactive=no"])
    kill(probe.process.processIdentifier, SIGQUIT)
    probe.process.waitUntilExit()
    #expect(probe.process.terminationReason == .uncaughtSignal)
    #expect(probe.process.terminationStatus == SIGQUIT)
  }

  @Test func aSignalIgnoredByTheCallerStaysIgnored() throws {
    let outcome = try shell(
      """
      trap '' HUP
      command-probe --work loop > out & pid=$!
      until grep -q ready out; do sleep 0.01; done
      kill -HUP $pid; sleep 0.1; kill -TERM $pid; wait $pid
      """, in: try TemporaryFolder())
    #expect(outcome.status == 128 + SIGTERM)
  }

  @Test func waitingForInputEndsAtTheFirstSignal() throws {
    let outcome = try shell("sleep 5 | timeout --preserve-status -s TERM 0.3 command-probe")
    #expect(outcome.status == 128 + SIGTERM)
  }

  /// A probe that has said that it is ready.
  private struct Probe {
    let process = Process()
    private let pipe = Pipe()

    init(work: String, environment: [String: String] = [:]) throws {
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", "ulimit -c 0; exec \(builtCommands)/command-probe --work \(work)"]
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      process.standardOutput = pipe
      try process.run()
      let ready = try pipe.fileHandleForReading.read(upToCount: 6)
      #expect(ready == Data("ready\n".utf8))
    }

    func rest() -> String {
      String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
  }
}
