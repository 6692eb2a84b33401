// What a player holds down, and the action of the game that it is.
import Corpora

/// Keys of the joystick that are down.
package struct PlayKeys: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let up = PlayKeys(rawValue: 1)
  package static let down = PlayKeys(rawValue: 2)
  package static let left = PlayKeys(rawValue: 4)
  package static let right = PlayKeys(rawValue: 8)
  package static let fire = PlayKeys(rawValue: 16)

  /// The order in which an action names them.
  private static let names: KeyValuePairs<String, PlayKeys> = [
    "up": .up, "down": .down, "left": .left, "right": .right, "fire": .fire,
  ]

  /// Those of some names, `up`, `down`, `left`, `right`, `fire`; other names are left aside.
  package init(named names: some Sequence<some StringProtocol>) {
    self = names.reduce(into: []) { keys, name in
      if let key = Self.names.first(where: { $0.key == name }) { keys.formUnion(key.value) }
    }
  }

  package var names: [String] { Self.names.filter { contains($0.value) }.map(\.key) }

  /// The number that the Arcade Learning Environment gives to what is held; opposite directions
  /// cancel each other.
  ///
  /// - Parameter count: actions of the model; one that it does not know is no action.
  package func action(of count: Int) -> Int32 {
    var keys = self
    for pair in [[.up, .down], [.left, .right]] as [PlayKeys] where contains(pair) {
      keys.subtract(pair)
    }
    let action = AtariAction(named: keys.names.joined()) ?? .noop
    return Int(action.rawValue) < count ? Int32(action.rawValue) : 0
  }
}
