"""Read traits off a classifier's features, by one linear regression for each trait."""

import torch
from torch import Tensor

RIDGE = 1e-2  # of the features' variance


class TraitReader:
    """Fitted to features (N, D) and the numbers (N, T) of the choices for each trait."""

    def __init__(self, features: Tensor, values: Tensor) -> None:
        self.mean = features.double().mean(dim=0)
        centred = features.double() - self.mean
        products = centred.T @ centred
        products += RIDGE * products.diagonal().mean() * torch.eye(len(products), dtype=products.dtype)
        self.weights, self.shares = [], []
        for column in values.T:
            chosen = torch.nn.functional.one_hot(column).double()
            self.shares.append(chosen.mean(dim=0))
            self.weights.append(torch.linalg.solve(products, centred.T @ (chosen - self.shares[-1])))

    def accuracy(self, features: Tensor, values: Tensor) -> float:
        """Return the share of the values (N, T) that are read off the features (N, D)."""
        centred = features.double() - self.mean
        read = [
            (centred @ weights + share).argmax(dim=1) for weights, share in zip(self.weights, self.shares, strict=True)
        ]
        return float((torch.stack(read, dim=1) == values).double().mean())
