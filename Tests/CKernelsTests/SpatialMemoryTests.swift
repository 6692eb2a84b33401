import CKernels
import Testing

@Suite struct SpatialMemoryTests {
  @Test(arguments: [0, 1, 64, 1000, 1 << 20, 2 << 20, (2 << 20) + 4, 5_000_000])
  func allocationIsAligned(bytes: Int) throws {
    let memory = try #require(ck_allocate(bytes))
    defer { ck_deallocate(memory) }
    #expect(UInt(bitPattern: memory) % (bytes < 2 << 20 ? 64 : 2 << 20) == 0)
    memory.initializeMemory(as: UInt8.self, repeating: 0xA5, count: bytes)
  }

  @Test func impossibleAllocationIsNil() {
    #expect(ck_allocate(-1) == nil)
    #expect(ck_allocate(1 << 60) == nil)
  }

  @Test(arguments: [0, 1, 17, 65_536, 65_537, 200_003])
  func copyAndFillTouchExactlyTheirCount(count: Int) {
    let from = values(count, seed: 1)
    var to = [Float](repeating: 7, count: count + 3)
    ck_copy(from, &to, count)
    #expect(to == from + [7, 7, 7])
    ck_fill(&to, 2.5, count)
    #expect(to == [Float](repeating: 2.5, count: count) + [7, 7, 7])
  }
}
