// How a command ends: the exit codes of sysexits.h, and which errors lead to which.
import Corpora
import DurableFiles
import Images
import Ingest
import Platform
import Shards

/// How a command ends.
///
/// Scripts rely on these numbers; they do not change.
package enum SuiteExitCode: Int32, Sendable {
  case success = 0
  /// Options or arguments that make no sense.
  case usage = 64
  /// An input file is damaged or of the wrong kind.
  case badData = 65
  /// An input file is missing or cannot be read.
  case noInput = 66
  /// A fault of ours.
  case bug = 70
  /// The system has no memory left.
  case noMemory = 71
  /// An output cannot be made where it was asked for, or its folder is not there any more.
  case cannotCreate = 73
  /// The disk failed or is full.
  case ioFailure = 74
  /// Another process works in the same folder; later it may succeed.
  case busy = 75
}

/// What a command itself finds wrong: its line on stderr and how it ends.
package struct CommandError: Error, Equatable, CustomStringConvertible {
  package let exitCode: SuiteExitCode
  package let description: String

  package init(_ exitCode: SuiteExitCode, _ description: String) {
    self.exitCode = exitCode
    self.description = description
  }
}

extension SuiteExitCode {
  /// How a command ends because of an error of files, corpora or commands; `nil` for other errors.
  package init?(of error: any Error) {
    switch error {
    case let error as CommandError: self = error.exitCode
    case is InputError: self = .noInput
    case is OutputError: self = .ioFailure
    case let error as DurableFileError: self = code(of: error)
    case let error as ShardError: self = code(of: error)
    case let error as ImageError: self = code(of: error)
    case let error as IngestError: self = code(of: error)
    case let error as AtariCorpusError: self = code(of: error)
    case let error as COCOError: self = code(of: error)
    case is COCOLayoutError: self = .noInput
    case is RoomTemplateError: self = .badData
    default: return nil
    }
  }
}

private func code(of error: DurableFileError) -> SuiteExitCode {
  switch error {
  case .cannotCreate, .replaced: .cannotCreate
  case .busy: .busy
  case .notAFile: .noInput
  case .tooLarge: .badData
  case .failed("open", _, let code) where [ENOENT, ENOTDIR, EACCES, EPERM, ELOOP].contains(code):
    .noInput
  case .failed: .ioFailure
  }
}

private func code(of error: ShardError) -> SuiteExitCode {
  switch error {
  case .missing: .noInput
  case .notAShard, .incomplete, .wrongKind, .unsupportedVersion, .missingItem, .malformed,
    .externalLink, .unknownFilter, .unreadable, .brokenSeal, .noSeal, .crashesLibrary,
    .checksumMismatch, .codeOutOfRange,
    .disagreement, .noRows, .changed, .noMaps, .unfinished, .otherThanListed, .notListed:
    .badData
  case .cannotCreate, .externalShard: .cannotCreate
  case .writeFailed: .ioFailure
  case .file(let error): code(of: error)
  case .optionsDiffer, .holdsSources, .otherShards: .usage
  }
}

private func code(of error: ImageError) -> SuiteExitCode {
  switch error {
  case .missing, .notARegularFile, .outsideFolder, .linkLeadsOut: .noInput
  case .unreadable(_, "open", let code) where ![EMFILE, ENFILE].contains(code): .noInput
  case .unreadable: .ioFailure
  case .empty, .notAnImage, .fileTooLarge, .tooLarge, .truncated, .damaged, .unsupported,
    .wrongSize, .outOfMemory:
    .badData
  case .unwritable(let error): code(of: error)
  }
}

private func code(of error: IngestError) -> SuiteExitCode {
  switch error {
  case .badSample, .tooManyColors, .tooManyErrors, .tooManyLeftOut, .noImages, .noImagesRead,
    .notAList, .noSamples, .nothingWritten, .nothingUsable, .tooManyRecords, .otherImages,
    .numberTooLarge, .noneOfTheImages:
    .badData
  case .holdoutNotSelected, .unknownCategory: .usage
  case .noSpace: .cannotCreate
  }
}

private func code(of error: AtariCorpusError) -> SuiteExitCode {
  switch error {
  case .missingFolder, .notACorpus, .noGame, .noEpisodes, .noSuchEpisode, .unreadable,
    .notARegularFile, .linkLeadsOut, .noImages:
    .noInput
  case .tooLarge, .noRows, .missingColumn: .badData
  }
}

private func code(of error: COCOError) -> SuiteExitCode {
  switch error {
  case .file(let error): code(of: error)
  case .notJSON, .wrongShape, .missingSection, .repeatedSection, .tooManyRecords, .badRecord,
    .changed, .notALabel, .noMemory:
    .badData
  }
}
