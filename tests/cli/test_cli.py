import io
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from command_line import Outcome, Run
from PIL import Image
from small_models import DIGIT, GREY, LATENT, build_model, metadata_of, save_model

import gan_serve
from gan_serve.images.encoding import encode_image, read_document
from gan_serve.metadata import PROPERTY, RESERVED


def process(*arguments: object, **options) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "gan_serve", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, **options)


def here() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def test_one_image_is_a_named_file_here(run: Run) -> None:
    outcome = run("generate", "--model", "digits", "--label", "three", "--seed", 42)
    assert outcome == Outcome(0, "digits-label3-seed42.png\n", "seed 42\n")
    assert here() == ["digits-label3-seed42.png"]


def test_the_printed_seed_gives_the_same_file(run: Run) -> None:
    first = run("generate", "--model", "digits", "--output", "a.png")
    seed = first.error.removeprefix("seed ").strip()
    run("generate", "--model", "digits", "--output", "b.png", "--seed", seed)
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_grid_has_a_row_for_each_label(run: Run) -> None:
    outcome = run("generate", "--model", "digits", "--label", "0-9", "--count", 4, "--grid", "--scale", 2, "--seed", 1)
    assert outcome.out == "digits-label0-9-seed1-count4.png\n"
    with Image.open(outcome.out.strip()) as image:
        assert image.size == (4 * 8 * 2, 10 * 8 * 2)


def test_several_images_are_a_folder(run: Run, models: Path) -> None:
    outcome = run("generate", "--model", "digits", "--label", "1,5", "--count", 2, "--seed", 1)
    assert outcome.out == "digits-label1,5-seed1-count2\n"
    names = [f"digits-label{label}-seed1-index{index:05}.png" for label in (1, 5) for index in (0, 1)]
    assert [Path(path).name for path in here()] == names
    alone = gan_serve.load("digits", models=models).generate(seed=1, index=1, label=5)
    with Image.open(Path(outcome.out.strip()) / names[3]) as image:
        np.testing.assert_array_equal(np.asarray(image), np.asarray(alone.images()[0]))


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (["--output", "three.webp"], ["three.webp"]),
        (["--output", "three.JPG"], ["three.JPG"]),
        (["--output", "three", "--format", "jpeg"], ["three"]),
        (["--output", "new/"], ["new/digits-seed1.png"]),
        (
            ["--output", "many", "--count", "2", "--label", "1"],
            ["many/digits-label1-seed1-index00000.png", "many/digits-label1-seed1-index00001.png"],
        ),
        (["--output", "all.npy", "--count", "3"], ["all.npy"]),
        (["--format", "npy", "--count", "3"], ["digits-seed1-count3.npy"]),
        (["--format", "webp", "--index", "7"], ["digits-seed1-index7.webp"]),
    ],
)
def test_output(run: Run, arguments: list[str], files: list[str]) -> None:
    outcome = run("generate", "--model", "digits", "--seed", 1, *arguments)
    assert outcome.code == 0, outcome.error
    assert here() == files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "--model", "digit"], "no model 'digit' (did you mean digits?); gan-serve list"),
        (["generate", "--model", "digits", "--label", "10"], "label '10' does not exist; use 0-9 or a class name"),
        (["generate", "--model", "digits", "--lable", "1"], "no option --lable (did you mean --label"),
        (["generate", "--model", "plain", "--label", "1"], "plain has no inputs to set"),
        (["generate", "--model", "turned", "--tilt-angle", "2"], "tilt_angle '2' is not a number from -1 to 1"),
        (["generate", "--model", "digits", "--count", "0"], "count 0"),
        (["generate", "--model", "digits", "--count", str(2**63), "--output", "d/"], f"from 1 to {2**63 - 1}"),
        (["generate", "--model", "digits", "--walk-to", "1", "--steps", str(2**63)], f"from 2 to {2**63 - 1}"),
        (["generate", "--model", "digits", "--label", "1,2", "--count", str(2**63 - 1)], "too many for one request"),
        (["generate", "--model", "digits", "--count", str(2**63 - 25), "--grid"], "too large"),
        (["generate", "--model", "digits", "--count", "many"], "'--count'"),
        (["generate", "--model", "digits", "--seed", "-1"], "seed -1"),
        (["generate", "--model", "digits", "--scale", "0"], "scale 0"),
        (["generate", "--model", "digits", "--scale", "9999"], "too large"),
        (["generate", "--model", "digits", "--count", "10000000", "--grid"], "too large"),
        (["generate", "--model", "digits", "--count", "9223372036854775783", "--grid"], "too large"),
        (["generate", "--model", "digits", "--count", "18446744073709551557"], "is not an integer from 1 to"),
        (["generate", "--model", "digits", "--format", "bmp"], "use png, webp, jpeg, npy, gif"),
        (["generate", "--model", "digits", "--format", "npy", "--grid"], "a grid is an image"),
        (["generate", "--model", "digits", "--output", "x.bmp"], "x.bmp: images cannot be written as .bmp"),
        (["generate", "--model", "digits", "--output", "x.png", "--format", "webp"], "leave out one"),
        (["generate", "--model", "digits", "--output", "x.png", "--count", "2"], "2 images do not fit"),
        (["generate", "--model", "digits", "--output", "-", "--count", "2"], "2 images do not fit"),
        (["generate", "--model", "digits", "--device", "tpu"], "use auto, cpu, cuda or cuda:N"),
        (["generate", "--model", "digits", "--models", "absent"], "no models folder"),
        (["generate"], "--model"),
        (["generate", "--model"], "--model"),
        (["generate", "--model", "digits", "stray"], "stray"),
        (["info", "digit"], "did you mean digits"),
        (["frobnicate"], "; use generate, translate, list, info"),
        (["lst"], "no command 'lst' (did you mean list?)"),
        (["list", "--task", "image-to-images"], "no task 'image-to-images' (did you mean image-to-image?); use uncond"),
        (["list", "--models", ".."], "no models in"),
        (["list", "--jsn"], "--jsn"),
    ],
)
def test_wrong_usage_prints_one_line_and_has_exit_code_2(run: Run, arguments: list[str], message: str) -> None:
    outcome = run(*arguments)
    assert outcome.code == 2
    assert message in outcome.error
    assert re.fullmatch(r"error: .*\n", outcome.error)
    assert (outcome.out, here()) == ("", [])


@pytest.mark.parametrize("content", [None, b"", b"\x08\x0a\x3a\xff\xff\x03", b"PK\x03\x04", b"\x08\x0a"])
def test_a_broken_model_prints_one_line_and_has_exit_code_1(run: Run, tmp_path: Path, content: bytes | None) -> None:
    path = save_model(tmp_path / "models", metadata_of("broken", (LATENT,), GREY), content or b"")
    if content is None:
        path.unlink()
    outcome = run("generate", "--model", "broken", "--models", tmp_path / "models")
    assert outcome.code == 1
    assert re.fullmatch(r"error: .*model\.onnx: .*\n", outcome.error)


@pytest.mark.parametrize("output", ["/dev/null/x.png", "file/x.png", "file/", "folder.png", "file/x.npy"])
def test_unwritable_output_prints_one_line_and_has_exit_code_1(run: Run, output: str) -> None:
    Path("file").write_text("in the way")
    Path("folder.png").mkdir()
    Path("folder.png/digits-seed1.png").mkdir()
    outcome = run("generate", "--model", "digits", "--seed", 1, "--output", output)
    assert outcome.code == 1
    assert re.fullmatch(r"(seed 1\n)?error: .*\n", outcome.error)


def test_only_files_of_gan_serve_are_overwritten(run: Run) -> None:
    Path("x.png").touch()  # as mktemp does
    for _ in range(2):
        assert run("generate", "--model", "digits", "--output", "x.png").code == 0
    Path("link.png").symlink_to("x.png")
    assert run("generate", "--model", "digits", "--seed", 1, "--output", "link.png").code == 0
    assert Path("link.png").is_symlink()
    assert json.loads(read_document(Path("x.png")))["seed"] == 1
    Image.new("L", (8, 8)).save("photo.png")
    Path("x-reproduced.png").write_bytes(Path("photo.png").read_bytes())
    before = {path: path.read_bytes() for path in Path().iterdir()}
    for command, file in (
        (["generate", "--model", "digits", "--output", "photo.png"], "photo.png"),
        (["reproduce", "x.png"], "x-reproduced.png"),
        (["reproduce", "x.png", "--output", "photo.png"], "photo.png"),
    ):
        outcome = run(*command)
        assert (outcome.code, outcome.out) == (1, "")
        assert (
            outcome.error == f"error: {file} exists, and gan-serve did not make it; choose another path, or remove it\n"
        )
    assert "x.png is an input image" in run("reproduce", "x.png", "--output", "x.png").error
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_devices_and_pipes_are_not_replaced(run: Run) -> None:
    Path("null.png").symlink_to("/dev/null")
    assert run("generate", "--model", "digits", "--seed", 1, "--output", "null.png") == Outcome(0, "", "seed 1\n")
    assert Path("null.png").is_char_device()
    os.mkfifo("pipe.png")
    with subprocess.Popen(["cat", "pipe.png"], stdout=subprocess.PIPE) as reader:
        assert run("generate", "--model", "digits", "--seed", 1, "--output", "pipe.png").code == 0
        with Image.open(io.BytesIO(reader.communicate()[0])) as image:
            assert image.size == (8, 8)
    assert Path("pipe.png").is_fifo()


@pytest.mark.parametrize(
    ("command", "streams", "code", "said"),
    [
        ("list", ">&-", 1, "error: output: Bad file descriptor\n"),
        ("generate --model digits --seed 1 --output -", ">&-", 1, "seed 1\nerror: output: Bad file descriptor\n"),
        ("translate inverter - --output x.png", "<&-", 1, "error: stdin: cannot be read (Bad file descriptor)\n"),
        ("info nothing", "2>&-", 2, ""),
    ],
)
def test_closed_streams_print_one_line(
    models: Path, tmp_path: Path, command: str, streams: str, code: int, said: str
) -> None:
    line = f"{sys.executable} -m gan_serve {command} --models {models} {streams}"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr, list(tmp_path.iterdir())) == (code, said, [])


@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, b"interrupted\n"), (signal.SIGTERM, b"terminated\n")])
@pytest.mark.parametrize("program", ["gan_serve", "training"])
@pytest.mark.parametrize("imported", ["typing", "typer"])  # the first import of the package itself, and a later one
def test_a_signal_during_startup_prints_one_line(
    tmp_path: Path, program: str, imported: str, number: signal.Signals, word: bytes
) -> None:
    (tmp_path / f"{imported}.py").write_text(f"import os; os.kill(os.getpid(), {int(number)})")  # while it is imported
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # this suite may run where Ctrl-C is ignored
    try:
        done = subprocess.run(
            [sys.executable, "-S", "-m", program, "list"],
            capture_output=True,
            check=False,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.returncode, done.stdout, done.stderr) == (130 if number == signal.SIGINT else 143, b"", word)


STOPPED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from gan_serve.system.interrupt import leave_at_signals
from gan_serve.images.encoding import write_atomic

leave_at_signals()
Path.replace = lambda self, target: os.kill(os.getpid(), signal.SIGTERM)  # the part is written, and not yet in place
write_atomic(Path(sys.argv[1]), b"new")
"""


def test_a_signal_while_a_file_is_written_leaves_only_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_WHILE_WRITING, tmp_path / "image.png"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (143, b"terminated\n")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"image.png": b"old"}


def test_a_full_disk_prints_one_line(models: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [
            sys.executable,
            "-m",
            "gan_serve",
            "generate",
            "--model",
            "digits",
            "--models",
            models,
            "--output",
            "-",
        ]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_closed_pipe_is_not_an_error(models: Path) -> None:
    command = f"{sys.executable} -m gan_serve list --json --models {models} | true"
    assert subprocess.run(command, shell=True, capture_output=True, check=False).stderr == b""


def test_stdout_gets_the_bytes_of_one_file(models: Path) -> None:
    done = process("generate", "--model", "digits", "--models", models, "--seed", 1, "--output", "-")
    assert (done.returncode, done.stderr) == (0, b"seed 1\n")
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert image.size == (8, 8)


def test_stdout_gets_an_array(models: Path) -> None:
    done = process(
        "generate", "--model", "digits", "--models", models, "--count", 5, "--format", "npy", "--output", "-"
    )
    assert np.load(io.BytesIO(done.stdout)).shape == (5, 1, 8, 8)


def test_show_prints_images_on_stderr(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run("generate", "--model", "digits", "--seed", 1, "--show")
    assert outcome.out == "digits-seed1.png\n"
    assert [len(line) for line in outcome.error.splitlines() if not line.startswith("seed")] == [8] * 4, "in shades"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    coloured = run("generate", "--model", "digits", "--seed", 1, "--show")
    assert coloured.error.count("▀") == 8 * 8 // 2


def test_help_of_a_model_shows_its_inputs(run: Run) -> None:
    assert "--label" not in run("generate", "--help").out
    label = run("generate", "--model", "digits", "--help").out
    assert "--label" in label
    assert "seven" in label
    scalar = " ".join(run("generate", "--help", "--model=turned").out.split())
    assert "--tilt-angle VALUE a number from -1 to 1" in scalar
    assert "default: (0.5)" in scalar


@pytest.mark.parametrize(
    "command", ["generate", "translate", "list", "info", "reproduce", "doctor", "serve", "health", "demo"]
)
def test_help_teaches_by_example(run: Run, command: str) -> None:
    long, short = run(command, "--help"), run(command, "-h")
    assert long == short
    examples = long.out.partition("  Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert examples
    assert all(re.match(rf"  (\w+=\w+ )?(gan-serve {command}\b|curl )", line) for line in examples)


def test_no_input_can_take_the_name_of_an_option(run: Run) -> None:
    options = re.findall(r"^  --([\w-]+)", run("generate", "--help").out, re.MULTILINE)
    assert {option.replace("-", "_") for option in options} <= RESERVED


def test_help_and_version_load_nothing_heavy() -> None:
    script = (
        "import sys; from gan_serve.cli import run; code = run(sys.argv[1:]);"
        "heavy = {'numpy', 'onnxruntime', 'PIL', 'torch', 'gradio'} & set(sys.modules);"
        "sys.exit(code or ' '.join(heavy) or 0)"
    )
    for arguments in (["--help"], ["--version"], ["generate", "--help"], []):
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_listing_and_checking_load_nothing_heavy(models: Path) -> None:
    script = (
        "import sys; from gan_serve.cli import run; run(sys.argv[1:]);"
        "sys.exit(bool({'onnxruntime', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    for command in (
        ["list"],
        ["info", "digits"],
        ["generate", "--help", "--model", "digits"],
        ["generate", "--help", "--model", "classifier"],
        ["generate", "--model", "classifier", "--image", "absent.png"],
    ):
        arguments = [sys.executable, "-c", script, *command, "--models", models]
        assert subprocess.run(arguments, capture_output=True, check=False).returncode == 0


def test_version(run: Run) -> None:
    assert run("--version").out == f"gan-serve {gan_serve.__version__}\n"


def test_list_and_its_json(run: Run) -> None:
    assert [line.split()[0] for line in run("list").out.splitlines()] == [
        "model",
        "apart",
        "classifier",
        "digits",
        "enlarger",
        "filler",
        "inspector",
        "inverter",
        "mender",
        "noisy",
        "painter",
        "pair",
        "plain",
        "poser",
        "scored",
        "turned-grey",
    ]
    listed = json.loads(run("list", "--json", "--task", "class-conditional").out)
    assert listed == [json.loads(DIGIT.to_json())]


def test_list_shows_working_and_broken_models(run: Run, tmp_path: Path) -> None:
    save_model(tmp_path / "models", DIGIT)
    save_model(tmp_path / "models", metadata_of("broken", (LATENT,), GREY), b"\x08\x0a\x3a\xff\xff\x03")
    outcome = run("list", "--models", tmp_path / "models")
    assert "digits" in outcome.out
    assert re.fullmatch(r"broken: .*truncated.*\n", outcome.error)
    ill = run("doctor", "--models", tmp_path / "models")
    assert ill.code == 1
    assert re.search(r"^BAD models +.*truncated", ill.out, re.MULTILINE)
    assert re.search(r"^ok  models +digits 1 in ", ill.out, re.MULTILINE)


def test_metadata_is_shown_as_text_or_rejected(run: Run, tmp_path: Path) -> None:
    for name, description in (("brackets", "of [b]old[/nope] :smile:s"), ("half", "\ud800"), ("red", "\x1b[31m")):
        graph = build_model(replace(DIGIT, name=name, description="?"))
        text = json.dumps(json.loads(replace(DIGIT, name=name).to_json()) | {"description": description})
        onnx.helper.set_model_props(graph, {PROPERTY: text})
        save_model(tmp_path / "models", replace(DIGIT, name=name), graph.SerializeToString())
    outcome = run("list", "--models", tmp_path / "models")
    assert "of [b]old[/nope] :smile:s" in outcome.out
    assert re.fullmatch(
        r"(broken: .*/(half|red)/.*wrong at description: '[!-~]+' has unprintable characters.*\n){2}", outcome.error
    )
    assert "of [b]old[/nope] :smile:s" in run("info", "brackets", "--models", tmp_path / "models").out
    broken = run("info", "red", "--models", tmp_path / "models")
    assert (broken.code, broken.out, broken.error.count("\n")) == (1, "", 1)


def test_info(run: Run) -> None:
    out = run("info", "digits").out
    for fact in ("digits version 1", "0-9 or a class name", "A Test", "CC0", "model.onnx"):
        assert fact in out


def test_doctor(run: Run, tmp_path: Path) -> None:
    healthy = run("doctor")
    assert healthy.code == 0
    assert "CPUExecutionProvider" in healthy.out
    assert re.search(r"^ok  models +\w+ runs on cpu$", healthy.out, re.MULTILINE)
    (tmp_path / "none").mkdir()
    ill = run("doctor", "--models", tmp_path / "none")
    assert ill.code == 1
    assert "--models DIR" in ill.out


def test_doctor_finds_a_model_that_no_session_opens(run: Run, tmp_path: Path) -> None:
    model = build_model(DIGIT)
    model.graph.node[0].op_type = "Unheard"
    save_model(tmp_path / "models", DIGIT, model.SerializeToString())
    ill = run("doctor", "--models", tmp_path / "models")
    assert ill.code == 1
    assert re.search(r"^BAD models +.*ONNX Runtime cannot load it", ill.out, re.MULTILINE)


def test_doctor_does_not_wait_for_a_driver_that_hangs(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\nexec sleep 60\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("gan_serve.cli.doctor._DRIVER_TIMEOUT", 0.2)
    outcome = run("doctor")
    assert outcome.code == 0
    assert "nvidia-smi returns nothing; CUDA needs" in outcome.out


@pytest.mark.parametrize("name", ["x.png", "x.webp", "x.jpg", "x.npy"])
def test_reproduce_makes_the_same_again(run: Run, name: str) -> None:
    shape = [] if name == "x.npy" else ["--grid", "--scale", 2]
    run("generate", "--model", "digits", "--label", "2,3", "--count", 3, "--index", 5, *shape, "--output", name)
    outcome = run("reproduce", name)
    assert (outcome.code, outcome.error) == (0, "identical\n")
    assert read_document(Path(outcome.out.strip())) == read_document(Path(name))


@pytest.mark.parametrize("original", ["x.png", "x.jpg", "x", "x.npy", "array"])
def test_reproduce_compares_in_the_format_of_the_original(run: Run, original: str) -> None:
    format = ["--format", "npy"] if original == "array" else []
    run("generate", "--model", "digits", "--seed", 1, *format, "--output", original)
    for copy in ("y.webp", "y.jpg", "y.png", "y"):
        assert run("reproduce", original, "--output", copy) == Outcome(0, f"{copy}\n", "identical\n")


def test_reproduce_prints_the_bytes_of_the_original(run: Run) -> None:
    run("generate", "--model", "digits", "--output", "x.webp")
    done = process("reproduce", "x.webp", "--output", "-")
    assert (done.returncode, done.stdout, done.stderr) == (0, Path("x.webp").read_bytes(), b"identical\n")
    assert here() == ["x.webp"]


def test_reproduce_knows_an_animation_without_its_suffix(run: Run) -> None:
    run("generate", "--model", "digits", "--count", 3, "--format", "gif", "--output", "moving")
    assert run("reproduce", "moving") == Outcome(0, "moving-reproduced\n", "identical\n")


def test_reproduce_says_how_far_apart(run: Run) -> None:
    run("generate", "--model", "digits", "--output", "x.png", "--seed", 1)
    document = read_document(Path("x.png"))
    Path("y.png").write_bytes(encode_image(Image.new("L", (8, 8)), "png", document))
    outcome = run("reproduce", "y.png")
    assert outcome.code == 1
    assert re.fullmatch(r"error: y-reproduced.png differs from y.png: \d+ of 64 values, by up to \d+\n", outcome.error)


def test_reproduce_needs_the_same_model_file(run: Run, tmp_path: Path) -> None:
    run("generate", "--model", "digits", "--output", "x.png")
    save_model(tmp_path / "models", replace(DIGIT, description="Another file."))
    outcome = run("reproduce", "x.png", "--models", tmp_path / "models")
    assert outcome.code == 1
    assert "is not the file that made the image" in outcome.error


@pytest.mark.parametrize(
    "change",
    [
        ("count", 10**9),
        ("count", 2**63),
        ("inputs", [{"tilt_angle": 99}]),
        ("inputs", [{"tilt_angle": 10**400}]),
        ("inputs", []),
        ("seed", -1),
        ("scale", 10**6),
        ("columns", 0),
        ("\x07bell", 1),
    ],
)
def test_reproduce_rejects_a_forged_file(run: Run, change: tuple[str, object]) -> None:
    run("generate", "--model", "turned", "--output", "x.npy")
    array, document = Path("x.npy").read_bytes().split(b'{"gan_serve"')
    forged = json.loads(b'{"gan_serve"' + document) | dict([change])
    Path("x.npy").write_bytes(array + json.dumps(forged).encode())
    outcome = run("reproduce", "x.npy")
    assert outcome.code in (1, 2)
    assert re.fullmatch(r"error: [ -~]*\n", outcome.error), "nothing that a terminal would obey"
