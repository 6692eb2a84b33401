// Exit codes of errors of the second stage.
import Models
import Training

extension GPTConfigError: ExitCoded {
  package var exitCode: SuiteExitCode { .usage }
}

extension ConditionError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .unfit, .noGuidance, .size: .usage
    case .noColumn, .notWhole, .label, .noCodes, .noObjects, .noCategories: .badData
    }
  }
}

extension CodesMismatch: ExitCoded {
  package var exitCode: SuiteExitCode { .badData }
}
