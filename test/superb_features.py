"""Features that say what the text is, as an encoder's would, for tests of probes."""

import dataclasses
import json

import torch
from safetensors.torch import save_file

from pruneasr.data.datadir import write_table
from pruneasr.superb.features import FeatureShape, FeatureStore

SHAPE = FeatureShape(3, 8, seconds_per_frame=0.02, first_centre=0.0125)
INFORMED = 1  # the layer that knows; the others are noise


def noise(num_frames, seed, shape=SHAPE):
    generator = torch.Generator().manual_seed(seed)
    size = (shape.num_layers, num_frames, shape.dim)
    return torch.randn(size, generator=generator)


def labelled(labels, num_frames=20):
    """Hidden states whose informed layer depends on the label: list of (K, L, D)."""
    codes = {label: noise(1, 1000 + i) for i, label in enumerate(sorted(set(labels)))}
    states = []
    for i, label in enumerate(labels):
        state = noise(num_frames + i % 3, i)
        state[INFORMED] = 0.3 * state[INFORMED] + codes[label][INFORMED]
        states.append(state)
    return states


def spelled(texts, split, frames_per_token=3):
    """Hidden states whose informed layer spells the text out."""
    tokens = sorted({token for text in texts for token in split(text)})
    codes = {token: noise(1, 2000 + i)[INFORMED] for i, token in enumerate(tokens)}
    states = []
    for i, text in enumerate(texts):
        rows = [codes[token] for token in split(text) for _ in range(frames_per_token)]
        state = 0.3 * noise(len(rows), i)
        state[INFORMED] += torch.cat(rows)
        states.append(state)
    return states


def pad(states):
    lengths = torch.tensor([state.size(1) for state in states])
    batch = torch.zeros(len(states), SHAPE.num_layers, int(lengths.max()), SHAPE.dim)
    for row, state in zip(batch, states, strict=True):
        row[:, : state.size(1)] = state
    return batch, lengths


def make_store(folder, states, shape=SHAPE):
    """A store as ``extract`` writes it, of utterance -> (K, L, D)."""
    folder.mkdir(parents=True)
    tensors = {name: state.half().contiguous() for name, state in states.items()}
    save_file(tensors, folder / "all-0.safetensors")
    write_table(folder / "all.index", dict.fromkeys(states, "all-0.safetensors"))
    (folder / "features.json").write_text(json.dumps(dataclasses.asdict(shape)))
    return FeatureStore(folder)


def make_set(directory, texts):
    """A data directory's ``text``."""
    directory.mkdir(parents=True)
    write_table(directory / "text", texts)
    return directory
