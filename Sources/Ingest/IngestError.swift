import Corpora
import Shards

/// Why a data set could not be made.
package enum IngestError: Error, Equatable {
  case corpus(AtariCorpusError)
  case shard(ShardError)
  case badSample(reason: String)
  case tooManyErrors(count: Int, samples: Int, allowed: Int, last: String)
  case noSamples(path: String, split: String)
  case holdoutNotSelected(id: Int)
  case foreignShard(path: String)
}

extension IngestError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .corpus(let error):
      "\(error)"
    case .shard(let error):
      "\(error)"
    case .badSample(let reason):
      "\(reason) (stopped by --strict)"
    case .tooManyErrors(let count, let samples, let allowed, let last):
      "\(last); that makes \(count) bad samples of \(samples), at most \(allowed) are accepted (--max-errors)"
    case .noSamples(let path, let split):
      "\(path): no picture for the \(split) split; look at --trajectories, --holdout, --every and --stack"
    case .holdoutNotSelected(let id):
      "--holdout \(id): not among --trajectories"
    case .foreignShard(let path):
      "\(path): exists, but no manifest.json tells how it was made; use another --out"
    }
  }
}
