// Which exit codes the errors of Corpora and Ingest lead to.

import Corpora
import Ingest

extension IngestError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .badSample, .tooManyErrors, .noPictures, .notAList, .noSamples, .nothingWritten,
      .otherPictures, .numberTooLarge, .noneOfThePictures:
      .badData
    case .holdoutNotSelected, .unknownCategory: .usage
    case .noSpace: .cannotCreate
    }
  }
}

extension AtariCorpusError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .missingFolder, .notACorpus, .noGame, .noEpisodes, .noSuchEpisode, .unreadable,
      .notARegularFile, .linkLeadsOut, .noPictures:
      .noInput
    case .tooLarge, .noRows, .missingColumn: .badData
    }
  }
}

extension COCOLayoutError: ExitCoded {
  package var exitCode: SuiteExitCode { .noInput }
}

extension COCOError: ExitCoded {
  package var exitCode: SuiteExitCode {
    switch self {
    case .file(let error): error.exitCode
    case .notJSON, .wrongShape, .missingSection, .repeatedSection, .tooManyRecords, .badRecord,
      .changed, .notALabel, .noMemory:
      .badData
    }
  }
}

extension PlaceTemplateError: ExitCoded {
  package var exitCode: SuiteExitCode { .badData }
}
