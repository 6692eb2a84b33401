import Foundation
import TensorCore
import Testing
import Training

@Suite struct TrainingStateTests {
  @Test func stateSurvivesItsFile() throws {
    var state = TrainingState(seed: .max)
    _ = state.random.next()
    state.step = 12
    state.position = DataPosition(epoch: 3, row: 4)
    state.counters["best step"] = 8
    let data = try JSONEncoder().encode(state)
    var restored = try JSONDecoder().decode(TrainingState.self, from: data)
    #expect(restored == state)
    #expect(restored.random.next() == state.random.next())
  }
}
