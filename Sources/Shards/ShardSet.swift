import Checksums
import DurableFiles
import Platform
import Synchronization

/// Several shards as one sequence of rows; any thread may read any row at any time.
///
/// A bounded number of files is open at once, the ones used last.
package final class ShardSet<Reader: ShardReader>: Sendable {
  package let paths: [String]
  /// Rows of all shards together.
  package let count: Int
  /// The labels that every shard has, sorted.
  package let labelNames: [String]
  /// What each file was when it was opened first.
  package let stamps: [FileStamp]
  /// The first shard, for what all agree on.
  let first: Reader

  private let starts: [Int]  // the index of each shard's first row, then `count`
  private let limit: Int
  private let open: Mutex<OpenShards<Reader>>

  /// Opens every shard once and compares it with the first.
  ///
  /// - Parameters:
  ///   - paths: shards, in the order of their rows.
  ///   - agree: throws `disagreement` when a shard cannot be read together with the first.
  /// - Throws: `noRows` for no paths or no rows, and whatever opening throws.
  init(
    _ paths: [String],
    agree: (_ reader: Reader, _ first: Reader) throws(ShardError) -> Void
  ) throws(ShardError) {
    guard let firstPath = paths.first else { throw .noRows(paths: []) }
    let first = try Reader(firstPath)
    let limit = Self.openShardLimit
    var open = OpenShards<Reader>()
    var (starts, stamps) = ([0], [FileStamp]())
    var labels = Set(first.contents.labelNames)
    for (shard, path) in paths.enumerated() {
      let reader = shard == 0 ? first : try Reader(path)
      try agree(reader, first)
      labels.formIntersection(reader.contents.labelNames)
      starts.append(starts[shard] + reader.count)
      stamps.append(try reader.contents.stamp)
      if shard < limit { open.add(reader, as: shard, limit: limit) }
    }
    guard let count = starts.last, count > 0 else { throw .noRows(paths: paths) }
    self.paths = paths
    self.first = first
    self.count = count
    (self.starts, self.stamps) = (starts, stamps)
    self.limit = limit
    labelNames = labels.sorted()
    self.open = Mutex(open)
  }

  /// A digest of the rows of all shards.
  package var identity: String {
    get throws(ShardError) {
      var all = ""
      for shard in paths.indices { all += "\(try opened(shard).contents.identity)\n" }
      return Array(all.utf8).withUnsafeBytes { sha256Hex($0) }
    }
  }

  /// The shard that holds row `index` of the set, and the row's number in it.
  package func locate(_ index: Int) throws(ShardError) -> (reader: Reader, row: Int) {
    precondition(index >= 0 && index < count, "row \(index) of \(count)")
    var low = 0
    var high = paths.count  // starts[low] <= index < starts[high]
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= index { low = middle } else { high = middle }
    }
    return (try reader(low), index - starts[low])
  }

  /// A label of all rows.
  ///
  /// - Throws: `missingItem` where a shard lacks it, `disagreement` where its type differs.
  package func labels(_ name: String) throws(ShardError) -> ShardColumn {
    var all = try reader(0).contents.labels(name)
    for shard in paths.indices.dropFirst() {
      let more = try reader(shard).contents.labels(name)
      guard more.type == all.type else {
        throw .disagreement(
          path: paths[shard], other: paths[0], property: "the type of /\(name)",
          found: more.type.rawValue, expected: all.type.rawValue)
      }
      all.append(more)
    }
    return all
  }

  /// The objects of all rows.
  ///
  /// - Throws: `missingItem` where a shard has none.
  package var objects: [[ShardObject]] {
    get throws(ShardError) {
      var all: [[ShardObject]] = []
      for shard in paths.indices {
        guard let objects = try reader(shard).contents.objects else {
          throw .missingItem(path: paths[shard], item: "/objects")
        }
        all += objects
      }
      return all
    }
  }

  /// What the numbers of objects mean, by the first shard.
  package var categories: [ShardCategory] {
    get throws(ShardError) { try first.contents.categories ?? [] }
  }

  /// The numbers of all rows.
  package var ids: [Int64] {
    get throws(ShardError) {
      var ids: [Int64] = []
      for shard in paths.indices { ids += try reader(shard).contents.ids }
      return ids
    }
  }

  /// The names of all rows.
  package var names: [String] {
    get throws(ShardError) {
      var names: [String] = []
      for shard in paths.indices { names += try reader(shard).contents.names }
      return names
    }
  }

  private func reader(_ shard: Int) throws(ShardError) -> Reader {
    if let reader = open.withLock({ $0.use(shard) }) { return reader }
    // Two threads may open the same file; one of the two readers lives on.
    let reader = try opened(shard)
    open.withLock { $0.add(reader, as: shard, limit: limit) }
    return reader
  }

  /// Opens a shard once more.
  ///
  /// - Throws: `changed` where it is another file than at first.
  func opened(_ shard: Int) throws(ShardError) -> Reader {
    let reader = try Reader(paths[shard])
    try reader.contents.requireUnchanged(since: stamps[shard])
    return reader
  }

  /// Half of what the process may open, two descriptors a shard.
  private static var openShardLimit: Int {
    max(1, min(1024, openFileLimit ?? 64) / 4)
  }
}

/// The readers that are open, by their shard's number.
private struct OpenShards<Reader: Sendable> {
  var readers: [Int: Reader] = [:]
  var order: [Int] = []  // the one used last stands last

  mutating func use(_ shard: Int) -> Reader? {
    guard let reader = readers[shard] else { return nil }
    if order.last != shard {
      order.removeAll { $0 == shard }
      order.append(shard)
    }
    return reader
  }

  mutating func add(_ reader: Reader, as shard: Int, limit: Int) {
    if order.count >= limit, readers[shard] == nil { readers[order.removeFirst()] = nil }
    readers[shard] = reader
    order.removeAll { $0 == shard }
    order.append(shard)
  }
}
