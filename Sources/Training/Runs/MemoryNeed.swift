// Refusing what the machine cannot hold before the system kills the process for it.
import Foundation

/// Checks that a step's activations can be held.
///
/// - Parameter floats: that a step holds at the very least.
/// - Throws: `RunError.tooLarge`.
func requireMemory(forFloats floats: Double, of what: String) throws(RunError) {
  let bytes = 4 * floats
  let machine = ProcessInfo.processInfo.physicalMemory
  guard bytes <= Double(machine) else {
    throw .tooLarge(what: what, gibibytes: Int(bytes / 1_073_741_824), of: Int(machine >> 30))
  }
}
