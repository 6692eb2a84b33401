// Which exit code each module's errors lead to.

import DurableFiles
import Glibc

extension DurableFileError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .cannotCreate: .cannotCreate
    case .busy: .busy
    case .notAFile: .noInput
    case .tooLarge: .badData
    case .failed("open", _, let code) where [ENOENT, ENOTDIR, EACCES, EPERM, ELOOP].contains(code):
      .noInput
    case .failed: .ioFailure
    }
  }
}
