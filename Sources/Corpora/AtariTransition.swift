/// One row of a trajectory: what the player did in front of one image, and what came of it.
package struct AtariTransition: Equatable, Sendable {
  /// The row's own number, counted from 0.
  package var frame: Int
  package var action: AtariAction
  /// Points won by this action.
  package var reward: Int
  /// Points of the whole game so far, as recorded; the running sum of rewards where the file says
  /// `null`.
  package var score: Int
  /// Whether the game ended here.
  package var terminal: Bool

  package init(frame: Int, action: AtariAction, reward: Int, score: Int, terminal: Bool) {
    self.frame = frame
    self.action = action
    self.reward = reward
    self.score = score
    self.terminal = terminal
  }
}
