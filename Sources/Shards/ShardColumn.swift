/// The values of one column of a shard, one per row: a label such as an action, a reward or a
/// frame's number.
package enum ShardColumn: Equatable, Sendable {
  case uint8([UInt8])
  case uint16([UInt16])
  case uint32([UInt32])
  case int32([Int32])
  case int64([Int64])
  case float32([Float])
  case bool([Bool])
  case string([String])

  /// Rows of the column.
  package var count: Int {
    switch self {
    case .uint8(let values): values.count
    case .uint16(let values): values.count
    case .uint32(let values): values.count
    case .int32(let values): values.count
    case .int64(let values): values.count
    case .float32(let values): values.count
    case .bool(let values): values.count
    case .string(let values): values.count
    }
  }

  package var type: ShardColumnType {
    switch self {
    case .uint8: .uint8
    case .uint16: .uint16
    case .uint32: .uint32
    case .int32: .int32
    case .int64: .int64
    case .float32: .float32
    case .bool: .bool
    case .string: .string
    }
  }

  /// The value of one row as people write it.
  package func text(ofRow row: Int) -> String {
    switch self {
    case .uint8(let values): "\(values[row])"
    case .uint16(let values): "\(values[row])"
    case .uint32(let values): "\(values[row])"
    case .int32(let values): "\(values[row])"
    case .int64(let values): "\(values[row])"
    case .float32(let values): "\(values[row])"
    case .bool(let values): "\(values[row])"
    case .string(let values): values[row]
    }
  }

  /// The integers of the column, false as 0 and true as 1; nil for fractions and text.
  package var integers: [Int]? {
    switch self {
    case .uint8(let values): values.map(Int.init)
    case .uint16(let values): values.map(Int.init)
    case .uint32(let values): values.map(Int.init)
    case .int32(let values): values.map(Int.init)
    case .int64(let values): values.map(Int.init)
    case .bool(let values): values.map { $0 ? 1 : 0 }
    case .float32, .string: nil
    }
  }

  /// Adds the rows of `other`, a column of the same type.
  package mutating func append(_ other: ShardColumn) {
    switch (self, other) {
    case (.uint8(let mine), .uint8(let more)): self = .uint8(mine + more)
    case (.uint16(let mine), .uint16(let more)): self = .uint16(mine + more)
    case (.uint32(let mine), .uint32(let more)): self = .uint32(mine + more)
    case (.int32(let mine), .int32(let more)): self = .int32(mine + more)
    case (.int64(let mine), .int64(let more)): self = .int64(mine + more)
    case (.float32(let mine), .float32(let more)): self = .float32(mine + more)
    case (.bool(let mine), .bool(let more)): self = .bool(mine + more)
    case (.string(let mine), .string(let more)): self = .string(mine + more)
    default: preconditionFailure("a column of \(type) cannot take rows of \(other.type)")
    }
  }
}

/// The element types that a column can have.
package enum ShardColumnType: String, Sendable, CaseIterable {
  case uint8, uint16, uint32, int32, int64, float32, bool, string

  /// Bytes of one value in memory; a string counts as its pointer.
  var bytes: Int {
    switch self {
    case .uint8, .bool: 1
    case .uint16: 2
    case .uint32, .int32, .float32: 4
    case .int64, .string: 8
    }
  }
}
