// What is measured.
import TensorCore

/// One piece of real work at a named size.
struct Workload: Sendable {
  /// How the time of one repetition is told.
  enum Unit: Sendable {
    case seconds
    case milliseconds
    /// So many things done in one repetition.
    case perSecond(String, Double)

    var name: String {
      switch self {
      case .seconds: "s"
      case .milliseconds: "ms"
      case .perSecond(let things, _): "\(things)/s"
      }
    }

    /// The metric for one repetition of that many seconds.
    func value(_ seconds: Double) -> Double {
      switch self {
      case .seconds: seconds
      case .milliseconds: seconds * 1000
      case .perSecond(_, let count): count / seconds
      }
    }
  }

  let name: String
  let summary: String
  let unit: Unit
  /// Floating-point operations of one repetition, multiplications and additions counted apart;
  /// `nil` where it means little.
  var operations: Double?
  /// Bytes that one repetition reads and writes at least; `nil` where it means little.
  var bytes: Double?
  /// Whether the most memory in use is told.
  var tellsMemory = false
  /// Whether bf16 means activations kept so, with float32 arithmetic, as in `train-vqgan`.
  var keepsBF16 = false
  /// Builds models and inputs and returns one repetition.
  let prepare: @Sendable (Device) throws -> (() throws -> Void)

  /// All, in the order in which they run.
  static let all: [Workload] = vqgan + gpt + world + kernels + shards
}
