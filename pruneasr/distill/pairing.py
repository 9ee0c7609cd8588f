"""Which student layer learns from which teacher layer ([W23] Eq. 5, CoFi).

    free       for each teacher layer the nearest living student layer, batch by batch
               (Xia et al. 2022, "version 3")
    ordered    the same from the top down, each match strictly below the one before
               ("version 4", with a layer counted as living if either branch is)
    fixed      given pairs (DPHuBERT)
    heads      every teacher layer from the last student layer, through a linear map of
               its own (DistilHuBERT)

The processes of a data-parallel training choose together, by the distances over all of
their frames, as one process with all of their utterances would.

Layers are numbered as hidden states are: 0 enters block 0, i leaves block i.
free, ordered and fixed share one linear map from student to teacher space, which starts
as the identity; fixed can give student layers maps of their own (DPHuBERT: layer 0).

Shapes: B batch, L frames, D model dimension.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruneasr.processes import weighted_mean

# Distance between (N, D) teacher and student frames
Distance = Callable[[Tensor, Tensor], Tensor]


def l1_cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """Return L1 minus log-sigmoid of the cosine (DistilHuBERT, Chang et al. 2022)."""
    cosine = F.cosine_similarity(student, teacher, dim=-1)
    return F.l1_loss(student, teacher) - F.logsigmoid(cosine).mean()


def l1_minus_cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """Return L1 minus the cosine itself (DPHuBERT, Peng et al. 2023)."""
    cosine = F.cosine_similarity(student, teacher, dim=-1)
    return F.l1_loss(student, teacher) - cosine.mean()


DISTANCES: dict[str, Distance] = {
    "mse": F.mse_loss,
    "l1_cosine": l1_cosine,
    "l1_minus_cosine": l1_minus_cosine,
}


def _check(whose: str, layers: tuple[int, ...], num_blocks: int) -> None:
    if min(layers) < 0 or max(layers) > num_blocks:
        raise ValueError(
            f"the {whose} has layers 0 to {num_blocks}; found {whose}_layers {layers}"
        )


class Pairing(nn.Module):
    """The distillation loss over pairs of layers."""

    def __init__(self, teacher_layers: Sequence[int], dim: int, distance: str) -> None:
        """Compare with these layers of the teacher.

        Args:
            teacher_layers: ascending numbers of the teacher's hidden states.
            dim: model dimension of both.
            distance: key of :data:`DISTANCES`.

        Raises:
            ValueError: if layers are not ascending or the distance is unknown.
        """
        super().__init__()
        if not teacher_layers or sorted(set(teacher_layers)) != list(teacher_layers):
            raise ValueError(
                f"teacher_layers must ascend, e.g. 3 6 9 12; found {teacher_layers}"
            )
        if distance not in DISTANCES:
            raise ValueError(
                f"distance must be one of {sorted(DISTANCES)}; found {distance}"
            )
        self.teacher_layers = tuple(teacher_layers)
        self.distance = DISTANCES[distance]

    def check(self, num_teacher_blocks: int, num_student_blocks: int) -> None:
        """Refuse layers that do not exist.

        Raises:
            ValueError: if one does not.
        """
        _check("teacher", self.teacher_layers, num_teacher_blocks)

    @abstractmethod
    def forward(
        self,
        teacher: Sequence[Tensor],
        student: Sequence[Tensor],
        valid: Tensor,
        living: Sequence[int],
    ) -> tuple[Tensor, dict[int, int]]:
        """Return the loss and the pairs.

        Args:
            teacher: its hidden states (B, L, D).
            student: its hidden states (B, L, D).
            valid: frames that count (B, L), boolean.
            living: student layers with a living branch, ascending.

        Returns:
            The sum over pairs of their distance over valid frames, and the student
            layer of each teacher layer.
        """


def identity_map(dim: int) -> nn.Linear:
    """Return a learned linear map that starts as the identity."""
    linear = nn.Linear(dim, dim)
    nn.init.eye_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


class ChosenPairing(Pairing):
    """Pairs chosen layer by layer, through one linear map that starts as identity."""

    def __init__(self, teacher_layers: Sequence[int], dim: int, distance: str) -> None:
        """Make the map."""
        super().__init__(teacher_layers, dim, distance)
        self.map = identity_map(dim)

    def forward(
        self,
        teacher: Sequence[Tensor],
        student: Sequence[Tensor],
        valid: Tensor,
        living: Sequence[int],
    ) -> tuple[Tensor, dict[int, int]]:
        """Compare each layer with the one that is chosen for it."""
        targets = {j: teacher[j][valid].float() for j in self.teacher_layers}
        # layer 0 stands in where every block is gone
        candidates = {
            k: self.map_of(k)(student[k][valid]).float() for k in living or [0]
        }
        pairs = self.choose(targets, candidates)
        distances = [self.distance(candidates[k], targets[j]) for j, k in pairs.items()]
        return torch.stack(distances).sum(), pairs

    def map_of(self, student_layer: int) -> nn.Module:
        """Return the map that takes a student layer into the teacher's space."""
        return self.map

    @torch.no_grad()
    def _distances(
        self, targets: dict[int, Tensor], candidates: dict[int, Tensor]
    ) -> dict[int, dict[int, float]]:
        """Return the distance of every teacher layer to every candidate."""
        pairs = [(t, c) for t in targets.values() for c in candidates.values()]
        distances = torch.stack([self.distance(c, t) for t, c in pairs])
        num_frames = len(pairs[0][0])
        rows = weighted_mean(distances, num_frames).view(len(targets), -1).tolist()
        return {
            j: dict(zip(candidates, row, strict=True))
            for j, row in zip(targets, rows, strict=True)
        }

    @abstractmethod
    def choose(
        self, targets: dict[int, Tensor], candidates: dict[int, Tensor]
    ) -> dict[int, int]:
        """Return the student layer for each teacher layer, both as (N, D) frames."""


class FreePairing(ChosenPairing):
    """The nearest layer, whatever the others take."""

    def choose(
        self, targets: dict[int, Tensor], candidates: dict[int, Tensor]
    ) -> dict[int, int]:
        """Return the argmin of the distance."""
        distances = self._distances(targets, candidates)
        return {j: min(row, key=row.__getitem__) for j, row in distances.items()}


class OrderedPairing(ChosenPairing):
    """The nearest layer below the one above; the lowest one where none is left."""

    def choose(
        self, targets: dict[int, Tensor], candidates: dict[int, Tensor]
    ) -> dict[int, int]:
        """Return matches that descend with the teacher's layers."""
        distances = self._distances(targets, candidates)
        pairs: dict[int, int] = {}
        upper = max(candidates) + 1
        for j in sorted(targets, reverse=True):
            below = [k for k in candidates if k < upper] or [min(candidates)]
            upper = min(below, key=distances[j].__getitem__)
            pairs[j] = upper
        return pairs


class FixedPairing(ChosenPairing):
    """Given student layers; a removed block passes on what entered it."""

    def __init__(
        self,
        teacher_layers: Sequence[int],
        dim: int,
        distance: str,
        student_layers: Sequence[int] | None = None,
        own_maps: Sequence[int] = (),
    ) -> None:
        """Pair as given.

        Args:
            teacher_layers: see :class:`Pairing`.
            dim: see :class:`Pairing`.
            distance: see :class:`Pairing`.
            student_layers: one for each teacher layer; None means the same numbers.
            own_maps: student layers with a map of their own; the others share one.

        Raises:
            ValueError: if their number differs, or a map is of no pair.
        """
        super().__init__(teacher_layers, dim, distance)
        student_layers = student_layers or teacher_layers
        if len(student_layers) != len(teacher_layers):
            raise ValueError(
                f"expected {len(teacher_layers)} student_layers for {teacher_layers}; "
                f"found {student_layers}"
            )
        if not set(own_maps) <= set(student_layers):
            raise ValueError(
                f"expected own_maps out of the student_layers {student_layers}; found "
                f"{own_maps}"
            )
        self.pairs = dict(zip(teacher_layers, student_layers, strict=True))
        self.own_maps = nn.ModuleDict({str(k): identity_map(dim) for k in own_maps})

    def check(self, num_teacher_blocks: int, num_student_blocks: int) -> None:
        """Refuse layers that do not exist, of the student too."""
        super().check(num_teacher_blocks, num_student_blocks)
        _check("student", tuple(self.pairs.values()), num_student_blocks)

    def forward(
        self,
        teacher: Sequence[Tensor],
        student: Sequence[Tensor],
        valid: Tensor,
        living: Sequence[int],
    ) -> tuple[Tensor, dict[int, int]]:
        """Compare the given layers, living or not."""
        return super().forward(teacher, student, valid, sorted(self.pairs.values()))

    def map_of(self, student_layer: int) -> nn.Module:
        """Return a layer's own map, or the one that is shared."""
        own = dict(self.own_maps.items())
        return own.get(str(student_layer), self.map)

    def choose(
        self, targets: dict[int, Tensor], candidates: dict[int, Tensor]
    ) -> dict[int, int]:
        """Return the given pairs."""
        return self.pairs


class PredictionHeads(Pairing):
    """Every teacher layer predicted from the last student layer."""

    def __init__(self, teacher_layers: Sequence[int], dim: int, distance: str) -> None:
        """Make one linear map per teacher layer, of random initial values."""
        super().__init__(teacher_layers, dim, distance)
        self.map = nn.ModuleDict({str(j): nn.Linear(dim, dim) for j in teacher_layers})

    def forward(
        self,
        teacher: Sequence[Tensor],
        student: Sequence[Tensor],
        valid: Tensor,
        living: Sequence[int],
    ) -> tuple[Tensor, dict[int, int]]:
        """Compare each prediction with its layer."""
        last = student[-1][valid]
        distances = [
            self.distance(self.map[str(j)](last).float(), teacher[j][valid].float())
            for j in self.teacher_layers
        ]
        pairs = dict.fromkeys(self.teacher_layers, len(student) - 1)
        return torch.stack(distances).sum(), pairs


PAIRINGS: dict[str, type[Pairing]] = {
    "free": FreePairing,
    "ordered": OrderedPairing,
    "fixed": FixedPairing,
    "heads": PredictionHeads,
}
