// Refusing what the machine cannot hold before the system kills the process for it.
import Foundation

/// Checks that the work's tensors can be held.
///
/// - Parameter floats: that it holds at the very least.
/// - Throws: `RunError.tooLarge`.
package func requireMemory(forFloats floats: Double, of what: String) throws(RunError) {
  let bytes = 4 * floats
  let machine = ProcessInfo.processInfo.physicalMemory
  guard bytes <= Double(machine) else {
    throw .tooLarge(what: what, gibibytes: Int(bytes / 1_073_741_824), of: Int(machine >> 30))
  }
}
