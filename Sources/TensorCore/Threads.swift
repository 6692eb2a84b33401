// How many threads compute.
import CKernels

/// The worker pool of every kernel issued from one thread.
package enum ComputeThreads {
  /// Sets the number of workers for kernels issued from the calling thread; issue all from one thread.
  package static func set(_ count: Int) { ck_set_threads(Int32(count)) }

  package static var count: Int { Int(ck_threads()) }
}
