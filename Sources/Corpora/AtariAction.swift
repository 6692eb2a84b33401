/// The 18 inputs of an Atari 2600 joystick, numbered as in the Arcade Learning Environment and in
/// the recordings.
package enum AtariAction: UInt8, CaseIterable, Sendable, CustomStringConvertible {
  case noop, fire, up, right, left, down
  case upRight, upLeft, downRight, downLeft
  case upFire, rightFire, leftFire, downFire
  case upRightFire, upLeftFire, downRightFire, downLeftFire

  /// The action of a name, in capitals or not; nil for none.
  package init?(named name: String) {
    let capitals = name.uppercased()
    guard let found = Self.allCases.first(where: { $0.description == capitals }) else { return nil }
    self = found
  }

  /// The name that ALE and the data set use, such as `UPRIGHTFIRE`.
  package var description: String {
    switch self {
    case .noop: "NOOP"
    case .fire: "FIRE"
    case .up: "UP"
    case .right: "RIGHT"
    case .left: "LEFT"
    case .down: "DOWN"
    case .upRight: "UPRIGHT"
    case .upLeft: "UPLEFT"
    case .downRight: "DOWNRIGHT"
    case .downLeft: "DOWNLEFT"
    case .upFire: "UPFIRE"
    case .rightFire: "RIGHTFIRE"
    case .leftFire: "LEFTFIRE"
    case .downFire: "DOWNFIRE"
    case .upRightFire: "UPRIGHTFIRE"
    case .upLeftFire: "UPLEFTFIRE"
    case .downRightFire: "DOWNRIGHTFIRE"
    case .downLeftFire: "DOWNLEFTFIRE"
    }
  }
}
