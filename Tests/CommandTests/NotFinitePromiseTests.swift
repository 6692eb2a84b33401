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

  /// One step in ten that is skipped is bad luck; ten in a row, or all of a run, are its end.
  @Test func stepsThatAreSkippedAreCountedAndLimited() throws {
    let place = try Workplace()
    let train = "\(Workplace.gpt) --learning-rate 1e19 --warmup 0 --schedule constant --log-every 1"
    let outcome = try shell(
      """
      \(train) --on-nonfinite skip --steps 10 --out few --json 2> errors; echo $?; tail -n 1 errors
      \(train) --on-nonfinite skip --steps 1000000 --checkpoint-every 1000000 --out all; echo $?
      ls all/checkpoints
      train-gpt --out few --resume --steps 30 --quiet 2> errors; echo $?; tail -n 1 errors
      \(Workplace.gpt) --out good --steps 2 --json
      """, in: place.folder)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 9, "\(outcome)")
    #expect(lines[0] == #"{"path":"few","skipped_steps":9,"version":1}"# && lines[1] == "0")
    #expect(lines[2].hasPrefix("warning: few: 9 of 10 steps were skipped"), "\(lines[2])")
    #expect(lines[3...5] == ["65", "last", "step-000001"], "\(lines)")
    #expect(
      outcome.errors.contains("train-gpt: all: step 11: ")
        && outcome.errors.contains(
          "is not finite, and 10 steps in a row were skipped; the checkpoint of step 1 stays: "
            + "begin a new run from it with --init-from all"),
      "\(outcome.errors)")
    // The tenth in a row is that of the run that goes on.
    #expect(lines[6] == "65" && lines[7].contains("few: step 11: "), "\(lines)")
    #expect(lines[8] == #"{"path":"good","skipped_steps":0,"version":1}"#)
  }

  /// The loss of the second step overflows: the message's advice can be followed.
  @Test func aLossThatIsNotFiniteStopsTheTraining() throws {
    let place = try Workplace()
    let outcome = try shell(
      """
      \(Workplace.gpt) --out N --steps 4 --learning-rate 1e19 --warmup 0 --schedule constant
      echo $?; ls N/checkpoints
      train-gpt --out N --resume --on-nonfinite skip --quiet 2> skipped; echo $?
      grep -c 'is not finite; the step is skipped' skipped; ls N/checkpoints
      """, in: place.folder)
    #expect(
      outcome.output == "65\nlast\nstep-000001\nN\n0\n3\nlast\nstep-000001\nstep-000004\n",
      "\(outcome.output)\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("train-gpt: N: step 2: the "), "\(outcome.errors)")
    #expect(outcome.errors.contains("is not finite; the checkpoint of step 1 stays"))
  }
}
