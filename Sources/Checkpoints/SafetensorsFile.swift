// Reading of safetensors files.
import Foundation
import TensorCore

/// A safetensors file, mapped into memory; every check of the format is made before the first tensor is handed out.
///
/// - Source: huggingface/safetensors, format section of its README: 8 bytes of length, a JSON header, the data.
package final class SafetensorsFile: @unchecked Sendable {
  private struct Entry {
    let type: ElementType
    let shape: [Int]
    let range: Range<Int>
  }

  package let path: String
  /// The header's `__metadata__`.
  package let metadata: [String: String]
  private let entries: [String: Entry]
  private let mapping: UnsafeRawBufferPointer
  private let dataStart: Int

  package init(_ path: String) throws(SafetensorsError) {
    self.path = path
    mapping = try Self.map(path)
    do {
      (entries, metadata, dataStart) = try Self.parse(mapping, path)
    } catch {
      munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count)
      throw error
    }
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count) }

  /// The names of all tensors, sorted.
  package var names: [String] { entries.keys.sorted() }

  package func contains(_ name: String) -> Bool { entries[name] != nil }

  package func shape(of name: String) throws(SafetensorsError) -> [Int] { try entry(name).shape }

  package func type(of name: String) throws(SafetensorsError) -> ElementType { try entry(name).type }

  /// The bytes of a tensor, little-endian, row-major.
  package func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let range = try entry(name).range
    return try body(
      UnsafeRawBufferPointer(rebasing: mapping[dataStart + range.lowerBound..<dataStart + range.upperBound]))
  }

  /// The elements of a tensor of any type as floats, row-major.
  package func floats(of name: String) throws(SafetensorsError) -> [Float] {
    let entry = try entry(name)
    let range = dataStart + entry.range.lowerBound..<dataStart + entry.range.upperBound
    return entry.type.floats(UnsafeRawBufferPointer(rebasing: mapping[range]))
  }

  /// A tensor on a device.
  package func tensor(_ name: String, on device: Device = .default) throws(SafetensorsError) -> Tensor {
    Tensor(try floats(of: name), shape: Shape(try entry(name).shape), on: device)
  }

  private func entry(_ name: String) throws(SafetensorsError) -> Entry {
    guard let entry = entries[name] else { throw .missing(path: path, tensor: name) }
    return entry
  }

  private static func map(_ path: String) throws(SafetensorsError) -> UnsafeRawBufferPointer {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .cannotOpen(path: path, errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .cannotOpen(path: path, errno: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
    }
    let size = Int(status.st_size)
    guard size >= 8 else { throw .tooShort(path: path, bytes: size) }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw .cannotOpen(path: path, errno: errno)
    }
    return UnsafeRawBufferPointer(start: address, count: size)
  }

  private static func parse(
    _ bytes: UnsafeRawBufferPointer, _ path: String
  ) throws(SafetensorsError) -> ([String: Entry], [String: String], Int) {
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= 100_000_000 else { throw .headerTooLong(path: path, bytes: length) }
    guard length <= UInt64(bytes.count - 8) else {
      throw .headerBeyondEnd(path: path, header: length, file: bytes.count)
    }
    let dataStart = 8 + Int(length)
    let header = Data(bytes[8..<dataStart])
    guard String(data: header, encoding: .utf8) != nil else { throw .notText(path: path) }
    guard header.first == UInt8(ascii: "{") else {
      throw .notAHeader(path: path, problem: "the header does not begin with {")
    }
    let object: [String: HeaderValue]
    do {
      object = try JSONDecoder().decode([String: HeaderValue].self, from: header)
    } catch {
      throw .notAHeader(path: path, problem: "the header is not the JSON of a safetensors file")
    }
    var metadata: [String: String] = [:]
    var entries: [String: Entry] = [:]
    for (name, value) in object {
      switch value {
      case .metadata(let values):
        guard name == "__metadata__" else {
          throw .notAHeader(path: path, problem: "\(name) describes no tensor")
        }
        metadata = values
      case .tensor(let tensor):
        guard let type = ElementType(rawValue: tensor.dtype) else {
          throw .unknownType(path: path, tensor: name, type: tensor.dtype)
        }
        var expected = type.byteCount
        for extent in tensor.shape {
          let (product, overflow) = expected.multipliedReportingOverflow(by: extent)
          guard extent >= 0, !overflow else {
            throw .badShape(path: path, tensor: name, shape: tensor.shape)
          }
          expected = product
        }
        let offsets = tensor.data_offsets
        guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0] else {
          throw .badOffsets(
            path: path, tensor: name, begin: offsets.first ?? -1, end: offsets.last ?? -1)
        }
        guard offsets[1] - offsets[0] == expected else {
          throw .wrongSize(
            path: path, tensor: name, expected: expected, found: offsets[1] - offsets[0])
        }
        entries[name] = Entry(type: type, shape: tensor.shape, range: offsets[0]..<offsets[1])
      }
    }
    var end = 0
    let ordered = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    for (name, entry) in ordered {
      guard entry.range.lowerBound == end else {
        throw .hole(path: path, tensor: name, expected: end, found: entry.range.lowerBound)
      }
      end = entry.range.upperBound
    }
    guard end == bytes.count - dataStart else {
      throw .wrongLength(path: path, expected: end, found: bytes.count - dataStart)
    }
    return (entries, metadata, dataStart)
  }
}

/// One value of the header: a tensor's description or the metadata.
private enum HeaderValue: Decodable {
  struct TensorDescription: Decodable {
    let dtype: String
    let shape: [Int]
    // The format's own key.
    let data_offsets: [Int]
  }

  case tensor(TensorDescription)
  case metadata([String: String])

  init(from decoder: any Decoder) throws {
    if let values = try? [String: String](from: decoder), values["dtype"] == nil {
      self = .metadata(values)
    } else {
      self = .tensor(try TensorDescription(from: decoder))
    }
  }
}
