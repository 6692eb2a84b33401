# swift-vqgan: build, tests and experiments. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.NOTPARALLEL:  # one step uses all cores
.PHONY: help setup packages build demo montezuma dream published rooms coco coco-half coco-wide coco-segmentation test test-times \
	test-portable test-isa test-arm fault-test fuzz sanitize test-files test-masks interop interop-torch interop-iris \
	interop-metrics interop-play bench bench-compare compare-tokenizers compare-codebooks race lint format check clean \
	install uninstall package

BUILD := .build
SWIFTFLAGS := -c release --scratch-path $(BUILD)
BIN = $(BUILD)/release

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

setup: packages .venv/ready  ## install what is missing: Debian packages, Python packages for the checkers

packages:
	Tools/setup.sh

build:  ## build the commands in release mode
	@swift build $(SWIFTFLAGS) >&2

PREFIX ?= $(HOME)/.local
DESTDIR ?=

install: build  ## copy the commands, their man pages and completions to PREFIX=~/.local
	@python3 Tools/install.py $(BIN) --prefix '$(PREFIX)' --destdir '$(DESTDIR)'

uninstall:  ## remove what make install has copied to PREFIX=~/.local
	@python3 Tools/install.py --remove --prefix '$(PREFIX)' --destdir '$(DESTDIR)'

package:  ## a tarball and a Debian package in dist/, with the Swift runtime inside the programs
	@swift build -c release --scratch-path .build-package --static-swift-stdlib >&2
	@python3 Tools/package.py .build-package/release --out dist

test:  ## check the files with h5py and safetensors, then run all tests in release mode
	swift build $(SWIFTFLAGS) --build-tests
	$(MAKE) --no-print-directory test-files BUILD=$(BUILD)
	swift test $(SWIFTFLAGS) --skip-build

test-times: .venv/ready  ## run the tests one by one, and list the suites by the seconds that they took
	swift test $(SWIFTFLAGS) --skip-build --no-parallel --xunit-output $(BUILD)/tests.xml
	.venv/bin/python Tools/test-times.py $(BUILD)/tests-swift-testing.xml

INPUTS ?= 5000
SEED ?= 1

.PHONY: mutation-sweep
mutation-sweep: build  ## read INPUTS=5000 changed files of each kind, SEED=1; the summary is JSON
	@$(BIN)/mutation-sweep --inputs $(INPUTS) --seed $(SEED)

test-portable:  ## the same, built without the libraries that can be left out
	$(MAKE) --no-print-directory test BUILD=.build-portable \
	  SWIFTFLAGS="-c release --scratch-path .build-portable --disable-default-traits"

NUMERIC = ^(CKernels|TensorCore|NN|Models|TamingCheckpoints|Training)Tests\.|ParityCommandTests|ConvertCheckpointTests
# A build for one instruction set instead of a choice at run time.
ONE_CLONE = -Xcc -DCK_ONE_CLONE -Xcc -march=

test-isa:  ## build for older processors, one after the other, and run the numeric tests
	for isa in x86-64 x86-64-v3; do echo "== $$isa"; \
	  swift test -c release --scratch-path .build-$$isa $(ONE_CLONE)$$isa --filter '$(NUMERIC)' || exit 1; done

KERNELS = $(wildcard Sources/CKernels/*.c)

# Headers of the libraries are the same for every processor.
ARM_HEADERS = -isystem /usr/aarch64-linux-gnu/include $(shell pkg-config --cflags hdf5 libpng libjpeg) \
	-idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu

test-arm:  ## compile all C for ARM, its branches for macOS too; check the kernels under an emulator (qemu-user)
	for file in Sources/C*/*.c; do clang --target=aarch64-linux-gnu -fsyntax-only -Wall -Werror -DHAS_LIBDEFLATE \
	  $(ARM_HEADERS) -I$$(dirname $$file)/include $$file || exit 1; done
	Tests/check-darwin.sh
	mkdir -p $(BUILD)
	clang --target=aarch64-linux-gnu -O2 -static -fuse-ld=/usr/bin/aarch64-linux-gnu-ld -ISources/CKernels/include \
	  -ISources/CKernels $(KERNELS) Tests/kernels-check.c -lm -lpthread -o $(BUILD)/kernels-check-arm
	qemu-aarch64 $(BUILD)/kernels-check-arm

FAULTS ?=

fault-test: build  ## make every system call fail under every command that writes; FAULTS="--seconds 60" for a part
	@python3 Tests/fault-test.py $(BIN) $(FAULTS)

test-files: .venv/ready
	Tests/check-files.sh $(BIN) .venv/bin/python

interop: build .venv/tensorboard  ## read the event files of a run with TensorBoard
	Tests/check-events.sh $(BIN) .venv/bin/python

ANNOTATIONS ?= coco/annotations

test-masks: .venv/ready  ## compare masks of 100 photos of COCO in ANNOTATIONS=folder with those stored of pycocotools
	.venv/bin/python Tests/Fixtures/coco/masks.py stored $(ANNOTATIONS)/instances_train2017.json \
	  $(ANNOTATIONS)/stuff_train2017.json

PHOTOS ?= Datasets/montezuma/screens
COUNT ?= 8
METRIC_IMAGES ?= $(PHOTOS)

interop-torch: build .venv/torch  ## convert checkpoints from and to PyTorch, and compare codes of PHOTOS=folder COUNT=8
	.venv/bin/python Tests/CheckpointsTests/check_with_torch.py $(BIN)
	Tests/check-reference.sh $(BIN) .venv/bin/python $(PHOTOS) $(COUNT)
	Tests/check-tokenizers.sh $(BIN) .venv/bin/python $(PHOTOS)

interop-iris: .venv/torch  ## compare an agent of IRIS of the published shape, with random weights, with PyTorch
	.venv/bin/python Tools/pytorch_iris.py $(BUILD)/iris
	IRIS=$(abspath $(BUILD))/iris swift test $(SWIFTFLAGS) --filter IRISParityTests

interop-metrics: build .venv/metrics  ## evaluate beside pytorch-fid, torch-fidelity, clean-fid, prdc, lpips, skimage
	.venv/bin/python Tests/check-metrics.py $(BIN)/evaluate $(METRIC_IMAGES)

WORLD ?=

interop-play: build .venv/selenium  ## play a world model, new or WORLD=run, in headless Chromium (chromium-driver)
	.venv/bin/python Tests/check-play.py $(BIN) $(addprefix --world ,$(WORLD))

VQGANS ?= runs/demo/vqgan
TOKENIZERS ?= runs/tokenizers
LPIPS ?=
FEATURES ?=

compare-tokenizers: build .venv/ready  ## PHOTOS=folder by VQGANS="a b": table, sheet; COUNT= SIZE= LPIPS= FEATURES=
	.venv/bin/python Tools/compare-tokenizers.py $(BIN) $(PHOTOS) $(VQGANS) --size $(SIZE) --count $(COUNT) \
	  --out $(TOKENIZERS) $(addprefix --lpips ,$(LPIPS)) $(addprefix --features ,$(FEATURES))

SHARDS ?= runs/demo/shards
CODEBOOKS ?= runs/codebooks
OPTIONS ?=

compare-codebooks: build  ## VQGAN and GPT for each of ten codebooks on SHARDS=folder: a table; OPTIONS="--steps N"
	@Tools/compare-codebooks.py $(BIN) $(SHARDS) --out $(CODEBOOKS) $(OPTIONS)

RACE ?= runs/race

race: build .venv/race  ## training beside PyTorch on photos of COCO=folder, by the clock; LPIPS= OPTIONS="--minutes 15"
	$(BIN)/prep-coco $(COCO) --size 128 --holdout 20 --quiet --out $(RACE)/shards >/dev/null
	$(BIN)/prep-coco $(COCO) --size 128 --margin 16 --holdout 20 --quiet --out $(RACE)/wide >/dev/null
	.venv/bin/python Tools/race.py $(BIN) $(RACE)/shards --wide $(RACE)/wide $(addprefix --lpips ,$(LPIPS)) \
	  --out $(RACE)/runs $(OPTIONS)

bench: build  ## times of real work, one JSON line each
	$(BIN)/bench

bench-compare: build .venv/torch  ## the same work in PyTorch, in float32 and bfloat16, both in turns, and the ratios
	.venv/bin/python Tools/compare-bench.py $(BIN)/bench
	.venv/bin/python Tools/compare-bench.py $(BIN)/bench --precision bfloat16

SECONDS ?= 60
TARGETS ?=
fuzz-build = .build-fuzz/release

fuzz:  ## every parser under libFuzzer and AddressSanitizer, two at a time, SECONDS=60 each, all or TARGETS="pickle png"
	@LIBFUZZER=$$(clang -print-file-name=libclang_rt.fuzzer_no_main-x86_64.a) swift build -c release --product fuzz \
	  --scratch-path .build-fuzz --sanitize=address -Xswiftc -Xfrontend -Xswiftc -sanitize=fuzzer \
	  -Xcc -fsanitize=fuzzer-no-link -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined >&2
	@Tests/fuzz.py $(fuzz-build)/fuzz $(SECONDS) $(TARGETS)

sanitize:  ## the tests under AddressSanitizer with UndefinedBehaviorSanitizer, and under ThreadSanitizer
	@Tests/sanitize.py

lint:  ## check the code's form
	swift format lint --strict --recursive --parallel Sources Tests Package.swift

format:  ## bring the code into form
	swift format --in-place --recursive --parallel Sources Tests Package.swift

check: lint build test  ## what to run before a commit

clean:  ## remove what was built, but not runs/
	rm -rf .build .build-portable .build-fuzz .build-address .build-thread .build-package dist .venv

.venv/ready: Tests/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.venv/atari: .venv/ready
	.venv/bin/pip install --quiet --disable-pip-version-check ale-py==0.12.1
	touch $@

.venv/tensorboard: .venv/ready
	.venv/bin/pip install --quiet --disable-pip-version-check tensorboard==2.20.0
	touch $@

.venv/selenium: .venv/ready
	.venv/bin/pip install --quiet --disable-pip-version-check selenium==4.51.0
	touch $@

.venv/torch: .venv/ready
	.venv/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 packaging==25.0 \
		--extra-index-url https://download.pytorch.org/whl/cpu
	touch $@

.venv/race: .venv/torch
	.venv/bin/pip install --quiet --disable-pip-version-check matplotlib==3.10.7
	touch $@

.venv/metrics: .venv/torch
	.venv/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 torchvision==0.28.0 \
		pytorch-fid==0.3.0 torch-fidelity==0.4.0 clean-fid==0.1.35 prdc==0.2 lpips==0.1.4 scikit-image \
		--extra-index-url https://download.pytorch.org/whl/cpu
	touch $@

# Experiments. Each step keeps what it printed, the paths of its results, and the next step reads them from there; a
# step that was cut short has no such file and goes on where it stopped. Options are set by the name of the experiment,
# and depended on like files: a step whose options have changed since it ran is run again, and so are those after it.

DATA ?= Datasets/montezuma
DEMO_SIZE ?= 104
DEMO_VQGAN_STEPS ?= 4500
DEMO_GPT_STEPS ?= 2400

demo/shards = prep-atari $(DATA) --size $(DEMO_SIZE) --holdout 30,32
demo/vqgan = --preset small --codes 2048 --change-weight 5 --ema 0.998
demo/vqgan-steps = $(DEMO_VQGAN_STEPS)
demo/gpt = --batch-size 4
demo/gpt-steps = $(DEMO_GPT_STEPS)
demo/samples = --count 16 --top-p 0.95

# Native frames in their own colours: codes are tiles of 8×8 pixels, 520 for a frame.
MONTEZUMA_VQGAN_STEPS ?= 100
MONTEZUMA_GPT_STEPS ?= 3000

montezuma/shards = prep-atari $(DATA) --palette --holdout 30,32
montezuma/vqgan = --preset tiles
montezuma/vqgan-steps = $(MONTEZUMA_VQGAN_STEPS)
montezuma/gpt = --batch-size 4
montezuma/gpt-steps = $(MONTEZUMA_GPT_STEPS)
montezuma/samples = --count 32 --top-p 0.95

# A world model of half-size frames in their own colours, 10×13 tiles each, of recordings made on the spot.
DREAM_EPISODES ?= 60
DREAM_VQGAN_STEPS ?= 100
DREAM_WORLD_STEPS ?= 6000

dream/recordings = --policy mix --life-ends --episodes $(DREAM_EPISODES)
dream/shards = prep-atari runs/dream/recordings --palette --size 80x104 --holdout 1050-1059
dream/vqgan = --preset tiles
dream/vqgan-steps = $(DREAM_VQGAN_STEPS)
dream/world = --keep-best
dream/world-steps = $(DREAM_WORLD_STEPS)

# The published experiment: 13×13 of 1024 codes for a frame.
PUBLISHED_VQGAN_STEPS ?= 50000
PUBLISHED_GPT_STEPS ?= 20000

published/shards = prep-atari $(DATA) --size 208 --holdout 30,32
published/vqgan = --preset f16
published/vqgan-steps = $(PUBLISHED_VQGAN_STEPS)
published/gpt = --layers 12 --width 512
published/gpt-steps = $(PUBLISHED_GPT_STEPS)

# Rooms of the game as a condition: an image of each room tells the frames apart.
ROOMS ?= $(DATA)/rooms
ROOMS_SIZE ?= 64
ROOMS_VQGAN_STEPS ?= 2500
ROOMS_GPT_STEPS ?= 1500
ROOMS_LABELS ?= 1,2,3,4,5,6,7,8,9

rooms/shards = prep-atari $(DATA) --size $(ROOMS_SIZE) --holdout 30,32 --rooms $(ROOMS)
rooms/vqgan = --preset small
rooms/vqgan-steps = $(ROOMS_VQGAN_STEPS)
rooms/gpt = --condition label:room --condition-dropout 0.1 --ema 0.995
rooms/gpt-steps = $(ROOMS_GPT_STEPS)
rooms/samples = --label $(ROOMS_LABELS) --count 81 --temperature 0.7 --top-k 100 --codes-out runs/rooms/drawn.h5

# make coco COCO=~/coco [SIZE=256] [MARGIN=20] [PRESET=f16] [STEPS=50000] [GPT_STEPS=50000]; each size and preset has a
# folder of its own. Without val2017/ every tenth image is held out. The f16 of the published COCO model has 8192 codes;
# its GPT was halved. With MARGIN the VQGAN learns from random squares of images that are larger by so many pixels on
# each side, which have shards of their own, wide/; the codes are those of the middles.
COCO ?= $(HOME)/coco
SIZE ?= 256
MARGIN ?= 0
PRESET ?= f16
STEPS ?= 50000
GPT_STEPS ?= $(STEPS)
# none, annotations or stuffthingmaps: with label maps the GPT is conditioned by their codes, those of a second VQGAN.
SEGMENTATION ?= none
SEGMENTATION_STEPS ?= $(STEPS)
HALF ?= top
TEMPERATURES ?= 0.5,1,2
TOP_K ?= 100
half := --half $(HALF) --temperature $(TEMPERATURES) --top-k $(TOP_K)
larger := --top-k $(TOP_K)
with-maps := $(filter-out none,$(SEGMENTATION))
coco-run := coco-$(PRESET)-$(SIZE)$(if $(with-maps),-$(SEGMENTATION))
maps-option := $(if $(with-maps),--segmentation $(SEGMENTATION))
has-val = $(wildcard $(COCO)/val2017 $(COCO)/images/val2017)

$(coco-run)/shards = prep-coco $(COCO) --size $(SIZE) $(if $(has-val),--split both,--holdout 10) $(maps-option)
$(coco-run)/wide = prep-coco $(COCO) --size $(SIZE) --margin $(MARGIN) $(if $(has-val),--split train,--holdout 10)
$(coco-run)/vqgan = --preset $(PRESET) $(if $(filter f16,$(PRESET)),--set model.n_embed=8192) --flip
$(coco-run)/vqgan-steps = $(STEPS)
$(coco-run)/gpt = --layers 12 --heads 16 --width 832
$(coco-run)/gpt-steps = $(GPT_STEPS)

ifneq ($(with-maps),)
$(coco-run)/segmentation = --input segmentation --preset $(PRESET)
$(coco-run)/segmentation-steps = $(SEGMENTATION_STEPS)
$(coco-run)/codes = --condition-vqgan runs/$(coco-run)/segmentation
$(coco-run)/gpt += --condition codes
$(coco-run)/samples = $($(coco-run)/maps) --count 8 \
	--temperature $(TEMPERATURES) --top-k $(TOP_K)
$(coco-run)/maps = --segmentation runs/$(coco-run)/shards/*-validation-*.h5
runs/$(coco-run)/codes.txt runs/$(coco-run)/validation-codes.txt: runs/$(coco-run)/segmentation.txt
endif

ifneq ($(MARGIN),0)
$(coco-run)/vqgan += --crop $(SIZE)
runs/$(coco-run)/vqgan.txt: runs/$(coco-run)/wide.txt
endif

demo:  ## the whole way on a small scale: frames, VQGAN, codes, GPT, samples in runs/demo
montezuma:  ## native frames of the game, exact in nearly all pixels, and samples of them; up to 90 minutes
dream:  ## records the game, trains a world model, dreams, prints the report card; up to 60 minutes
published:  ## the published experiment at full size; days on a CPU
rooms:  ## Montezuma with the room as condition: samples of each room, and whether they are of that room
coco:  ## COCO=FOLDER SIZE=256 MARGIN=0 PRESET=f16 STEPS=50000: the whole way on photos of COCO 2017
demo montezuma published rooms: run = $@
coco coco-half coco-wide: run = $(coco-run)
demo montezuma published coco: last = images
rooms: last = rooms
coco-half: last = half
coco-wide: last = larger
coco-half:  ## the same, then the other half of photos: HALF=top TEMPERATURES=0.5,1,2 TOP_K=100
coco-wide:  ## the same, then images of twice the size through a sliding window
coco-segmentation: packages build  ## the same with images drawn from label maps: SEGMENTATION=annotations
	$(MAKE) --no-print-directory coco SEGMENTATION=$(or $(with-maps),annotations)

demo montezuma published rooms coco coco-half coco-wide: packages build
	$(MAKE) --no-print-directory runs/$(run)/images.txt runs/$(run)/$(last).txt
	@echo "The images are in runs/$(run):"; sed 's/^/  /' runs/$(run)/$(last).txt

dream: packages build .venv/atari
	$(MAKE) --no-print-directory runs/dream/reconstructions.txt runs/dream/card.txt
	@cat runs/dream/card.report
	@echo "Reconstructions, dreams and the report card:"; cd runs/dream; sed 's/^/  /' reconstructions.txt card.txt
	@echo "To play: $(BIN)/play --world runs/dream/world"

# What a step prints gets its name when the step is over, so that not even a killed make leaves the half of it.
into = > $@.part && mv $@.part $@
# Whether file $(1) is there and newer than all of $(2).
newer = [ -e $(1) ] && [ -z "$$(find $(2) -newer $(1))" ]
# Removes folder $(1) of shards or codes unless what it is made of is still the same: a command refuses to mix the two.
renew = { $(call newer,$(1)/manifest.json,$^); } || rm -rf $(1)
# Trains by command $(1) in folder $(2) for $(4) steps: goes on where the same was begun, or puts what was made of other
# things aside, under the time of day, and starts with the options $(3).
define train
	@if $(call newer,$(2)/config.json,$(filter-out %.steps,$^)); then options=--resume; \
	else options='$(3)'; [ ! -e $(2) ] || mv $(2) $(2).$$(date +%Y%m%d-%H%M%S); fi; \
	set -x; $(BIN)/$(1) --out $(2) $$options --steps $(4) < $(firstword $(filter %/wide.txt,$^) $<) $(into)
endef
held-out = $(@D)/shards/*-validation-*.h5
# Keeps the options $(1) of a step in a file that is written only when they change.
note = @mkdir -p $(@D); echo '$(strip $(1))' | cmp -s - $@ || echo '$(strip $(1))' > $@

.SECONDARY:
.PHONY: always

# The options of a step are a variable by its name, of its run or of all runs.
runs/%.options: always
	$(call note,$(or $($*),$($(notdir $*))))

runs/%.steps: always
	$(call note,$($*-steps))

runs/%/shards.txt: runs/%/shards.options
	$(call renew,$(@D)/shards)
	$(BIN)/$($*/shards) --out $(@D)/shards $(into)

runs/%/wide.txt: runs/%/wide.options
	$(call renew,$(@D)/wide)
	$(BIN)/$($*/wide) --out $(@D)/wide $(into)

runs/$(coco-run)/shards.txt runs/$(coco-run)/wide.txt: $(wildcard $(COCO)/annotations/*2017.json)

runs/%/vqgan.txt: runs/%/shards.txt runs/%/vqgan.options runs/%/vqgan.steps
	$(call train,train-vqgan,$(@D)/vqgan,$($*/vqgan) --validation $(held-out),$($*/vqgan-steps))

runs/%/segmentation.txt: runs/%/shards.txt runs/%/segmentation.options runs/%/segmentation.steps
	$(call train,train-vqgan,$(@D)/segmentation,$($*/segmentation) --validation $(held-out),$($*/segmentation-steps))

runs/%/reconstructions.txt: runs/%/vqgan.txt
	rm -rf $(@D)/reconstructions
	$(BIN)/reconstruct $(held-out) --vqgan $(@D)/vqgan --out $(@D)/reconstructions $(into)

runs/%/codes.txt: runs/%/vqgan.txt
	$(call renew,$(@D)/codes)
	$(strip $(BIN)/encode-dataset --vqgan $(@D)/vqgan $($*/codes) --out $(@D)/codes) < $(@D)/shards.txt $(into)

runs/%/validation-codes.txt: runs/%/vqgan.txt
	$(call renew,$(@D)/validation-codes)
	$(strip $(BIN)/encode-dataset $(held-out) --vqgan $(@D)/vqgan $($*/codes) --out $(@D)/validation-codes) $(into)

runs/%/codebook.txt: runs/%/codes.txt
	rm -rf $(@D)/codebook
	$(BIN)/codebook-report --vqgan $(@D)/vqgan --out $(@D)/codebook < $< $(into)

runs/%/gpt.txt: runs/%/codes.txt runs/%/validation-codes.txt runs/%/gpt.options runs/%/gpt.steps
	$(call train,train-gpt,$(@D)/gpt,$($*/gpt) --validation $(@D)/validation-codes/*.h5,$($*/gpt-steps))

runs/%/recordings.txt: runs/%/recordings.options | .venv/atari
	rm -rf $(@D)/recordings
	record() { .venv/bin/python Tools/record-atari.py $($*/recordings) --from $(DATA)/trajectories/revenge/*.txt \
	  --out $(@D)/recordings "$$@"; }; \
	{ record --first-id 1000 & record --first-id 2000 --seed 1000; wait $$!; } $(into)

runs/dream/shards.txt: runs/dream/recordings.txt

runs/%/world.txt: runs/%/codes.txt runs/%/validation-codes.txt runs/%/world.options runs/%/world.steps
	$(call train,train-world,$(@D)/world,$($*/world) --validation $(@D)/validation-codes/*.h5,$($*/world-steps))

runs/%/dreams.txt: runs/%/world.txt
	rm -rf $(@D)/dreams
	$(BIN)/dream --world $(@D)/world --from-codes $(@D)/validation-codes --images $(held-out) \
	  --out $(@D)/dreams $(into)

runs/%/card.txt: runs/%/dreams.txt
	rm -rf $(@D)/card
	$(BIN)/dream --world $(@D)/world --from-codes $(@D)/validation-codes --images $(held-out) --known $(@D)/codes \
	  --evaluate --out $(@D)/card > $(@D)/card.report
	cat $< > $@; ls $(@D)/card/* >> $@

runs/%/samples.txt: runs/%/gpt.txt runs/%/samples.options
	rm -rf $(@D)/samples $(@D)/drawn.h5
	$(BIN)/sample-gpt --gpt $(@D)/gpt --vqgan $(@D)/vqgan $(or $($*/samples),--count 16) --out $(@D)/samples $(into)

runs/%/half.txt: runs/%/gpt.txt runs/%/half.options
	rm -rf $(@D)/half
	$(BIN)/sample-gpt --gpt $(@D)/gpt --vqgan $(@D)/vqgan --from-image $(held-out) $($*/maps) \
	  --count 8 $(half) --out $(@D)/half $(into)

runs/%/larger.txt: runs/%/gpt.txt runs/%/larger.options
	rm -rf $(@D)/larger
	$(BIN)/sample-gpt --gpt $(@D)/gpt --vqgan $(@D)/vqgan --scale 2 $($*/maps) --count 4 \
	  $(larger) --out $(@D)/larger $(into)

runs/%/rooms.txt: runs/%/samples.txt .venv/ready
	rm -rf $(@D)/samples-shards $(@D)/samples-codes
	$(BIN)/prep-images $(@D)/samples --size $(ROOMS_SIZE) --out $(@D)/samples-shards > $(@D)/samples-shards.txt
	$(BIN)/encode-dataset --vqgan $(@D)/vqgan --out $(@D)/samples-codes \
	  < $(@D)/samples-shards.txt > $(@D)/samples-codes.txt
	.venv/bin/python Tools/nearest_rooms.py room $$(cat $(@D)/codes.txt) --samples $$(cat $(@D)/samples-codes.txt) \
	  --drawn $(@D)/drawn.h5 > $(@D)/rooms.report
	cat $(@D)/rooms.report; echo $(@D)/rooms.report > $@

runs/%/images.txt: runs/%/reconstructions.txt runs/%/codebook.txt runs/%/samples.txt
	cat $^ > $@
