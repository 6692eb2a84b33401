import Glibc

/// A lock with which threads wait for what other threads do.
final class Condition: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let variable = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(variable, nil)
  }

  deinit {
    pthread_cond_destroy(variable)
    pthread_mutex_destroy(mutex)
    variable.deallocate()
    mutex.deallocate()
  }

  func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }

  /// Lets go of the lock, held by the caller, until another thread calls `wakeAll()`; may return for no reason.
  func wait() { pthread_cond_wait(variable, mutex) }

  /// Wakes all that wait; the caller holds the lock.
  func wakeAll() { pthread_cond_broadcast(variable) }
}
