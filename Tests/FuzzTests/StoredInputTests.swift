// Every stored input of the fuzzer, those among them that were a defect once.

import Foundation
import FuzzTargets
import Testing

struct StoredInputTests {
  @Test(arguments: FuzzTarget.all.map(\.name))
  func storedInputs(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let folder = URL(fileURLWithPath: FuzzTarget.corpusPath).appendingPathComponent(name)
    let inputs = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(!inputs.isEmpty)
    let scratch = try ScratchFolder()
    for input in inputs {
      let bytes = try Data(contentsOf: folder.appendingPathComponent(input))
      do {
        try target.read(Array(bytes), scratch)
        #expect(!input.hasPrefix("bad-"), "\(input) was read")
      } catch {
        #expect(!input.hasPrefix("good-"), "\(input): \(error)")
      }
    }
  }
}
