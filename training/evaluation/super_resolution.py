"""Score super-resolution by the protocol of its papers: on Y of whole photos, without their borders.

Each photo is reduced bicubically to 8 bits. The model's enlargement is compared with the photo as 8 bits, where
Y = 16 ... 235 is ITU-R BT.601's luma, and the factor is the number of pixels that are cut off at each border.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from gan_serve.metadata import Score
from gan_serve.repository import Model
from training.data.dataset import to_signed
from training.data.resampling import enlarged, reduced
from training.evaluation import scores as table
from training.evaluation.context import Evaluation
from training.inference import open_network, run_in_batches

Enlarge = Callable[[Tensor], Tensor]  # (1, C, h, w) -> (1, C, H, W), both in [-1, 1]
LUMA = (65.481, 128.553, 24.966)  # of red, green and blue from 0 to 1


def scores(context: Evaluation) -> list[Score]:
    """Return for each set of whole photos PSNR, SSIM, and how many dB more than bicubic interpolation."""
    sets = context.test.photos
    if not sets:
        return []
    factor = context.model.metadata.image_outputs[0].scale
    enlargements = (_enlarger(context.model), _enlarger(context.untrained), lambda small: enlarged(small, factor))
    results = []
    for name, photos in sets.items():
        (psnr, ssim), (worst, worst_ssim), (base, base_ssim) = (
            measured(enlarge, photos, factor) for enlarge in enlargements
        )
        about = f"of {name}, on Y, {factor} pixels cut off at the borders"
        results += [
            _score(f"{name}_psnr", psnr, worst, f"peak signal-to-noise ratio in dB {about}"),
            _score(f"{name}_ssim", ssim, worst_ssim, f"structural similarity {about}; bicubic has {base_ssim:.4f}"),
            _score(f"{name}_psnr_gain", psnr - base, worst - base, f"dB more than bicubic, which has {base:.2f}"),
        ]
    return results


def protocol(context: Evaluation) -> str:
    """Describe what the scores of whole photos were measured on."""
    sets: Mapping[str, Sequence[Tensor]] = context.test.photos
    whole = " and ".join(f"the {len(photos)} whole photos of {name}" for name, photos in sets.items())
    return f"PSNR and SSIM are those of {whole}, each reduced bicubically. All other scores: " if sets else ""


def _score(name: str, value: float, control: float, description: str) -> Score:
    return table.rounded(Score(name=name, value=value, better="higher", description=description, control=control))


def _enlarger(model: Model) -> Enlarge:
    session = open_network(model.content, str(model.path))
    (image,), (output,) = model.metadata.inputs, model.metadata.outputs

    def enlarge(small: Tensor) -> Tensor:
        (large,) = run_in_batches(session, {image.name: small.numpy()}, [output.name])
        return torch.from_numpy(large)

    return enlarge


def measured(enlarge: Enlarge, photos: Sequence[Tensor], factor: int) -> tuple[float, float]:
    """Return PSNR in dB and SSIM, averaged over photos of bytes (C, H, W)."""
    each = []
    for photo in photos:
        truth = to_signed(_cut(photo, factor)[None])
        large = enlarge(reduced(truth, factor))
        pair = [luma(images)[:, :, factor:-factor, factor:-factor] for images in (large, truth)]
        psnr = peak_signal_noise_ratio(pair[0], pair[1], data_range=255.0)
        ssim = structural_similarity_index_measure(pair[0], pair[1], data_range=255.0)
        each.append(torch.stack([psnr, torch.as_tensor(ssim)]))
    psnr, ssim = torch.stack(each).mean(dim=0).tolist()
    return psnr, ssim


def _cut(photo: Tensor, factor: int) -> Tensor:
    """Cut off the last rows and columns that are no whole multiple of the factor."""
    return photo[:, : photo.shape[1] // factor * factor, : photo.shape[2] // factor * factor]


def luma(images: Tensor) -> Tensor:
    """Convert images (N, C, H, W) in [-1, 1], rounded to 8 bits, to Y (N, 1, H, W), 16 to 235."""
    steps = ((images + 1) * 127.5).round().clamp(0, 255) / 255
    weights = torch.tensor(LUMA) if images.shape[1] == 3 else torch.tensor([sum(LUMA)])
    return 16 + (steps * weights[:, None, None]).sum(dim=1, keepdim=True)
