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

  @Test func theSecondSignalEndsItAtOnce() throws {
    let probe = try Probe(work: "hang")
    kill(probe.process.processIdentifier, SIGINT)
    usleep(50_000)
    #expect(probe.process.isRunning)
    let clock = ContinuousClock()
    let seconds = clock.measure {
      kill(probe.process.processIdentifier, SIGTERM)
      probe.process.waitUntilExit()
    }
    #expect(probe.process.terminationReason == .uncaughtSignal)
    #expect(probe.process.terminationStatus == SIGTERM)
    #expect(seconds < .seconds(2), "measured with other tests running beside it")
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

    init(work: String) throws {
      process.executableURL = URL(fileURLWithPath: "\(builtCommands)/command-probe")
      process.arguments = ["--work", work]
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
