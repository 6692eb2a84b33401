// Reading pickles of protocol 2 without running them.

/// Builds the values that a pickle describes; what it wants to be called is written down, not
/// called.
///
/// It knows the opcodes that torch.save writes and, for files of Python 2, BINSTRING; every other
/// one is an error.
/// - Source: CPython's `pickletools`, for what each opcode does to stack and memo.
struct Unpickler {
  private(set) var input: PickleInput
  private var nodes: [PickleNode] = []
  private var stack: [PickleReference] = []
  private var marks: [Int] = []  // heights of the stack
  private var memo: [Int: PickleReference] = [:]
  private var globals: [PickleGlobal] = []
  private var globalPositions: [PickleGlobal: PickleReference] = [:]
  /// Pairs that ordered dictionaries took from lists, of which many may take the same one.
  private var takenPairs = 0

  /// More values than any checkpoint has; they take at most about 1 GiB.
  private static let maxNodes = 1 << 23

  init(_ input: PickleInput) { self.input = input }

  /// Reads up to the opcode STOP.
  mutating func load() throws(PyTorchFileError) -> Pickle {
    while true {
      let opcode = try input.byte()
      if opcode == UInt8(ascii: ".") { break }
      try perform(opcode)
    }
    let root = try pop()
    return Pickle(nodes: nodes, root: root, globals: globals)
  }

  private mutating func perform(_ opcode: UInt8) throws(PyTorchFileError) {
    switch opcode {
    case 0x80:  // PROTO
      let version = try input.byte()
      guard version <= 3 else {
        throw input.problem(
          "protocol \(version); save the file again with torch.save, which writes protocol 2")
      }
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.bool(true))
    case 0x89: try push(.bool(false))
    case UInt8(ascii: "K"): try push(.integer(try input.number(1)))
    case UInt8(ascii: "M"): try push(.integer(try input.number(2)))
    case UInt8(ascii: "J"):
      try push(.integer(Int(Int32(truncatingIfNeeded: try input.number(4)))))
    case 0x8a: try push(Self.integer(try input.bytes(try input.number(1))))
    case UInt8(ascii: "G"):  // the one big-endian number
      let bits = try input.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      try push(.float(Double(bitPattern: bits)))
    case UInt8(ascii: "X"), UInt8(ascii: "T"): try pushText(try input.number(4))
    case UInt8(ascii: "U"): try pushText(try input.number(1))
    case UInt8(ascii: ")"): try push(.tuple([]))
    case UInt8(ascii: "]"): try push(.list([]))
    case UInt8(ascii: "}"): try push(.dictionary([]))
    case 0x8f: try push(.set)
    case UInt8(ascii: "t"): try push(.tuple(try popToMark()))
    case 0x85, 0x86, 0x87:
      var items: [PickleReference] = []
      for _ in 0x84..<opcode { items.append(try pop()) }
      try push(.tuple(items.reversed()))
    case UInt8(ascii: "a"): try append([try pop()])
    case UInt8(ascii: "e"): try append(try popToMark())
    case UInt8(ascii: "s"):
      let value = try pop()
      try setItems([try pop(), value])
    case UInt8(ascii: "u"): try setItems(try popToMark())
    case UInt8(ascii: "c"):
      let module = try input.line()
      try pushGlobal(PickleGlobal(module, try input.line()))
    case UInt8(ascii: "R"), 0x81:  // REDUCE, NEWOBJ
      let arguments = try pop()
      try call(try pop(), arguments)
    case UInt8(ascii: "b"):
      let state = try pop()
      try build(state)
    case UInt8(ascii: "Q"): try push(.persistent(try pop()))
    case UInt8(ascii: "h"): try recall(try input.number(1))
    case UInt8(ascii: "j"): try recall(try input.number(4))
    case UInt8(ascii: "q"): memo[try input.number(1)] = try top()
    case UInt8(ascii: "r"): memo[try input.number(4)] = try top()
    default:
      let code = String(opcode, radix: 16)
      let text = opcode > 0x20 && opcode < 0x7f ? " '\(UnicodeScalar(opcode))'" : ""
      throw input.problem("opcode 0x\(code)\(text), which torch.save does not write")
    }
  }

  // MARK: The stack

  private mutating func push(_ node: PickleNode) throws(PyTorchFileError) {
    guard nodes.count < Self.maxNodes else {
      throw input.problem("more than \(Self.maxNodes) values")
    }
    stack.append(PickleReference(position: nodes.count))
    nodes.append(node)
  }

  private mutating func pop() throws(PyTorchFileError) -> PickleReference {
    let top = try top()
    stack.removeLast()
    return top
  }

  private func top() throws(PyTorchFileError) -> PickleReference {
    guard stack.count > marks.last ?? 0, let top = stack.last else {
      throw input.problem("takes a value from an empty stack")
    }
    return top
  }

  private mutating func popToMark() throws(PyTorchFileError) -> [PickleReference] {
    guard let mark = marks.popLast() else { throw input.problem("no mark on the stack") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private mutating func recall(_ key: Int) throws(PyTorchFileError) {
    guard let reference = memo[key] else {
      throw input.problem("memo \(key) was never set")
    }
    stack.append(reference)
  }

  // MARK: Values

  /// A little-endian number in two's complement.
  private static func integer(_ bytes: ArraySlice<UInt8>) -> PickleNode {
    let sign: UInt8 = bytes.last.map { $0 & 0x80 != 0 ? 0xff : 0 } ?? 0
    guard bytes.dropFirst(8).allSatisfy({ $0 == sign }) else { return .largeInteger }
    var bits: UInt64 = sign == 0 ? 0 : .max
    for (index, byte) in bytes.prefix(8).enumerated() {
      bits = bits & ~(0xff << (index * 8)) | UInt64(byte) << (index * 8)
    }
    let value = Int(Int64(bitPattern: bits))
    return (value < 0) == (sign != 0) ? .integer(value) : .largeInteger
  }

  private mutating func pushText(_ length: Int) throws(PyTorchFileError) {
    try push(.text(String(decoding: try input.bytes(length), as: UTF8.self)))
  }

  private mutating func pushGlobal(_ global: PickleGlobal) throws(PyTorchFileError) {
    if let known = globalPositions[global] {
      stack.append(known)
      return
    }
    try push(.global(global))
    globals.append(global)
    UnsafeNames.report(global, in: input.file.path)
    globalPositions[global] = stack.last
  }

  /// Adds to the list on top; other things that are filled like lists stay as they are.
  private mutating func append(_ items: [PickleReference]) throws(PyTorchFileError) {
    let position = try top().position
    switch nodes[position] {
    case .list(var list):
      nodes[position] = .none  // the only reference, so that the list grows in place
      list += items
      nodes[position] = .list(list)
    case .call: return
    default: throw input.problem("appends to \(nodes[position].title)")
    }
  }

  /// Adds keys and values, which alternate, to the dictionary on top.
  private mutating func setItems(_ items: [PickleReference]) throws(PyTorchFileError) {
    guard items.count % 2 == 0 else { throw input.problem("a key without a value") }
    let position = try top().position
    switch nodes[position] {
    case .dictionary(var dictionary):
      nodes[position] = .none
      for index in stride(from: 0, to: items.count, by: 2) {
        dictionary.append((items[index], items[index + 1]))
      }
      nodes[position] = .dictionary(dictionary)
    case .call: return
    default: throw input.problem("sets items of \(nodes[position].title)")
    }
  }

  /// Writes down a call; that of an ordered dictionary is the dictionary.
  private mutating func call(
    _ function: PickleReference, _ arguments: PickleReference
  ) throws(PyTorchFileError) {
    guard case .tuple(let items) = nodes[arguments.position] else {
      throw input.problem("calls with \(nodes[arguments.position].title) instead of a tuple")
    }
    guard case .global(PickleGlobal("collections", "OrderedDict")) = nodes[function.position] else {
      return try push(.call(function: function, arguments: arguments, state: nil))
    }
    let pairs = pairs(items)
    takenPairs += pairs.count
    guard takenPairs <= Self.maxNodes else {
      throw input.problem("more than \(Self.maxNodes) pairs in ordered dictionaries")
    }
    try push(.dictionary(pairs))
  }

  /// The pairs of `OrderedDict([[key, value], …])`, as Python 2 pickles it.
  private func pairs(
    _ arguments: [PickleReference]
  ) -> [(key: PickleReference, value: PickleReference)] {
    guard let first = arguments.first, case .list(let pairs) = nodes[first.position] else {
      return []
    }
    return pairs.compactMap { pair in
      switch nodes[pair.position] {
      case .list(let items) where items.count == 2, .tuple(let items) where items.count == 2:
        (items[0], items[1])
      default: nil
      }
    }
  }

  /// Sets the state of the object on top; that of a dictionary (`_metadata`) is of no use here.
  private mutating func build(_ state: PickleReference) throws(PyTorchFileError) {
    let position = try top().position
    switch nodes[position] {
    case .call(let function, let arguments, _):
      nodes[position] = .call(function: function, arguments: arguments, state: state)
    case .dictionary, .list, .set, .global, .persistent: return
    default: throw input.problem("sets the state of \(nodes[position].title)")
    }
  }
}
