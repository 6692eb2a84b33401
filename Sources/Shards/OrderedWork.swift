import Foundation
import Platform

/// Runs `produce` for `0..<count` in several threads and hands the results to `consume` in order,
/// in the calling thread.
///
/// At most `4 · threads` results wait at a time, so memory stays bounded however uneven the work
/// is. The first error, in order of the index, ends everything; it does not depend on the number of
/// threads either.
///
/// - Parameters:
///   - count: how many results.
///   - threads: workers beside the calling thread, fewer if the system has no more; 1, or none to
///     be had, works in the calling thread alone.
package func inOrder<Value: Sendable>(
  count: Int, threads: Int, produce: @escaping @Sendable (Int) throws -> Value,
  consume: (Int, Value) throws -> Void
) throws {
  let work = OrderedWork(count: count, window: 4 * threads, produce: produce)
  let wanted = threads > 1 && count > 1 ? min(threads, count) : 0
  let workers = (0..<wanted).compactMap { _ in WorkerThread { work.runWorker() } }
  guard !workers.isEmpty else {
    for index in 0..<count { try consume(index, try produce(index)) }
    return
  }
  defer {
    work.stop()
    for worker in workers { worker.join() }
  }
  for index in 0..<count { try consume(index, try work.take(index)) }
}

/// The results between the workers and the consumer.
///
/// Sendable because `condition` guards all that changes.
private final class OrderedWork<Value: Sendable>: @unchecked Sendable {
  private let count: Int
  private let window: Int
  private let produce: @Sendable (Int) throws -> Value
  private let condition = NSCondition()
  private var next = 0  // the first index that no worker has
  private var consumed = 0
  private var isStopped = false
  private var results: [Int: Result<Value, any Error>] = [:]

  init(count: Int, window: Int, produce: @escaping @Sendable (Int) throws -> Value) {
    self.count = count
    self.window = window
    self.produce = produce
  }

  func runWorker() {
    while let index = claim() {
      let result = Result { try produce(index) }
      condition.withLock {
        results[index] = result
        condition.broadcast()
      }
    }
  }

  private func claim() -> Int? {
    condition.withLock {
      while !isStopped, next < count, next >= consumed + window { condition.wait() }
      guard !isStopped, next < count else { return nil }
      defer { next += 1 }
      return next
    }
  }

  func take(_ index: Int) throws -> Value {
    let result = condition.withLock {
      while true {
        if let result = results.removeValue(forKey: index) {
          consumed = index + 1
          condition.broadcast()
          return result
        }
        condition.wait()
      }
    }
    return try result.get()
  }

  func stop() {
    condition.withLock {
      isStopped = true
      condition.broadcast()
    }
  }
}
