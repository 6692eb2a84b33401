// A queue between one thread that makes and one that takes.
import Foundation

/// Holds at most `capacity` elements; a full queue blocks its maker, an empty one its taker, both asleep.
final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private let capacity: Int
  private var elements: [Element] = []
  private var isClosed = false

  init(capacity: Int) { self.capacity = capacity }

  /// Returns `false` if the queue was closed, and the element dropped.
  func push(_ element: Element) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while elements.count >= capacity && !isClosed { condition.wait() }
    guard !isClosed else { return false }
    elements.append(element)
    condition.broadcast()
    return true
  }

  /// The oldest element.
  func pop() -> Element {
    condition.lock()
    defer { condition.unlock() }
    while elements.isEmpty { condition.wait() }
    let element = elements.removeFirst()
    condition.broadcast()
    return element
  }

  /// Lets the maker end.
  func close() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }
}
