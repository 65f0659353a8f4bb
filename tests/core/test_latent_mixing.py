"""Mixing the noise of two seeds: walks and style mixing."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import Run
from PIL import Image as PILImage
from PIL import ImageSequence
from small_models import CROSSED, GREY, LATENT, STYLED, metadata_of, save_model

import gan_serve
from gan_serve.errors import UsageError
from gan_serve.generator import Generator
from gan_serve.images.encoding import encode_animation, read_document


@pytest.fixture(scope="module")
def styled(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    root = tmp_path_factory.mktemp("styled")
    save_model(root, STYLED)
    return gan_serve.load("styled", models=root, device="cpu")


def load(model: str, root: Path) -> Generator:
    return gan_serve.load(model, models=root, device="cpu")


def frames(path: str | Path) -> list[np.ndarray]:
    with PILImage.open(path) as animation:
        return [np.asarray(each.convert("RGB")) for each in ImageSequence.Iterator(animation)]


@pytest.mark.parametrize("model", ["turned", "plain"])
def test_a_walk_leads_smoothly_from_one_image_to_the_other(models: Path, model: str) -> None:
    generator = load(model, models)
    walk = generator.generate(seed=1, walk_to=2, steps=9).array
    np.testing.assert_array_equal(walk[0], generator.generate(seed=1).array[0])
    np.testing.assert_array_equal(walk[-1], generator.generate(seed=2).array[0])
    steps = np.abs(np.diff(walk, axis=0)).mean((1, 2, 3))
    assert steps.max() < np.abs(walk[-1] - walk[0]).mean()


def test_a_walk_keeps_the_inputs_and_the_sampled_class(models: Path) -> None:
    digits = load("digits", models)
    walk = digits.generate(seed=1, walk_to=2)
    assert len(walk) == 16
    assert len({item.inputs["label"] for item in walk.items}) == 1
    rows = digits.generate(seed=1, walk_to=2, steps=3, label=[4, 5], index=7)
    for place, label in ((2, 4), (5, 5)):
        np.testing.assert_array_equal(rows.array[place], digits.generate(seed=2, index=7, label=label).array[0])
    assert rows.grid().size == (3 * 8, 2 * 8)


def test_a_walk_between_opposite_points_stays_finite(tmp_path: Path) -> None:
    save_model(tmp_path, metadata_of("thin", (replace(LATENT, size=1),), GREY))
    thin = load("thin", tmp_path)
    ends = [thin.generate(seed=seed).array for seed in range(12)]
    for seed in range(1, 12):
        walk = thin.generate(seed=0, walk_to=seed, steps=3).array
        low, high = np.minimum(ends[0], ends[seed]), np.maximum(ends[0], ends[seed])
        assert ((low <= walk) & (walk <= high)).all()


def test_an_image_of_a_walk_or_a_mixture_is_the_same_in_whatever_company(styled: Generator) -> None:
    for wish in ({"walk_to": 2, "steps": 70}, {"mix_with": 2, "mix": "latent", "count": 9}):
        request = styled.generate(seed=1, code=0, **wish)  # more than fit into one batch
        for place in (0, 1, 63, 64, 69):
            alone = styled.run_places(request.request, [place])
            np.testing.assert_array_equal(alone.array[0], request.array[place])


def test_one_image_of_a_walk_or_a_mixture_alone_is_the_same(styled: Generator) -> None:
    walk = styled.generate(seed=1, walk_to=2, steps=70).array
    for step in (0, 1, 63, 64, 69):
        alone = styled.generate(seed=1, walk_to=2, steps=70, step=step).array
        np.testing.assert_array_equal(alone, walk[[step]])
    square = styled.generate(9, seed=1, mix_with=2, mix="latent").array
    for row, column in ((0, 0), (0, 8), (7, 0), (7, 1), (8, 8)):
        alone = styled.generate(seed=1, index=row, mix_with=2, mix="latent", mix_index=column).array
        np.testing.assert_array_equal(alone, square[[9 * row + column]])
    later = styled.generate(3, seed=1, index=5, mix_with=2, mix="latent").array  # the square from image 5 of both seeds
    np.testing.assert_array_equal(later, np.concatenate([square[9 * row + 5 : 9 * row + 8] for row in (5, 6, 7)]))
    column = styled.generate(9, seed=1, mix_with=2, mix="latent", mix_index=4)
    np.testing.assert_array_equal(column.array, square[4::9])
    assert column.grid().size == (3 * 8, 3 * 8)


def test_a_mixture_has_a_row_for_each_image_and_a_column_for_each_of_the_other_seed(styled: Generator) -> None:
    own, other = (styled.generate(3, seed=seed, code=0).array for seed in (1, 2))
    same = styled.generate(3, seed=1, mix_with=1, mix=["second_latent"], code=0).array
    np.testing.assert_array_equal(same[[0, 4, 8]], own)
    wholly = styled.generate(3, seed=1, mix_with=2, mix="second_latent, latent", code=0).array
    np.testing.assert_array_equal(wholly, np.concatenate([other] * 3))
    mixed = styled.generate(3, seed=1, mix_with=2, mix="second_latent", code=0)
    assert len({each.tobytes() for each in mixed.array}) == 9
    assert mixed.grid().size == (3 * 8, 3 * 8)


@pytest.mark.parametrize("output", ["walk.gif", "walk.webp", "walk.npy", "walk/", "grid.png"])
def test_a_walk_is_written_read_and_reproduced(run: Run, models: Path, output: str) -> None:
    grid = ["--grid"] if output == "grid.png" else []
    command = ["generate", "--model", "digits", "--label", 3, "--seed", 1, "--walk-to", 2, "--steps", 5]
    assert run(*command, *grid, "--output", output).code == 0
    made = load("digits", models).generate(label=3, seed=1, walk_to=2, steps=5)
    images = [np.asarray(each.convert("RGB")) for each in made.images()]
    paths = sorted(Path(output).iterdir()) if output == "walk/" else [Path(output)]
    if output != "walk.npy":
        shown = frames(paths[0]) if len(paths) == 1 else [frames(path)[0] for path in paths]
        np.testing.assert_array_equal(np.hstack(shown), np.hstack(images))
    told = json.loads(read_document(paths[-1]))["blend"]
    assert told == {"kind": "walk", "seed": 2, "steps": 5, "step": 4 if output == "walk/" else None}
    again = run("reproduce", paths[-1])
    assert (again.code, again.error) == (0, "identical\n")


def test_one_image_of_a_walk_is_the_file_among_those_of_all(run: Run) -> None:
    command = ["generate", "--model", "digits", "--label", 3, "--seed", 1, "--walk-to", 2, "--steps", 5]
    run(*command, "--output", "all/")
    outcome = run(*command, "--step", 3)
    assert outcome.out == "digits-label3-seed1-to2-steps5-step00003.png\n"
    assert Path(outcome.out.strip()).read_bytes() == sorted(Path("all").iterdir())[3].read_bytes()
    assert run("reproduce", outcome.out.strip()).error == "identical\n"
    assert run(*command[:-2], "--step", 15).out == "digits-label3-seed1-to2-steps16-step00015.png\n"


def test_colours_move_without_loss_in_webp(run: Run, models: Path) -> None:
    run("generate", "--model", "plain", "--seed", 1, "--walk-to", 2, "--scale", 3, "--output", "walk.webp")
    images = load("plain", models).generate(seed=1, walk_to=2).images(scale=3)
    np.testing.assert_array_equal(frames("walk.webp"), [np.asarray(each) for each in images])


@pytest.mark.parametrize("name", ["still.gif", "still.webp"])
def test_a_walk_to_its_own_seed_is_reproduced(run: Run, name: str) -> None:
    run("generate", "--model", "digits", "--seed", 1, "--walk-to", 1, "--output", name)
    assert run("reproduce", name).error == "identical\n"


@pytest.mark.parametrize(
    "change", [{"steps": 10**9}, {"steps": 1}, {"step": 5}, {"seed": -1}, {"kind": "jump"}, {"kind": "mix"}]
)
def test_a_forged_walk_is_rejected(run: Run, change: dict[str, object]) -> None:
    run("generate", "--model", "digits", "--seed", 1, "--walk-to", 2, "--steps", 5, "--output", "walk.gif")
    document = json.loads(read_document(Path("walk.gif")))
    images = [PILImage.fromarray(frame) for frame in frames("walk.gif")]
    forged = json.dumps(document | {"blend": document["blend"] | change})
    Path("walk.gif").write_bytes(encode_animation(images, "gif", forged))
    outcome = run("reproduce", "walk.gif")
    assert outcome.code in (1, 2)
    assert re.fullmatch(r"error: .*\n", outcome.error)


def test_any_images_that_are_several_can_move(run: Run) -> None:
    outcome = run("generate", "--model", "digits", "--label", "0-9", "--seed", 1, "--format", "gif")
    assert outcome.out == "digits-label0-9-seed1.gif\n"
    assert len(frames("digits-label0-9-seed1.gif")) == 10


def test_one_image_of_a_mixture_is_the_file_among_those_of_all(run: Run, tmp_path: Path) -> None:
    save_model(tmp_path / "more", STYLED)
    command = ["generate", "--model", "styled", "--models", tmp_path / "more", "--seed", 1]
    command += ["--mix-with", 2, "--mix", "second_latent"]
    run(*command, "--count", 2, "--output", "all")
    for place, path in enumerate(sorted(Path("all").iterdir())):
        run(*command, "--index", place // 2, "--mix-index", place % 2, "--output", "one.png")
        assert Path("one.png").read_bytes() == path.read_bytes()


def test_an_interrupted_folder_of_a_mixture_is_resumed(run: Run, tmp_path: Path) -> None:
    save_model(tmp_path / "more", STYLED)
    command = ["generate", "--model", "styled", "--models", tmp_path / "more", "--seed", 1, "--count", 2, "--code", 0]
    command += ["--mix-with", 2, "--mix", "second_latent", "--output", "all"]
    assert run(*command).code == 0
    names = sorted(path.name for path in Path("all").iterdir())
    assert names[1] == "styled-code0.0-slant0.0-seed1-index00000-with2-second_latent-index00001.png"
    before = (Path("all") / names[1]).read_bytes()
    (Path("all") / names[1]).unlink()
    assert "continuing: 3 of 4 done" in run(*command).error
    assert (Path("all") / names[1]).read_bytes() == before
    assert run("reproduce", Path("all") / names[1], "--models", tmp_path / "more").error == "identical\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "--walk-to", "2", "--steps", "1"], "steps 1 is not an integer from 2"),
        (["digits", "--walk-to", "-1"], "walk_to -1 is not an integer from 0"),
        (["digits", "--walk-to", "2", "--count", "4"], "a walk has one image per step; leave out the count of 4"),
        (["digits", "--walk-to", "2", "--mix-with", "3"], "leave out one of them"),
        (["digits", "--steps", "4"], "give walk_to, the seed where the walk ends"),
        (["digits", "--step", "4"], "step needs a walk; give walk_to, the seed where the walk ends"),
        (["digits", "--mix-with", "2", "--mix", "latent", "--step", "4"], "step needs a walk; give walk_to"),
        (["digits", "--walk-to", "2", "--step", "16"], "step 16 is not an integer from 0 to 15"),
        (["digits", "--walk-to", "2", "--steps", "4", "--step", "-1"], "step -1 is not an integer from 0 to 3"),
        (["digits", "--walk-to", "2", "--step", "1", "--count", "4"], "leave out the count of 4"),
        (["digits", "--walk-to", "2", "--step", "1", "--output", "x.gif"], "gif is for animations"),
        (["digits", "--mix-index", "4"], "mix_index needs a second seed; give mix_with"),
        (["digits", "--mix-with", "2", "--mix", "latent", "--mix-index", "-1"], "mix_index -1 is not an integer"),
        (["digits", "--mix-with", "2", "--mix-indx", "4"], "no option --mix-indx (did you mean --mix-index"),
        (["digits", "--mix", "latent"], "mix needs a second seed; give mix_with"),
        (["digits", "--mix-with", "2"], "mix must name the latents to take from seed 2; use latent"),
        (["digits", "--mix-with", "2", "--mix", "latnet"], "no latent 'latnet' (did you mean latent?); it has latent"),
        (["inverter", "--image", "x.png", "--walk-to", "2"], "inverter has no noise input, so a second seed changes"),
        (["digits", "--walk-to", "2", "--ray", "local"], "leave out --ray, or the walk with a second seed"),
        (["digits", "--format", "gif"], "gif is for animations; ask for several images without a grid, or use png"),
        (["digits", "--walk-to", "2", "--grid", "--output", "x.gif"], "gif is for animations"),
        (["digits", "--walk-to", "2", "--steps", "2000000", "--output", "x.gif"], "an animation of 2000000 images of"),
        (["digits", "--walk-to", "2", "--output", "x.png"], "16 images do not fit into x.png; make a grid, or give"),
    ],
)
def test_wrong_usage_is_one_line(run: Run, arguments: list[str], message: str) -> None:
    PILImage.new("RGB", (6, 8)).save("x.png")
    outcome = run("generate", "--model", *arguments)
    assert outcome.code == 2
    assert message in outcome.error
    assert re.fullmatch(r"error: .*\n", outcome.error)


def test_a_walk_in_python_is_refused_by_the_same_words(models: Path) -> None:
    with pytest.raises(UsageError, match="steps 1 is not an integer"):
        load("digits", models).generate(walk_to=2, steps=1)
    with pytest.raises(UsageError, match="step 5 is not an integer from 0 to 4"):
        load("digits", models).generate(walk_to=2, steps=5, step=5)
    with pytest.raises(UsageError, match="has no latent '3'"):
        load("digits", models).generate(mix_with=2, mix=[3])  # type: ignore[list-item]


def test_help_shows_how(run: Run, tmp_path: Path) -> None:
    assert "--seed 1 --walk-to 2 --output walk.gif" in run("generate", "--help").out
    save_model(tmp_path / "more", CROSSED)
    told = run("generate", "--model", "crossed", "--models", tmp_path / "more", "--help").out
    assert "--mix-with 2 --mix second_latent --count 4 --grid --crossover 2\n" in told
