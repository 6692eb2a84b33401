// Exit codes of errors of checkpoints and training runs.
import Checkpoints
import CommandSupport
import Models
import Training

extension SafetensorsError: ExitCoded {
  package var exitCode: SuiteExitCode {
    if case .file(let error) = self { error.exitCode } else { .badData }
  }
}

extension ModelMismatchError: ExitCoded {
  package var exitCode: SuiteExitCode { .badData }
}

extension RunError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .alreadyARun: .cannotCreate
    case .noCheckpoint: .noInput
    case .configDiffers, .tooLarge: .usage
    case .damaged, .otherKind: .badData
    }
  }
}

extension OverrideError: ExitCoded {
  package var exitCode: SuiteExitCode { .usage }
}
