"""The blocks of SAGAN and BigGAN."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from training import variants
from training.data.dataset import Dataset
from training.loop.reporting import sample
from training.loop.runs import recipe_from
from training.loop.trainer import Trainer
from training.networks import residual
from training.networks.parametrizations import fold_parametrizations


def test_attention_starts_as_the_identity_and_then_depends_on_all_positions() -> None:
    attention, maps = residual.SelfAttention(8), torch.randn(2, 8, 4, 4)
    torch.testing.assert_close(attention(maps), maps)
    nn.init.ones_(attention.gamma)
    changed = maps.clone()
    changed[:, :, 3, 3] += 10
    assert not torch.allclose(attention(changed)[:, :, 0, 0], attention(maps)[:, :, 0, 0])


def test_without_attention_sagan_has_as_many_weights_and_positions_are_independent(digits: Dataset) -> None:
    variant = variants.find("sagan")
    (with_it, without) = (
        variant(digits.spec, recipe_from("sagan", {"attention": attention, "width": 32})) for attention in (True, False)
    )
    sizes = [sum(weights.numel() for weights in gan.parameters()) for gan in (with_it, without)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.002)
    pointwise, maps = without.get_submodule("generator.attention"), torch.randn(2, 32, 4, 4)
    torch.testing.assert_close(pointwise(maps), maps)
    nn.init.ones_(pointwise.get_parameter("gamma"))
    changed = maps.clone()
    changed[:, :, 3, 3] += 10
    torch.testing.assert_close(pointwise(changed)[:, :, :3], pointwise(maps)[:, :, :3])
    assert not torch.allclose(pointwise(changed)[:, :, 3, 3], changed[:, :, 3, 3])


def test_folded_weights_are_plain_with_a_largest_singular_value_of_one(digits: Dataset) -> None:
    variant = variants.find("sagan")
    torch.manual_seed(0)
    recipe = dataclasses.replace(variant.recipe, steps=20, batch_size=8)
    trainer = Trainer(variant(digits.spec, recipe), digits, seed=0, precision="fp32", device="cpu")
    for _ in trainer.train():
        pass
    average = trainer.average.module.generator
    assert isinstance(average, nn.Module)
    plain = fold_parametrizations(average)
    latent, label = torch.randn(2, 128), torch.tensor([1, 2])
    average.eval()(latent, label)  # the original does not change
    assert any(parametrize.is_parametrized(module) for module in average.modules())
    assert not any(parametrize.is_parametrized(module) for module in plain.modules())
    matrices = [weight.flatten(1) for name, weight in plain.named_parameters() if weight.dim() > 1]
    assert matrices
    for matrix in matrices:
        assert abs(torch.linalg.matrix_norm(matrix, ord=2).item() - 1) < 0.05


def test_samples_do_not_depend_on_the_average_of_singular_vectors(digits: Dataset) -> None:
    gan = variants.find("sagan")(digits.spec, recipe_from("sagan", {"width": 32}))
    expected = sample(gan, digits)
    for name, vector in gan.named_buffers():
        if name.endswith(("_u", "_v")):
            vector.mul_(0.5)
    torch.testing.assert_close(sample(gan, digits), expected, atol=1e-3, rtol=0)


def test_all_weights_of_biggan_start_orthogonal_including_the_embeddings(digits: Dataset) -> None:
    gan = variants.find("biggan")(digits.spec, recipe_from("biggan", {"width": 32}))
    weights = {name: weight.flatten(1) for name, weight in gan.named_parameters() if weight.dim() > 1}
    embeddings = {name for name in weights if "embedding" in name}
    assert {name.partition(".")[0] for name in embeddings} == {"generator", "discriminator"}
    for name, matrix in weights.items():
        short = min(matrix.shape)
        product = matrix @ matrix.T if len(matrix) == short else matrix.T @ matrix
        torch.testing.assert_close(product, torch.eye(short), atol=1e-4, rtol=0, msg=name)


def test_truncation_to_zero_leaves_one_image_per_class(digits: Dataset) -> None:
    generator = variants.find("biggan")(digits.spec).get_submodule("generator").eval()
    label, none = torch.tensor([1, 1, 2]), torch.zeros(3)
    images = generator(torch.randn(3, 120), label, none)
    torch.testing.assert_close(images[0], images[1])
    assert not torch.allclose(images[0], images[2])
    assert not torch.allclose(*generator(torch.randn(2, 120), label[:2], torch.ones(2)))
