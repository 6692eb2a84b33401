import Corpora

/// Which frames of a recording become states of samples.
struct FrameSelection: Equatable {
  /// Ranges of transitions whose frame numbers follow each other without a gap.
  let runs: [Range<Int>]
  /// Indices of the transitions that are kept, ascending.
  private(set) var kept: [Int]

  /// Keeps frames whose number is a multiple of `every`.
  init(_ transitions: [AtariTransition], every: Int) {
    var runs: [Range<Int>] = []
    var start = 0
    for index in transitions.indices.dropFirst()
    where transitions[index].frame != transitions[index - 1].frame + 1 {
      runs.append(start..<index)
      start = index
    }
    if !transitions.isEmpty { runs.append(start..<transitions.count) }
    self.runs = runs
    kept = transitions.indices.filter { transitions[$0].frame % every == 0 }
  }

  /// Leaves out what `isDuplicate` says of the positions in `kept`.
  mutating func drop(_ isDuplicate: [Bool]) {
    kept = zip(kept, isDuplicate).filter { !$0.1 }.map(\.0)
  }

  /// Samples of `stack` successive kept frames, none in two samples and none across a gap.
  ///
  /// States at the end of a run that do not fill a sample are left out.
  func samples(stack: Int, episode: Int) -> [AtariStates] {
    var samples: [AtariStates] = []
    var position = 0
    for run in runs {
      let first = position
      while position < kept.count, kept[position] < run.upperBound { position += 1 }
      let starts = Array(stride(from: first, through: position - stack, by: stack))
      for (index, start) in starts.enumerated() {
        let next = index + 1 < starts.count ? kept[starts[index + 1]] : run.upperBound
        samples.append(AtariStates(episode: episode, positions: start..<start + stack, end: next))
      }
    }
    return samples
  }
}
