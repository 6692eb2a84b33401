import CChunkCodec
import Synchronization

/// How the images of a shard are packed.
package enum ShardCompression: Equatable, Sendable {
  /// As they are: the fastest to read.
  case none
  /// The gzip filter at a level from 1 to 12; levels past the strongest of the library in use mean
  /// the strongest.
  case level(Int)
  /// `level(4)` when the first rows shrink below 70 % of their size, else `none`.
  case auto

  /// The level that `auto` uses: where stronger ones cost much time and gain little.
  static let automaticLevel = 4
  /// Rows that `auto` looks at, and the fraction of their size below which they are worth
  /// compressing.
  static let sampleRows = 16
  static let worthwhileFraction = 0.7

  /// Reads "auto", "none" or a level.
  package init?(_ text: String) {
    switch text {
    case "none": self = .none
    case "auto": self = .auto
    default:
      guard let level = Int(text), (1...12).contains(level) else { return nil }
      self = .level(level)
    }
  }

  /// The level that rows are compressed with while it is open whether they are stored so.
  var level: Int? {
    switch self {
    case .none: nil
    case .level(let level): level
    case .auto: Self.automaticLevel
    }
  }
}

extension ShardCompression: CustomStringConvertible {
  package var description: String {
    switch self {
    case .none: "none"
    case .level(let level): "\(level)"
    case .auto: "auto"
    }
  }
}

/// Compressors of one level, as many as there are threads that use them at once.
final class ChunkDeflater: Sendable {
  private let level: Int32
  private let idle = Mutex<[Compressor]>([])

  init(level: Int) {
    self.level = Int32(level)
  }

  /// The bytes in the zlib format, or nil when they would not become fewer.
  func deflated(_ bytes: [UInt8]) -> [UInt8]? {
    let compressor = idle.withLock { $0.popLast() } ?? Compressor(level: level)
    defer { idle.withLock { $0.append(compressor) } }
    return compressor.deflated(bytes)
  }
}

/// One compressor, used by one thread at a time.
private final class Compressor: @unchecked Sendable {
  private let state: OpaquePointer

  init(level: Int32) {
    guard let state = chunk_deflater_create(level) else {
      preconditionFailure("no memory for a compressor of level \(level)")
    }
    self.state = state
  }

  deinit { chunk_deflater_free(state) }

  func deflated(_ bytes: [UInt8]) -> [UInt8]? {
    guard !bytes.isEmpty else { return nil }
    let packed = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
      count = chunk_deflate(state, bytes, bytes.count, buffer.baseAddress, bytes.count - 1)
    }
    return packed.isEmpty ? nil : packed
  }
}
