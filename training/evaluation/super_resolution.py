"""Score super-resolution by the protocol of its papers: on Y of whole photos, without their borders.

Each photo is made smaller bicubically, in steps of 8 bits; what a model makes of that is compared with the photo as 8
bits, where Y = 16 ... 235 is ITU-R BT.601's luma, and as many pixels are cut off at each border as the factor says.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from gan_serve.metadata import Score
from gan_serve.repository import Model
from training.data.dataset import to_signed
from training.data.resampling import enlarged, reduced
from training.inference import open_network

Enlarge = Callable[[Tensor], Tensor]  # (1, C, h, w) -> (1, C, H, W), both in [-1, 1]
LUMA = (65.481, 128.553, 24.966)  # of red, green and blue from 0 to 1


def scores(model: Model, untrained: Model, sets: Mapping[str, Sequence[Tensor]]) -> list[Score]:
    """For each set of photos PSNR and SSIM, and how many dB more than bicubic interpolation."""
    if not sets:
        return []
    factor = model.metadata.image_outputs[0].scale
    enlargements = (_enlarger(model), _enlarger(untrained), lambda small: enlarged(small, factor))
    found = []
    for name, photos in sets.items():
        (psnr, ssim), (worst, worst_ssim), (base, base_ssim) = (
            measured(enlarge, photos, factor) for enlarge in enlargements
        )
        about = f"of {name}, on Y, {factor} pixels cut off at the borders"
        found += [
            _score(f"{name}_psnr", psnr, worst, f"peak signal-to-noise ratio in dB {about}"),
            _score(f"{name}_ssim", ssim, worst_ssim, f"structural similarity {about}; bicubic has {base_ssim:.4f}"),
            _score(f"{name}_psnr_gain", psnr - base, worst - base, f"dB more than bicubic, which has {base:.2f}"),
        ]
    return found


def protocol(sets: Mapping[str, Sequence[Tensor]]) -> str:
    """What the scores of the sets were measured on."""
    whole = " and ".join(f"the {len(photos)} whole photos of {name}" for name, photos in sets.items())
    return f"PSNR and SSIM are those of {whole}, each made smaller bicubically. All else: " if sets else ""


def _score(name: str, value: float, control: float, description: str) -> Score:
    return Score(name=name, value=round(value, 4), better="higher", description=description, control=round(control, 4))


def _enlarger(model: Model) -> Enlarge:
    session = open_network(model.content, str(model.path))
    (image,), (output,) = model.metadata.inputs, model.metadata.outputs

    def enlarge(small: Tensor) -> Tensor:
        return torch.from_numpy(session.run([output.name], {image.name: small.numpy()})[0])

    return enlarge


def measured(enlarge: Enlarge, photos: Sequence[Tensor], factor: int) -> tuple[float, float]:
    """PSNR in dB and SSIM, averaged over photos of bytes (C, H, W)."""
    each = []
    for photo in photos:
        truth = to_signed(_cut(photo, factor)[None])
        made = enlarge(reduced(truth, factor))
        pair = [luma(images)[:, :, factor:-factor, factor:-factor] for images in (made, truth)]
        psnr = peak_signal_noise_ratio(pair[0], pair[1], data_range=255.0)
        ssim = structural_similarity_index_measure(pair[0], pair[1], data_range=255.0)
        each.append(torch.stack([psnr, torch.as_tensor(ssim)]))
    psnr, ssim = torch.stack(each).mean(dim=0).tolist()
    return psnr, ssim


def _cut(photo: Tensor, factor: int) -> Tensor:
    """Without the last rows and columns, if their number is no multiple of the factor."""
    return photo[:, : photo.shape[1] // factor * factor, : photo.shape[2] // factor * factor]


def luma(images: Tensor) -> Tensor:
    """Images (N, C, H, W) in [-1, 1], rounded to 8 bits -> Y (N, 1, H, W), 16 to 235."""
    steps = ((images + 1) * 127.5).round().clamp(0, 255) / 255
    weights = torch.tensor(LUMA) if images.shape[1] == 3 else torch.tensor([sum(LUMA)])
    return 16 + (steps * weights[:, None, None]).sum(dim=1, keepdim=True)
