// What holds the elements of tensors on a device.

/// Memory of a device in words of 32 bits: floats, integers, or several smaller values to a word.
///
/// Each kind of device has its own subclass, which its backend alone looks into. It takes memory
/// when it is first used: what is never read, such as the first weights of a model that is filled
/// from a file, takes none. It gives the memory back when the last tensor lets go.
class Storage: @unchecked Sendable {
  let device: Device
  /// Words.
  let count: Int
  /// Writes the contents when memory has been taken at the first use; undefined contents without
  /// it.
  var fill: ((Storage) -> Void)?

  init(count: Int, on device: Device) {
    self.device = device
    self.count = count
  }

  /// Whether nobody has read or written it.
  var isUnused: Bool { preconditionFailure("a device has its own kind of storage") }

  /// Called before the contents change in place.
  func willChange() {}
}
