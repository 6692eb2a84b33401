// What a pickle describes, as data that nothing is done with.

/// The position of a node in its pickle.
///
/// Nodes refer to each other by position instead of holding each other: a list may hold itself, a
/// million lists may be nested, and 2^40 equal parts may be named, all without recursion and
/// without a copy.
struct PickleReference: Hashable, Sendable {
  let position: Int
}

/// One value of a pickle.
enum PickleNode: Sendable {
  case none
  case bool(Bool)
  case integer(Int)
  /// An integer of more than 64 bits; no size is that large.
  case largeInteger
  case float(Double)
  case text(String)
  case tuple([PickleReference])
  case list([PickleReference])
  /// Keys may come twice; the last one counts.
  case dictionary([(key: PickleReference, value: PickleReference)])
  case set
  case global(PickleGlobal)
  /// What the pickle wants to be called, with what, and the state to be set on the result.
  case call(function: PickleReference, arguments: PickleReference, state: PickleReference?)
  /// Something that lies outside of the pickle: a storage.
  case persistent(PickleReference)

  /// What it is, for messages.
  var title: String {
    switch self {
    case .none: "None"
    case .bool: "a bool"
    case .integer, .largeInteger: "an integer"
    case .float: "a float"
    case .text: "a text"
    case .tuple: "a tuple"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .set: "a set"
    case .global(let global): "the class \(global)"
    case .call: "an object"
    case .persistent: "a storage"
    }
  }
}

/// A whole pickle.
struct Pickle: Sendable {
  let nodes: [PickleNode]
  let root: PickleReference
  /// Every global, in the order in which they first appear.
  let globals: [PickleGlobal]

  subscript(reference: PickleReference) -> PickleNode { nodes[reference.position] }

  /// The value under a text in a dictionary.
  func value(_ key: String, in dictionary: PickleReference) -> PickleReference? {
    guard case .dictionary(let items) = self[dictionary] else { return nil }
    return items.last { text($0.key) == key }?.value
  }

  func text(_ reference: PickleReference) -> String? {
    if case .text(let text) = self[reference] { text } else { nil }
  }

  /// Bytes of the longest name: many items may share one text, which is hashed for each of them.
  static let longestName = 512

  /// A text that is not too long to name something.
  func name(_ reference: PickleReference) -> String? {
    text(reference).flatMap { $0.utf8.count <= Self.longestName ? $0 : nil }
  }

  func integer(_ reference: PickleReference) -> Int? {
    if case .integer(let integer) = self[reference] { integer } else { nil }
  }

  func tuple(_ reference: PickleReference) -> [PickleReference]? {
    if case .tuple(let items) = self[reference] { items } else { nil }
  }

  func list(_ reference: PickleReference) -> [PickleReference]? {
    if case .list(let items) = self[reference] { items } else { nil }
  }

  func global(_ reference: PickleReference) -> PickleGlobal? {
    if case .global(let global) = self[reference] { global } else { nil }
  }
}
