"""ProGAN grows smoothly, and StyleGAN's inputs have the documented effects."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor, nn

from training import variants
from training.data.dataset import Dataset, DataSpec
from training.gan import GAN
from training.loop.trainer import Trainer
from training.networks import layers, progressive, stylegan

SPEC = DataSpec.of_images(3, 32, ("one", "two"))


def test_a_new_resolution_fades_in_smoothly() -> None:
    gan = variants.find("progan")(SPEC)
    latent, images = torch.randn(4, 128), torch.randn(4, 3, 4, 4)
    for size in (8, 16, 32):
        before, logits = gan.generator(latent), gan.discriminator(images)
        gan.stages()[1].on_start()
        after = gan.generator(latent)
        images = layers.doubled(images)
        assert after.shape == (4, 3, size, size)
        assert (after - layers.doubled(before)).abs().max() < 1e-5
        torch.testing.assert_close(gan.discriminator(images), logits)
        gan.after_step(1.0)
        assert not torch.allclose(gan.generator(latent), after)


def test_progan_reaches_the_full_size_during_training(digits: Dataset) -> None:
    variant = variants.find("progan")
    recipe = dataclasses.replace(variant.recipe, steps=9, batch_size=8)
    trainer = Trainer(variant(digits.spec, recipe), digits, seed=0, precision="fp32", device="cpu")
    sizes = [served(trainer.game)(torch.randn(2, 128)).shape[-1] for _ in trainer.train()]
    assert sizes == [8] * 9, "the served network always has the size of the data"
    assert int(trainer.game.get_submodule("generator").level) == 1
    assert trainer.game.get_submodule("generator").alpha == 1
    assert trainer.average.module.generator.alpha == 1, "the average has grown as far as the weights"


def served(gan: nn.Module) -> nn.Module:
    assert isinstance(gan, GAN)
    return gan.servables()[""].network


def test_equalised_layers_keep_the_variance() -> None:
    values = torch.randn(256, 512)
    layer = progressive.linear(512, 512, gain=1)
    assert layer.layer.weight.std().item() == pytest.approx(1, rel=0.05)
    assert layer(values).std().item() == pytest.approx(1, rel=0.05)


def test_the_rate_of_an_equalised_layer_changes_its_steps_but_not_its_output() -> None:
    values, moved = torch.randn(256, 512), []
    for rate in (1.0, 0.01):
        layer = progressive.linear(512, 512, gain=1, rate=rate)
        before = layer(values)
        assert before.std().item() == pytest.approx(1, rel=0.05)
        before.square().mean().backward()
        torch.optim.Adam(layer.parameters(), lr=1e-3).step()
        moved.append((layer(values) - before).abs().mean().item())
    assert moved[1] == pytest.approx(0.01 * moved[0], rel=0.2)


def test_the_deviation_of_a_minibatch_is_zero_only_for_equal_samples() -> None:
    deviation = progressive.MinibatchDeviation()
    assert deviation(torch.ones(8, 2, 3, 3))[:, 2].max() < 1e-3
    varied = deviation(torch.randn(8, 2, 3, 3))
    assert varied.shape == (8, 3, 3, 3)
    assert varied[:, 2].min() > 0.3


@pytest.mark.parametrize("strength", [0.1, 1, 10])
def test_demodulation_keeps_the_deviation_regardless_of_the_style(strength: float) -> None:
    torch.manual_seed(0)
    layer = stylegan.StyledLayer(8, 16, 32)
    maps = layer(torch.randn(64, 16, 8, 8), strength * torch.randn(64, 8), torch.zeros(64, 64))
    before_activation = torch.where(maps > 0, maps, maps / 0.2) / math.sqrt(2)
    inside = before_activation[:, :, 1:-1, 1:-1]  # zero padding affects the margin
    assert inside.std(dim=(1, 2, 3)).mean().item() == pytest.approx(1, abs=0.05)


@pytest.fixture
def style() -> nn.Module:
    torch.manual_seed(0)
    generator = served(variants.find("stylegan")(SPEC))
    for layer in generator.layers:
        nn.init.ones_(layer.noise_gain)
    return generator.eval()


def drawn(
    style: nn.Module,
    *,
    crossover: float = 8,
    truncation: float = 1,
    strength: float = 1,
    seed: int = 0,
    same: bool = False,
) -> Tensor:
    """Draw three images, from the same two latents or from different ones, each with its own noise."""
    random = torch.Generator().manual_seed(0)
    latents = [torch.randn(1 if same else 3, 128, generator=random).expand(3, -1) for _ in range(2)]
    scalars = [torch.full((3,), float(value)) for value in (crossover, truncation, strength)]
    noise = torch.randn(3, style.noise_size, generator=random)
    images: Tensor = style(*latents, scalars[0], scalars[1], noise, scalars[2])
    return images


def test_truncation_to_zero_leaves_one_style(style: nn.Module) -> None:
    images = drawn(style, truncation=0, strength=0)
    torch.testing.assert_close(images[0], images[1])
    assert not torch.allclose(*drawn(style, strength=0)[:2])


def test_noise_changes_images_of_one_style_unless_its_strength_is_zero(style: nn.Module) -> None:
    still = drawn(style, strength=0, same=True)
    torch.testing.assert_close(still[0], still[1])
    assert not torch.allclose(*drawn(style, same=True)[:2])


def test_the_second_style_controls_the_layers_from_the_crossover_on(style: nn.Module) -> None:
    first, mixed, second = (drawn(style, crossover=crossover, strength=0) for crossover in (8, 4, 0))
    assert not torch.allclose(first, second)
    assert not torch.allclose(first, mixed)
    assert not torch.allclose(second, mixed)
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(3, 128, generator=generator) for _ in range(2))
    swapped = style(other, one, torch.zeros(3), torch.ones(3), torch.zeros(3, style.noise_size), torch.zeros(3))
    torch.testing.assert_close(swapped, first)


def test_the_average_style_follows_the_training(digits: Dataset) -> None:
    variant = variants.find("stylegan")
    recipe = dataclasses.replace(variant.recipe, steps=20, batch_size=8)
    trainer = Trainer(variant(digits.spec, recipe), digits, seed=0, precision="fp32", device="cpu")
    played = [set(terms) for terms in trainer.train()]
    assert trainer.game.get_submodule("generator").average_style.abs().max() > 0
    assert [number for number, terms in enumerate(played) if "penalty/r1" in terms] == [15], "R1 is lazy"
