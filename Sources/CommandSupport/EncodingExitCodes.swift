// Exit codes of errors of encoding, reconstructing and reporting.
import Training

extension EncodingError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .size, .channels, .label: .badData
    case .sameName: .usage
    case .foreignShard: .cannotCreate
    }
  }
}

extension ReconstructionError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .tooSmall, .noPictures: .badData
    case .size: .usage
    }
  }
}
