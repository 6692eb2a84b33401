// Exit codes of errors of the second stage.
import Models
import Training

extension GPTConfigError: ExitCoded {
  package var exitCode: SuiteExitCode { .usage }
}

extension FingerprintMismatch: ExitCoded {
  package var exitCode: SuiteExitCode { .badData }
}
