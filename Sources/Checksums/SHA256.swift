import CCrypto

/// SHA-256 (FIPS 180-4) of bytes that arrive in pieces, computed by libcrypto.
///
/// ```swift
/// var hash = SHA256()
/// hash.update(header)
/// hash.update(body)
/// let digest = hash.finalize()  // 32 bytes
/// ```
package struct SHA256 {
  private var context: Context

  package init() {
    context = Context()
  }

  /// Adds `bytes` to the message.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    if !isKnownUniquelyReferenced(&context) { context = Context(copying: context) }
    context.update(bytes)
  }

  /// The 32 bytes of the digest; afterwards the value stands for the empty message again.
  package mutating func finalize() -> [UInt8] {
    if !isKnownUniquelyReferenced(&context) { context = Context(copying: context) }
    let digest = context.digest()
    context = Context()
    return digest
  }
}

/// The SHA-256 of `bytes` in lower-case hexadecimal, 64 characters.
package func sha256Hex(_ bytes: UnsafeRawBufferPointer) -> String {
  var hash = SHA256()
  hash.update(bytes)
  return hexadecimal(hash.finalize())
}

/// Two lower-case hexadecimal digits for every byte.
package func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  let characters = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  return String(decoding: characters, as: UTF8.self)
}

/// Owner of libcrypto's digest state.
///
/// Its calls fail for want of memory only, which is fatal elsewhere in Swift too.
private final class Context {
  private let state: OpaquePointer

  init() {
    guard let state = EVP_MD_CTX_new(), EVP_DigestInit_ex(state, EVP_sha256(), nil) == 1 else {
      preconditionFailure("libcrypto cannot start a SHA-256 digest")
    }
    self.state = state
  }

  init(copying other: Context) {
    guard let state = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(state, other.state) == 1 else {
      preconditionFailure("libcrypto cannot copy a SHA-256 digest")
    }
    self.state = state
  }

  func update(_ bytes: UnsafeRawBufferPointer) {
    precondition(
      EVP_DigestUpdate(state, bytes.baseAddress, bytes.count) == 1,
      "libcrypto cannot continue a SHA-256 digest")
  }

  func digest() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 32)
    precondition(
      EVP_DigestFinal_ex(state, &bytes, nil) == 1, "libcrypto cannot finish a SHA-256 digest")
    return bytes
  }

  deinit { EVP_MD_CTX_free(state) }
}
