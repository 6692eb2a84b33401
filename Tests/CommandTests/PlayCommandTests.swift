import Foundation
import Shards
import TestSupport
import Testing

@Suite("play as a command")
struct PlayCommandTests {
  /// A world `run` that was trained for one step, and functions for its page.
  private struct Stage {
    let stage: WorldCommandTests.Stage
    var folder: TemporaryFolder { stage.folder }

    init() throws {
      stage = try WorldCommandTests.Stage()
      let made = try shell("\(WorldCommandTests.train) --out run --steps 1 > made", in: folder)
      #expect(made.status == 0, "\(made.errors)")
    }

    /// Waits for the address of a game whose stdout is `out`.
    static let address = """
      address() { for i in $(seq 600); do [ -s out ] && break; sleep 0.05; done; head -n 1 out; }
      code() { curl -s -o /dev/null -w '%{http_code}\\n' "$@"; }

      """
  }

  @Test func thePageIsServedUntilASignal() throws {
    let place = try Stage()
    let outcome = try shell(
      Stage.address + """
        play --world run --port 0 > out 2> errors & pid=$!
        page=$(address); curl -s "$page" | grep -c '<canvas'
        code "${page%?}x"; code -H 'Host: evil.example' "$page"; code -X POST "$page"
        port=${page#http://127.0.0.1:}; port=${port%%/*}
        play --world run --port $port --quiet > other; echo $?; wc -c < other
        kill -TERM $pid; wait $pid; echo $?; tail -n 1 errors; code "$page"
        """, in: place.folder)
    #expect(
      outcome.output == """
        1
        403
        403
        405
        75
        0
        143
        stopped by SIGTERM; finished files stay
        000

        """, "\(outcome)")
    #expect(outcome.errors.contains("is in use; name another with --port"), "\(outcome.errors)")
  }

  @Test func theAddressIsAnObjectToo() throws {
    let place = try Stage()
    let outcome = try shell(
      Stage.address + """
        play --world run --from-codes games.h5 --images images.h5 --port 0 --json --quiet > out &
        pid=$!; address; kill -TERM $pid; wait $pid; echo $?
        """, in: place.folder)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.last == "143", "\(outcome)")
    let line = try #require(lines.first)
    let address = try #require(try jsonObject(line)["address"] as? String)
    #expect(address.contains("http://127.0.0.1:") && address.contains("/?token="))
  }

  /// A run that is still training is played as its last checkpoint is.
  @Test func aTrainingIsPlayedWhileItGoesOn() throws {
    let place = try Stage()
    let outcome = try shell(
      Stage.address + """
        \(WorldCommandTests.train) --out long --steps 1000000 --checkpoint-every 20 > made &
        training=$!
        for i in $(seq 600); do [ -e long/checkpoints/step-000020 ] && break; sleep 0.05; done
        play --world long --port 0 --quiet > out & pid=$!
        code "$(address)"; kill -TERM $pid $training; wait $pid; echo $?; wait
        """, in: place.folder)
    #expect(outcome.output == "200\n143\n", "\(outcome)")
  }

  @Test func aTerminalIsPlayedIn() throws {
    let place = try Stage()
    let outcome = try shell(
      """
      mkfifo keys
      script -qefc 'play --world run --terminal --out takes --quiet' /dev/null < keys > screen &
      pid=$!; exec 3> keys
      for i in $(seq 600); do grep -q 1049h screen && break; sleep 0.05; done
      printf 'pmr..\\033[C.' >&3; sleep 0.5; printf q >&3; wait $pid; echo $?; ls takes
      """, in: place.folder)
    #expect(outcome.output == "0\ntake-0000.h5\ntake-0000.png\n", "\(outcome)")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: place.folder("screen")))
    let screen = String(decoding: bytes, as: UTF8.self)
    #expect(screen.contains("▀") && screen.contains("paused"))
    let after = try #require(screen.components(separatedBy: "\u{1B}[?1049l").last)
    #expect(after.contains("takes/take-0000.png"), "told when the screen is that of before")
    let shards = try CodeShardSet([place.folder("takes/take-0000.h5")])
    #expect(try shards.labels("action").integers == [2, 3], "of the recording")
  }

  @Test(
    "Mistakes lead to their exit codes and an empty standard output",
    arguments: [
      ("play --world run --from-codes train.h5", 65, "no column action"),
      ("play --world run --from-codes other.h5", 65, "vqgan_fingerprint"),
      ("play --world run --from-codes nowhere.h5", 66, "nowhere.h5"),
      ("play --world run --vqgan nowhere", 66, "nowhere"),
      ("play --world vqgan", 65, "model.json"),
      ("play --world nowhere", 66, "nowhere"),
      ("play --world empty", 66, "empty"),
      ("play --world run/checkpoints/step-000001", 64, "Missing --from-codes"),
      ("play --world run --terminal", 64, "needs a terminal"),
      ("play --world run --fps 0", 64, "--fps"),
      ("play --world run --starts 0", 64, "--starts"),
      ("play --world run --temperature 0", 64, "--temperature"),
      ("play --world run --port 70000", 64, "--port"),
      ("play --world run --out made", 73, "made"),
    ] as [(String, Int32, String)])
  func mistakesAreNamed(command: String, status: Int32, words: String) throws {
    let place = try Stage()
    let outcome = try shell(
      "cp -r run empty; rm -r empty/checkpoints; \(command) --quiet", in: place.folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output == "")
  }
}
