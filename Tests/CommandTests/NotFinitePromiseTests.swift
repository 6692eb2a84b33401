// Promises of the README that every command keeps, held against one command of each family.
import Checkpoints
import DurableFiles
import TestSupport
import Testing
import Training

@Suite("Numbers that are not finite, in all commands")
struct NotFinitePromiseTests {
  /// Every command that reads a GPT's weights, its averages or the states of its optimizer.
  @Test(arguments: [
    ("model", "sample-gpt --gpt bad --count 1 --out S"),
    ("model", "train-gpt --out bad --resume --steps 3"),
    ("model", "train-gpt train.h5 --init-from bad --steps 1 --out T"),
    ("model", "convert-checkpoint bad --to taming --out g.ckpt"),
    ("ema", "sample-gpt --gpt bad --count 1 --out S"),
    ("ema", "train-gpt --out bad --resume --steps 3"),
    ("ema", "train-gpt train.h5 --init-from bad --steps 1 --out T"),
    ("ema", "convert-checkpoint bad --to taming --out g.ckpt"),
    ("optimizer", "train-gpt --out bad --resume --steps 3"),
    ("optimizer", "train-gpt train.h5 --init-from bad --init-optimizer --steps 1 --out T"),
  ])
  func aGPTsWeightsThatAreNotFiniteAreRefused(part: String, command: String) throws {
    let place = try Workplace()
    let made = try shell(
      "\(Workplace.gpt) \(part == "ema" ? "--ema 0.9" : "") --out bad --steps 2", in: place.folder)
    #expect(made.status == 0, "\(made.errors)")
    let checkpoint = try RunFolder(place.folder("bad")).lastCheckpoint()
    try removeChecksums(ofCheckpoint: checkpoint)  // or it ends before
    let path = "\(checkpoint)/\(part).safetensors"
    let file = try SafetensorsFile(path)
    let name = try #require(file.names.last { $0.contains("mlp") })
    try SafetensorsWriter.write(
      try file.names.map { tensor in
        var values = try file.floats(of: tensor)
        if tensor == name { values[1] = -.infinity }
        return SafetensorsEntry(tensor, shape: try file.shape(of: tensor), floats: values)
      }, to: path)
    let outcome = try shell("\(command) --quiet", in: place.folder)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("\(part).safetensors: \(name): holds values that are not finite"),
      "\(outcome.errors)")
    #expect(!DurableFile.exists(place.folder("g.ckpt")))
  }

  /// Finite weights of which no result is: the file is named whose weights are used.
  @Test(arguments: ["model", "ema"])
  func aVQGANsWeightsThatAreTooLargeAreRefused(part: String) throws {
    let place = try Workplace()
    let options = part == "ema" ? "--ema 0.9" : ""
    let made = try shell("\(Workplace.vqgan) \(options) --out bad --steps 1", in: place.folder)
    #expect(made.status == 0, "\(made.errors)")
    let checkpoint = try RunFolder(place.folder("bad")).lastCheckpoint()
    DurableFile.remove("\(checkpoint)/state.json")
    let path = "\(checkpoint)/\(part).safetensors"
    let file = try SafetensorsFile(path)
    try SafetensorsWriter.write(
      try file.names.map { tensor in
        SafetensorsEntry(
          tensor, shape: try file.shape(of: tensor),
          floats: try file.floats(of: tensor).map { $0 * 1e20 })
      }, to: path)
    for command in [
      "encode-dataset images.h5 --vqgan bad --out X", "reconstruct images.h5 --vqgan bad --out X",
      "decode-dataset train.h5 --vqgan bad --out X",
    ] {
      let outcome = try shell("\(command) --quiet", in: place.folder)
      #expect(outcome.status == 65, "\(outcome.errors)")
      #expect(
        outcome.errors.contains(
          "/\(part).safetensors: gives NaN or infinity for the latents of an image: the weights "
            + "are too large"), "\(outcome.errors)")
    }
  }

  /// The largest weight is named, whatever it is that overflows first.
  @Test(arguments: [
    ("1e38", Workplace.gpt), ("1e38", Workplace.vqgan), ("1e19", Workplace.gpt),
    ("1e25", Workplace.vqgan),
  ])
  func theTensorOfALossThatIsNotFiniteIsNamed(rate: String, train: String) throws {
    let place = try Workplace()
    let outcome = try shell(
      "\(train) --out N --steps 9 --learning-rate \(rate) --warmup 0 --schedule constant",
      in: place.folder)
    #expect(outcome.status == 65, "\(outcome)")
    let names =
      #/(the largest (weight|value) is [0-9.e+-]+, of|the gradient of|N: step .:) [a-z_0-9.]+/#
    #expect(try names.firstMatch(in: outcome.errors) != nil, "\(outcome.errors)")
  }

  /// A loss that overflows because of the weights ends a training that skips steps, too: they are
  /// not saved, and the message's advice can be followed.
  @Test(arguments: [
    ("1e38", Workplace.gpt, "sample-gpt --gpt good --count 1"),
    ("1e19", Workplace.gpt, "sample-gpt --gpt good --count 1"),
    ("1e38", Workplace.vqgan, "reconstruct images.h5 --vqgan good --count 1"),
    ("1e12", Workplace.vqgan, "reconstruct images.h5 --vqgan good --count 1"),
  ])
  func aLossThatIsNotFiniteStopsTheTraining(rate: String, train: String, use: String) throws {
    let place = try Workplace()
    let outcome = try shell(
      """
      large="--steps 4 --learning-rate \(rate) --warmup 0 --schedule constant"
      for options in "--checkpoint-every 1" "" "--on-nonfinite skip"; do
        \(train) --out N $large $options; echo $?; ls N/checkpoints; rm -r N
      done
      \(train) --out good --steps 2 --learning-rate 1e-4 > path &&
        \(use) --out S --quiet > paths
      """, in: place.folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output == "65\n65\n65\n", "\(outcome)")
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.count == 3, "\(outcome.errors)")
    for line in lines {
      #expect(
        line.hasSuffix(
          "is not finite; there is no checkpoint to go on from: begin a new run with a lower "
            + "--learning-rate"), "\(line)")
    }
  }
}
