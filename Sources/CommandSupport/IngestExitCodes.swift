// Which exit codes the errors of Corpora and Ingest lead to.

import Corpora
import Ingest

extension IngestError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .corpus(let error): error.exitCode
    case .shard(let error): error.exitCode
    case .badSample, .tooManyErrors, .noSamples: .badData
    case .holdoutNotSelected: .usage
    case .foreignShard: .cannotCreate
    }
  }
}

extension AtariCorpusError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .missingFolder, .notACorpus, .noGame, .noEpisodes, .noSuchEpisode, .unreadable,
      .notARegularFile, .noPictures:
      .noInput
    case .tooLarge, .noRows, .missingColumn: .badData
    }
  }
}
