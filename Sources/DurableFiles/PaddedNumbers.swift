// Numbers in names that sort as they count.

extension BinaryInteger {
  /// The number, not negative, with zeros in front up to `digits`: `42.padded(5)` is `00042`.
  package func padded(_ digits: Int, radix: Int = 10) -> String {
    let number = String(self, radix: radix)
    return String(repeating: "0", count: max(0, digits - number.count)) + number
  }
}
