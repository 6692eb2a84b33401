import Foundation
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct TrainingStateTests {
  private func state() -> TrainingState {
    var state = TrainingState(seed: .max)
    _ = state.random.next()
    state.step = 12
    state.position = DataPosition(epoch: 3, row: 4)
    state.counters["best step"] = 8
    return state
  }

  @Test func stateSurvivesItsFile() throws {
    let folder = try TemporaryFolder()
    var state = state()
    try RunFolder.write(state, to: folder("state.json"))
    var restored = try RunFolder.decode(TrainingState.self, from: folder("state.json"))
    #expect(restored == state)
    #expect(restored.random.next() == state.random.next())
  }

  /// Each of them would count past the end of a list or of `Int`.
  @Test(arguments: [
    (#""step": it"#, #""step" : 12"#, "-1"),
    (#""step": it"#, #""step" : 12"#, "9223372036854775807"),
    (#""position": epoch"#, #""epoch" : 3"#, "9223372036854775807"),
    (#""position": row"#, #""row" : 4"#, "-4"),
    (#""counters": best step"#, #""best step" : 8"#, "-9223372036854775808"),
    (#""random": position"#, #""position" : 4"#, "18446744073709551615"),
  ])
  func numbersThatNoRunComesToAreNamed(key: String, entry: String, number: String) throws {
    let folder = try TemporaryFolder()
    try RunFolder.write(state(), to: folder("state.json"))
    let json = try String(contentsOfFile: folder("state.json"), encoding: .utf8)
    #expect(json.contains(entry), "\(json)")
    let changed = entry.prefix { $0 != ":" } + ": " + number
    try json.replacingOccurrences(of: entry, with: changed)
      .write(toFile: folder("state.json"), atomically: false, encoding: .utf8)
    let error = #expect(throws: RunError.self) {
      try RunFolder.decode(TrainingState.self, from: folder("state.json"))
    }
    #expect(error?.description.hasPrefix("\(folder("state.json")): \(key) is ") == true, "\(json)")
  }
}
