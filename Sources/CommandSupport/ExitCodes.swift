// Which exit code each module's errors lead to.

import DurableFiles
import Glibc
import Images
import Shards

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

extension ShardError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .missing: .noInput
    case .notAShard, .incomplete, .wrongKind, .unsupportedVersion, .missingItem, .malformed,
      .foreignLink, .unknownFilter, .unreadable, .checksumMismatch, .codeOutOfRange,
      .disagreement, .noRows, .noMaps:
      .badData
    case .cannotCreate, .foreignShard: .cannotCreate
    case .writeFailed: .ioFailure
    case .file(let error): error.exitCode
    case .optionsDiffer: .usage
    }
  }
}

extension ImageError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .missing, .notARegularFile, .outsideFolder, .linkLeadsOut: .noInput
    case .unreadable(_, "open", _): .noInput
    case .unreadable: .ioFailure
    case .empty, .notAnImage, .fileTooLarge, .tooLarge, .truncated, .damaged, .unsupported,
      .wrongSize, .outOfMemory:
      .badData
    case .unwritable(let error): error.exitCode
    }
  }
}
