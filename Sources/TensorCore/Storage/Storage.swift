// What holds the elements of tensors on a device.

/// Memory of a device in words of 32 bits: floats, integers, or several smaller values to a word.
///
/// Each kind of device has its own subclass, which its backend alone looks into. It takes memory when it is first written,
/// so a storage that nobody writes costs nothing, and gives it back when the last tensor lets go.
class Storage: @unchecked Sendable {
  let device: Device
  /// Words.
  let count: Int

  init(count: Int, on device: Device) {
    self.device = device
    self.count = count
  }

  /// Whether anything was written.
  var hasContents: Bool { preconditionFailure("a device has its own kind of storage") }

  /// Called before the contents change in place.
  func willChange() {}
}
