"""Hidden states of a frozen encoder on disk, computed once and read by every probe.

A store is a folder: ``<list>-<number>.safetensors`` with one float16 tensor
(num_layers, L, D) per utterance, ``<list>.index`` that names the shard of each
utterance, and ``features.json``. Utterances are encoded one by one, so padding has no
part in it, with the encoder in evaluation mode and without gradients. Half precision
costs about three decimal digits and half the space, of which much is needed: 100 hours
of a Base model take 360 GB. Every shard says of which weights and files it was made.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from pruneasr import SAMPLE_RATE
from pruneasr.data.audio import read_mono
from pruneasr.data.datadir import read_table, write_table
from pruneasr.encoder import Encoder
from pruneasr.encoder.interop.files import tensor_digest
from pruneasr.files import whole, write_atomic

SHARD_SIZE = 100
"""Utterances per file: what a killed job loses at most, and holds in memory."""


@dataclasses.dataclass(frozen=True)
class FeatureShape:
    """What a probe must know of its features.

    Attributes:
        num_layers: Hidden states of an utterance, the input of block 0 included.
        dim: Size of a frame.
        seconds_per_frame: Distance of two frames.
        first_centre: Time of the middle of frame 0, in seconds.
    """

    num_layers: int
    dim: int
    seconds_per_frame: float
    first_centre: float


def shape_of(encoder: Encoder) -> FeatureShape:
    """Return the shape of an encoder's features."""
    config = encoder.config
    return FeatureShape(
        num_layers=len(encoder.blocks) + 1,
        dim=config.dim,
        seconds_per_frame=config.hop / SAMPLE_RATE,
        first_centre=config.receptive_field / 2 / SAMPLE_RATE,
    )


def extract(
    encoder: Encoder, wav_scp: Path, store: Path, *, device: str = "cpu"
) -> int:
    """Encode a list of utterances.

    What is there of the same weights and files (path, size, time of change) is not
    computed again.

    Args:
        encoder: Put into evaluation mode.
        wav_scp: Lines of ``utterance file``, mono at 16 kHz. Several processes may fill
            one store, each with a list of its own name.
        store: Receives the shards.
        device: Where the encoder runs.

    Returns:
        The number of utterances.

    Raises:
        OSError: Audio is missing.
        ValueError: The list is broken, audio is not mono at 16 kHz, or too short.
    """
    made_by = {
        "config": json.dumps(encoder.config.to_dict()),
        "weights": tensor_digest(encoder.state_dict()),
    }
    encoder.to(device).eval()
    audio = read_table(wav_scp)
    store.mkdir(parents=True, exist_ok=True)
    index: dict[str, str] = {}
    for number in range(-(-len(audio) // SHARD_SIZE)):
        names = list(audio)[number * SHARD_SIZE : (number + 1) * SHARD_SIZE]
        path = store / f"{wav_scp.stem}-{number}.safetensors"
        versions = {name: _version(audio[name]) for name in names}
        origin = {**made_by, "audio": json.dumps(versions)}
        if not (path.exists() and _origin_of(path) == origin):
            states = {name: encode(encoder, audio[name], device) for name in names}
            with whole(path) as partial:
                save_file(states, partial, metadata=origin)
        index |= dict.fromkeys(names, path.name)
    shape = json.dumps(dataclasses.asdict(shape_of(encoder)), indent=1) + "\n"
    write_atomic(store / "features.json", shape)
    write_table(store / f"{wav_scp.stem}.index", index)
    return len(audio)


@torch.inference_mode()
def encode(encoder: Encoder, path: str, device: str) -> Tensor:
    """Return the hidden states of one file: (num_layers, L, D) float16, on the CPU.

    Raises:
        ValueError: The file is not mono at 16 kHz, or too short, or hidden states do
            not fit into half precision.
    """
    states, _ = encoder(torch.from_numpy(read_mono(path)).to(device)[None])
    halves = torch.cat(states).half().cpu().contiguous()
    if not torch.isfinite(halves).all():
        raise ValueError(
            f"{path}: expected hidden states within +-65504, the range of float16, "
            f"found {max(float(state.abs().max()) for state in states):g}"
        )
    return halves


def encode_all(encoder: Encoder, wav_scp: Path) -> dict[str, Tensor]:
    """Return the hidden states of a list that fits into memory, as ``encode`` does."""
    audio = read_table(wav_scp)
    logging.info("%s: encoding %d utterances", wav_scp, len(audio))
    return {name: encode(encoder, path, "cpu") for name, path in audio.items()}


class FeatureStore:
    """Reads what ``extract`` wrote."""

    def __init__(self, folder: Path) -> None:
        """Read what is where.

        Raises:
            ValueError: There is no store.
        """
        if not (folder / "features.json").is_file():
            raise ValueError(
                f"expected features at {folder}, found none; run the stage features"
            )
        self.folder = folder
        self._shards = {
            name: shard
            for path in sorted(folder.glob("*.index"))
            for name, shard in read_table(path).items()
        }
        shape = json.loads((folder / "features.json").read_text(encoding="utf-8"))
        self.shape = FeatureShape(**shape)

    def check(self, utterances: Iterable[str]) -> None:
        """Refuse utterances that are not in the store.

        Raises:
            ValueError: One is missing.
        """
        missing = [name for name in utterances if name not in self._shards]
        if missing:
            raise ValueError(
                f"{self.folder}: expected features of all utterances, found none of "
                f"{len(missing)}, {missing[0]} among them; run the stage features for "
                "all sets of the task"
            )

    def read(self, utterance: str) -> Tensor:
        """Return the hidden states of an utterance: (num_layers, L, D) float16.

        Raises:
            ValueError: It is not in the store.
        """
        self.check([utterance])
        with safe_open(self.folder / self._shards[utterance], "pt") as shard:
            return shard.get_tensor(utterance)

    def read_layer(self, utterance: str, layer: int) -> Tensor:
        """Return one hidden state of an utterance, without the others: (L, D) float16.

        Raises:
            ValueError: It is not in the store.
        """
        self.check([utterance])
        with safe_open(self.folder / self._shards[utterance], "pt") as shard:
            state: Tensor = shard.get_slice(utterance)[layer]
            return state

    def num_frames(self, utterance: str) -> int:
        """Return the number of frames of an utterance without reading them.

        Raises:
            ValueError: It is not in the store.
        """
        self.check([utterance])
        with safe_open(self.folder / self._shards[utterance], "pt") as shard:
            return int(shard.get_slice(utterance).get_shape()[1])


def _version(path: str) -> str:
    """Return what changes when a file does."""
    status = Path(path).stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _origin_of(shard: Path) -> dict[str, str] | None:
    """Return of what a shard was made; None where it does not say so."""
    with safe_open(shard, "pt") as file:
        origin: dict[str, str] | None = file.metadata()
    return origin
