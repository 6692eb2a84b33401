// What commands know of a training run, whatever it trains.
import TensorCore

/// A training run as a command has it.
package protocol CommandRun {
  associatedtype Settings: RunSettings
  associatedtype Data

  /// A new run, or with `resumed` the continuation of the one in the folder.
  init(
    _ config: RunConfig<Settings>, in folder: RunFolder, resumed: Bool, on device: Device
  ) throws

  var config: RunConfig<Settings> { get }
  var state: TrainingState { get }
  /// Numbers that are trained, of the model alone.
  var parameterCount: Int { get }

  /// Checks that the run can be validated on this data.
  func check(validation: Data) throws
  /// Trains to the last step, or until asked to stop; the state is saved either way.
  mutating func train(on data: Data, validation: Data?, _ reporter: TrainingReporter) throws
  /// Takes a few steps in place of the run, and reckons from them what it would take.
  ///
  /// - Parameter shouldStop: asked after each step and before each batch of a validation.
  /// - Returns: nil if asked to stop.
  mutating func estimate(
    on data: Data, validation: Data?, unless shouldStop: @escaping () -> Bool
  ) throws -> TrainingEstimate?
}

extension CommandRun {
  package func check(validation: Data) {}
}
