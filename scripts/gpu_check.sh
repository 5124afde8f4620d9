#!/usr/bin/env bash
# Check vidstyle on a CUDA GPU: its tests, its speed, and its frames against those of the processor.
#
#   scripts/gpu_check.sh               run the check, in at most 8 minutes
#   scripts/gpu_check.sh --fetch 3.12  download packages for a GPU machine without network: Python 3.12
#
# Exit status: 0 all passed, 1 something failed, 3 no CUDA device.
#
# Python is $PYTHON, else .venv/bin/python, else python3. Only PyTorch, torchvision and NumPy must be
# installed. Other packages that are missing are installed into a temporary folder, in the locked
# versions: from $WHEELS (.cache/wheels) if that folder is there, else from the package index.
# --fetch fills $WHEELS; SKIP="NAME…" leaves packages out that the GPU machine has, such as
# opencv-contrib-python-headless, of which any build of OpenCV will do.
# DEVICE=cpu tries the script itself on a machine without a GPU, where `make setup` has been run.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
readonly DEVICE=${DEVICE:-cuda} WHEELS=${WHEELS:-.cache/wheels} LIMIT=475
readonly CLIP=samples/demo.mp4 PIPELINE=pipelines/temporal.yaml

# Module and distribution of all that the check imports, PyTorch, torchvision and NumPy apart.
readonly PACKAGES=(annotated_doc:annotated-doc annotated_types:annotated-types av:av click:click
	cv2:opencv-contrib-python-headless filelock:filelock iniconfig:iniconfig
	markdown_it:markdown-it-py mdurl:mdurl packaging:packaging pluggy:pluggy pydantic:pydantic
	pydantic_core:pydantic-core pygments:pygments pytest:pytest pytest_timeout:pytest-timeout
	rich:rich safetensors:safetensors shellingham:shellingham typer:typer
	typing_extensions:typing-extensions typing_inspection:typing-inspection yaml:pyyaml)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# Write the lock's lines, hashes included, of the distributions in the arguments.
locked() {
	awk -v names="$*" '
		BEGIN { split(names, list, " "); for (i in list) absent[list[i]] = wanted[list[i]] = 1 }
		/^[a-z0-9]/ { split($0, part, "=="); keep = part[1] in wanted; delete absent[part[1]] }
		keep
		END {
			for (name in absent) { print name " is not in requirements.lock" >"/dev/stderr"; bad = 1 }
			exit bad
		}' requirements.lock
}

# Download the packages for the Python version in the argument.
fetch() {
	local names=() pair
	for pair in "${PACKAGES[@]}"; do
		case " ${SKIP:-} " in *" ${pair#*:} "*) ;; *) names+=("${pair#*:}") ;; esac
	done
	locked "${names[@]}" >"$work/lock.txt" || return
	mkdir -p "$WHEELS"
	"$PYTHON" -m pip download --quiet --no-deps --only-binary=:all: --python-version "$1" \
		--platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
		--platform manylinux2014_x86_64 --require-hashes -d "$WHEELS" -r "$work/lock.txt" \
		&& du -sh "$WHEELS"
}

# Install what is missing, beside and not into the environment of this Python.
install_missing() {
	local missing
	mapfile -t missing < <("$PYTHON" - "${PACKAGES[@]}" <<-'END'
		import sys
		from importlib.util import find_spec
		pairs = [pair.split(":") for pair in sys.argv[1:]]
		print(*(name for module, name in pairs if find_spec(module) is None), sep="\n")
	END
	)
	[ -n "${missing[*]}" ] || return 0
	echo "installing into a temporary folder: ${missing[*]}"
	locked "${missing[@]}" >"$work/lock.txt" || return
	local index=()
	[ ! -d "$WHEELS" ] || index=(--no-index --find-links "$WHEELS")
	timeout 120 "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps \
		--require-hashes "${index[@]}" --target "$work/site" -r "$work/lock.txt"
}

# step NAME SECONDS COMMAND…: run it, stop it at its limit or the whole check's, print how it ended.
step() {
	local name=$1 limit=$2 begin=$SECONDS status
	shift 2
	((limit <= LIMIT - SECONDS)) || limit=$((LIMIT - SECONDS))
	echo "== $name"
	if ((limit < 1)); then
		status=124
	else
		timeout --kill-after=5 "$limit" "$@"
		status=$?
	fi
	case $status in
	0) echo "== $name: passed in $((SECONDS - begin)) s" ;;
	124 | 137) echo "== $name: FAILED, stopped after $((SECONDS - begin)) s" ;;
	*) echo "== $name: FAILED with exit status $status after $((SECONDS - begin)) s" ;;
	esac
	((status == 0)) || failures=$((failures + 1))
	return "$status"
}

# The tests that ask for a GPU: by the fixture `gpu` or by their name.
run_tests() {
	local files
	mapfile -t files < <(grep -rlE '\bgpu: str|with_gpu\b' tests --include='*.py')
	"$PYTHON" - "${files[@]}" <<-'END'
		import sys
		import pytest

		class OnGpu:
		    def pytest_collection_modifyitems(self, config, items):
		        chosen = [
		            item for item in items
		            if "gpu" in item.fixturenames or "gpu" in item.name.partition("[")[0].split("_")
		        ]
		        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
		        items[:] = chosen

		# Another version of PyTorch may warn of other things; that is not what is tested here.
		options = ["-q", "-rs", "-W", "default", "--durations=5", "-p", "no:cacheprovider"]
		sys.exit(pytest.main([*options, *sys.argv[1:]], plugins=[OnGpu()]))
	END
}

run_benchmark() {
	local small=()
	[ "$DEVICE" != cpu ] || small=(--size 64x48 --frames 8 --width 2 --side 64)
	"$PYTHON" benchmarks/gpu.py --device "$DEVICE" "${small[@]}"
}

# stylize FILE DEVICE PRECISION: the sample's first 24 frames, without loss.
stylize() {
	"$PYTHON" -m vidstyle run "$PIPELINE" "$CLIP" -o "$1" --frames 0:24 --device "$2" \
		--set stylize.backend=torch --set stylize.precision="$3" \
		--set encode.codec=ffv1 --set encode.crf=null --set encode.preset=null
}

# Frames of the device against those of the processor in float32. The limits, in levels of 255, are
# for the mean over all frames and for 99.9 % of the values: at an occlusion's edge a rounding may
# decide which frame a pixel is taken from.
compare_frames() {
	stylize "$work/processor.mkv" cpu float32 || return
	local precision status=0
	for precision in float32 float16; do
		[ "$DEVICE-$precision" != cpu-float16 ] || precision=bfloat16
		stylize "$work/$precision.mkv" "$DEVICE" "$precision" || return
		"$PYTHON" - "$work/processor.mkv" "$work/$precision.mkv" "$precision" <<-'END' || status=1
			import sys
			import av
			import numpy as np

			LIMITS = {"float32": (0.1, 2), "float16": (0.25, 3), "bfloat16": (0.5, 6)}

			def frames(path):
			    with av.open(path) as file:
			        return np.stack([f.to_ndarray(format="rgb24") for f in file.decode(video=0)])

			wanted, got = frames(sys.argv[1]).astype(int), frames(sys.argv[2]).astype(int)
			assert wanted.shape == got.shape, f"shapes {wanted.shape} and {got.shape}"
			difference = abs(wanted - got)
			mean, most = difference.mean(), np.quantile(difference, 0.999)
			mean_limit, most_limit = LIMITS[sys.argv[3]]
			print(
			    f"{sys.argv[3]}: {len(got)} frames, difference to the processor's float32 in levels of"
			    f" 255: mean {mean:.4f} (limit {mean_limit}), 99.9 % at most {most:.0f} (limit"
			    f" {most_limit}), maximum {difference.max()}"
			)
			sys.exit(int(mean > mean_limit or most > most_limit))
		END
	done
	return $status
}

if [ -z "${PYTHON:-}" ]; then
	PYTHON=python3
	[ ! -x .venv/bin/python ] || PYTHON=.venv/bin/python
fi
if [ "${1:-}" = --fetch ]; then
	fetch "${2:?--fetch needs the Python version of the GPU machine, such as 3.12}"
	exit
fi
no_device() {
	echo "no CUDA device" >&2
	exit 3
}
# Without the driver there is none, which is known before PyTorch is imported.
[ "$DEVICE" = cpu ] || "$PYTHON" -c 'import ctypes; ctypes.CDLL("libcuda.so.1")' 2>/dev/null || no_device
"$PYTHON" -c 'import numpy, torch, torchvision' || {
	echo "$PYTHON cannot import PyTorch, torchvision and NumPy: set PYTHON" >&2
	exit 1
}
[ "$DEVICE" = cpu ] || "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || no_device
export PYTHONUNBUFFERED=1 PYTHONPATH="$PWD:$work/site${PYTHONPATH:+:$PYTHONPATH}"
[ "$DEVICE" = cpu ] || export VIDSTYLE_TEST_GPU=1
# timeout runs programs, not functions of this shell.
export -f run_tests run_benchmark compare_frames stylize
export PYTHON DEVICE CLIP PIPELINE work
"$PYTHON" - <<-'END'
	import sys, torch, torchvision
	print(f"Python {sys.version.split()[0]}, PyTorch {torch.__version__}, torchvision {torchvision.__version__}")
	if torch.cuda.is_available():
	    one = torch.cuda.get_device_properties(0)
	    print(f"{one.name}, {one.total_memory / 2**30:.0f} GiB, compute capability {one.major}.{one.minor}")
END
install_missing || { echo "packages could not be installed: see --fetch" >&2; exit 1; }
step "CUDA tests" 150 bash -c run_tests
step "frames against the processor" 150 bash -c compare_frames
step "speed" 170 bash -c run_benchmark
echo "== $failures of 3 steps failed; $SECONDS s in all"
((failures == 0))
