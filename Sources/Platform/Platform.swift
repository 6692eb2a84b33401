// The system's C library under one name, and the calls in which systems differ: no other file asks
// which system it is on.

#if canImport(Darwin)
  @_exported import Darwin
#else
  @_exported import Glibc
#endif

/// Waits until what was written to an open file or folder is on the disk.
///
/// - Returns: 0, or -1 with `errno`.
package func synchronize(_ descriptor: Int32) -> Int32 {
  #if canImport(Darwin)
    // fsync leaves the bytes in the drive's cache; file systems that cannot do more refuse.
    let result = fcntl(descriptor, F_FULLFSYNC)
    if result >= 0 || errno == EINTR { return result }
  #endif
  return fsync(descriptor)
}

/// When a file was last written.
package func timeOfChange(_ status: stat) -> timespec {
  #if canImport(Darwin)
    status.st_mtimespec
  #else
    status.st_mtim
  #endif
}

/// Whether a process may still work; one that has died and that nobody has waited for, as in a
/// container without an init, does not.
package func isRunning(_ process: pid_t) -> Bool {
  if kill(process, 0) != 0, errno == ESRCH { return false }
  #if canImport(Darwin)
    return true
  #else
    guard let file = fopen("/proc/\(process)/stat", "re") else { return true }
    defer { fclose(file) }
    var line = [UInt8](repeating: 0, count: 256)
    let count = fread(&line, 1, line.count, file)
    // PID (NAME) STATE …; the name may hold anything but is at most 15 bytes.
    guard let end = line[..<count].lastIndex(of: UInt8(ascii: ")")), end + 2 < count else {
      return true
    }
    return line[end + 2] != UInt8(ascii: "Z")
  #endif
}

/// Whether a signal is ignored.
package func isIgnored(_ signal: Int32) -> Bool {
  var action = sigaction()
  guard sigaction(signal, nil, &action) == 0 else { return false }
  #if canImport(Darwin)
    let handler = action.__sigaction_u.__sa_handler
  #else
    let handler = action.__sigaction_handler.sa_handler
  #endif
  return unsafeBitCast(handler, to: Int.self) == 1
}

/// Starts a thread.
///
/// - Parameter work: captures nothing.
/// - Returns: 0, or why there is no thread, an `errno`.
package func startThread(_ work: @escaping @convention(c) () -> Void) -> Int32 {
  #if canImport(Darwin)
    var thread: pthread_t?
  #else
    var thread = pthread_t()
  #endif
  return pthread_create(
    &thread, nil,
    { context in
      // Optional in one system alone.
      let context: UnsafeMutableRawPointer? = context
      unsafeBitCast(context, to: (@convention(c) () -> Void).self)()
      return nil
    }, unsafeBitCast(work, to: UnsafeMutableRawPointer.self))
}

/// A thread that runs `work` once.
///
/// Its caller learns when the system has no thread left; libdispatch waits for ever then.
package final class WorkerThread: Sendable {
  private let thread: UInt

  /// - Returns: `nil` if there is no thread; nothing has run then.
  package init?(_ work: @escaping @Sendable () -> Void) {
    let context = Unmanaged.passRetained(Work(work))
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let status = pthread_create(
      &thread, nil,
      { context in
        let context: UnsafeMutableRawPointer? = context
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context.toOpaque())
    guard status == 0 else {
      context.release()
      return nil
    }
    #if canImport(Darwin)
      self.thread = UInt(bitPattern: thread)
    #else
      self.thread = UInt(thread)
    #endif
  }

  /// Waits until `work` has run; to be called once.
  package func join() {
    #if canImport(Darwin)
      if let thread = pthread_t(bitPattern: thread) { pthread_join(thread, nil) }
    #else
      pthread_join(pthread_t(thread), nil)
    #endif
  }

  private final class Work: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
}

/// How many files the process may have open; `nil` where the system does not tell.
package var openFileLimit: Int? {
  var limits = rlimit()
  #if canImport(Darwin)
    let resource = RLIMIT_NOFILE
  #else
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  #endif
  guard getrlimit(resource, &limits) == 0 else { return nil }
  return Int(clamping: limits.rlim_cur)
}

/// The most memory that the process has held at once, bytes; `nil` where the system does not tell.
///
/// In Linux since `/proc/self/clear_refs` was last told to begin anew.
package var peakMemory: Int? {
  #if canImport(Darwin)
    var usage = rusage()
    return getrusage(RUSAGE_SELF, &usage) == 0 ? Int(usage.ru_maxrss) : nil
  #else
    guard let file = fopen("/proc/self/status", "re") else { return nil }
    defer { fclose(file) }
    var line = [UInt8](repeating: 0, count: 4096)
    let count = fread(&line, 1, line.count, file)
    let peak = String(decoding: line[..<count], as: UTF8.self).split(separator: "\n").first {
      $0.hasPrefix("VmHWM:")
    }
    return peak?.split(whereSeparator: { $0 == " " || $0 == "\t" }).compactMap { Int($0) }.first.map
    {
      $0 * 1024
    }
  #endif
}

/// Mean number of processes that wanted to run over the last minute; `nil` where the system does
/// not tell.
package var machineLoad: Double? {
  var minutes = [0.0]
  return getloadavg(&minutes, 1) == 1 ? minutes[0] : nil
}
