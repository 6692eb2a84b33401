// Which errors of weights, models and runs lead to which exit code.
import Checkpoints
import CommandSupport
import Metrics
import Models
import TamingCheckpoints
import Training

extension SuiteExitCode {
  /// How a command ends because of an error of weights, models or runs; `nil` for other errors.
  package init?(ofModels error: any Error) {
    switch error {
    case let error as RunError: self = code(of: error)
    case let error as EncodingError: self = code(of: error)
    case let error as ReconstructionError: self = code(of: error)
    case let error as ConditionError: self = code(of: error)
    case let error as EvaluationError: self = code(of: error)
    case let error as WorldDataError: self = code(of: error)
    case SafetensorsError.file(let error): self.init(of: error)
    case PyTorchFileError.file(let error): self.init(of: error)
    case is OverrideError, is GPTConfigError: self = .usage
    case is SafetensorsError, is PyTorchFileError, is PyTorchTypeError, is NumPyFileError,
      is NoTensorError, is NotFiniteError, is ArchitectureError, is ModelMismatchError,
      is CodesMismatch, is MetricsError:
      self = .badData
    default: return nil
    }
  }
}

private func code(of error: RunError) -> SuiteExitCode {
  switch error {
  case .alreadyARun, .isALink, .notAFolder, .notALink, .inPlaceOfACheckpoint, .externalFile,
    .holdsShards:
    .cannotCreate
  case .noCheckpoint, .noConfig: .noInput
  case .configDiffers, .otherData, .tooLarge: .usage
  case .damaged, .otherKind, .notFinite, .onlySkipped: .badData
  }
}

private func code(of error: EncodingError) -> SuiteExitCode {
  switch error {
  case .size, .channels, .color, .input, .label: .badData
  case .sameName: .usage
  }
}

private func code(of error: ReconstructionError) -> SuiteExitCode {
  switch error {
  case .tooSmall, .noImages: .badData
  case .size: .usage
  }
}

private func code(of error: ConditionError) -> SuiteExitCode {
  switch error {
  case .unfit, .noGuidance, .size: .usage
  case .noColumn, .notWhole, .label, .categoryZero, .noCodes, .noObjects, .noCategories: .badData
  }
}

private func code(of error: WorldDataError) -> SuiteExitCode {
  switch error {
  case .tooShort: .usage
  case .noColumn, .notWhole, .value, .nothingFollows, .noImage, .otherSize: .badData
  }
}

private func code(of error: EvaluationError) -> SuiteExitCode {
  switch error {
  case .latentsNeedVQGAN, .codesNeedVQGAN, .statisticsAlone, .statisticsWithoutFeatures, .noMeasure,
    .notCodes:
    .usage
  case .nothing: .noInput
  case .mixed, .size, .width, .otherStatistics, .counts, .unpaired, .lpips, .noSprites, .notFinite:
    .badData
  }
}
