// Exit codes of errors of encoding, reconstructing and reporting.
import CommandSupport
import Training

extension EncodingError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .size, .channels, .input, .label, .otherVQGAN: .badData
    case .sameName: .usage
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
