// Exit codes of errors of foreign files of weights.
import Checkpoints
import CommandSupport
import TamingCheckpoints

extension PyTorchFileError: ExitCoded {
  package var exitCode: SuiteExitCode {
    if case .file(let error) = self { error.exitCode } else { .badData }
  }
}

extension PyTorchTypeError: ExitCoded {
  package var exitCode: SuiteExitCode { .badData }
}

extension NumPyFileError: ExitCoded {
  package var exitCode: SuiteExitCode { .badData }
}

extension NoTensorError: ExitCoded {
  package var exitCode: SuiteExitCode { .badData }
}

extension ArchitectureError: ExitCoded {
  package var exitCode: SuiteExitCode { .badData }
}
