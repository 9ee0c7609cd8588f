"""Cluster labels for masked pre-training: k-means of MFCCs or of hidden states.

First round: Kaldi's 13 MFCCs with first and second differences, as HuBERT (section
IV-A), but less their mean, and with the encoder's own window and hop, so that label i
belongs to frame i exactly.
Second round: the hidden states of one block of the first round's encoder.
Clustering is scikit-learn's MiniBatchKMeans.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torchaudio
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor

from pruneasr import SAMPLE_RATE
from pruneasr.data.audio import read_mono
from pruneasr.data.datadir import read_table
from pruneasr.encoder import Encoder, EncoderConfig
from pruneasr.files import whole

Features = Callable[[Tensor], Tensor]  # waveform (T,) -> (L, num_features)


def mfcc_features(config: EncoderConfig) -> Features:
    """Return a function from a waveform to its 39 MFCC features per encoder frame.

    Kaldi's lifter makes all coefficients count in a distance; without, the first, which
    is loudness, is two thirds of it. The mean over the utterance is subtracted: the
    encoder normalises the level away and could not learn labels that depend on it.
    """
    milliseconds = 1000 / SAMPLE_RATE

    def features(waveform: Tensor) -> Tensor:
        # Kaldi's floor of energies is meant for samples of 16-bit integers
        coefficients = torchaudio.compliance.kaldi.mfcc(
            waveform[None] * 2**15,
            sample_frequency=SAMPLE_RATE,
            frame_length=config.receptive_field * milliseconds,
            frame_shift=config.hop * milliseconds,
            subtract_mean=True,
        ).t()
        first = torchaudio.functional.compute_deltas(coefficients)
        second = torchaudio.functional.compute_deltas(first)
        return torch.cat([coefficients, first, second]).t()

    return features


def hidden_features(encoder: Encoder, layer: int) -> Features:
    """Return a function from a waveform to ``hidden_states[layer]``.

    Raises:
        ValueError: if there is no such hidden state.
    """
    if not 0 <= layer <= len(encoder.blocks):
        raise ValueError(
            f"expected a layer from 0 to {len(encoder.blocks)}; found {layer}"
        )
    encoder.eval()

    def features(waveform: Tensor) -> Tensor:
        return encoder(waveform[None], num_blocks=layer)[0][-1][0]

    return features


def fit_clusters(
    wav_scp: Path, features: Features, num_clusters: int, max_frames: int, seed: int
) -> MiniBatchKMeans:
    """Fit k-means on at most ``max_frames`` frames of utterances in random order.

    Raises:
        ValueError: if there are fewer frames than clusters.
    """
    paths = list(read_table(wav_scp).values())
    order = np.random.default_rng(seed).permutation(len(paths))
    chosen: list[NDArray[np.float32]] = []
    total = 0
    for i in order:
        chosen.append(_compute(paths[i], features))
        total += len(chosen[-1])
        if total >= max_frames:
            break
    if total < num_clusters:
        raise ValueError(
            f"{wav_scp}: expected at least {num_clusters} frames to make as many "
            f"clusters; found {total}. Lower --num-clusters or add audio"
        )
    # 10000 frames per batch and 5 restarts: those of the HuBERT recipe, scaled down
    kmeans = MiniBatchKMeans(
        num_clusters, batch_size=10000, n_init=5, random_state=seed
    )
    return kmeans.fit(np.concatenate(chosen)[:max_frames])


def write_labels(
    wav_scp: Path, features: Features, kmeans: MiniBatchKMeans, output: Path
) -> None:
    """Write one line ``utterance label label ...`` per utterance."""
    audio = read_table(wav_scp)
    start = time.monotonic()
    with whole(output) as partial, partial.open("w", encoding="utf-8") as file:
        for done, (name, path) in enumerate(audio.items(), 1):
            labels = kmeans.predict(_compute(path, features))
            file.write(" ".join([name, *map(str, labels)]) + "\n")
            if done % 500 == 0:
                left = (time.monotonic() - start) * (len(audio) / done - 1)
                logging.info("labels: %d/%d, %.0f s left", done, len(audio), left)


@torch.inference_mode()
def _compute(path: str, features: Features) -> NDArray[np.float32]:
    waveform = torch.from_numpy(read_mono(path))
    return np.ascontiguousarray(features(waveform).numpy())
