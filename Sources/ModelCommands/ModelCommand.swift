// What the commands that work with models have in common.

import Checkpoints
import CommandSupport
import TensorCore

/// A command that reads weights; the tensor engine is linked into these commands alone.
package protocol ModelCommand: SuiteCommand {}

extension ModelCommand {
  package static func prepare() {
    UnsafeNames.report { path, name in
      Console.standardError().warn(
        "\(path): names \(name), which could run code in Python; nothing was run here, but do not "
          + "load this file with Python")
    }
    WeightNotes.report { Console.standardError().warn("\($0): \($1)") }
    MemoryPool.outOfMemory.withLock { $0 = ending(with: .noMemory) }
  }

  package static func exitCode(of error: any Error) -> SuiteExitCode? {
    SuiteExitCode(of: error) ?? SuiteExitCode(ofModels: error)
  }
}
