"""Features on disk: those of the encoder, once, whole, and in shares."""

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny import random_encoder

from pruneasr.data.datadir import read_table, write_table
from pruneasr.superb import features
from pruneasr.superb.batches import (
    batches_by_length,
    load_batch,
    names_of_step,
    one_ahead,
)
from pruneasr.superb.features import FeatureStore, extract


@pytest.fixture
def audio(tmp_path):
    generator = np.random.default_rng(0)
    paths = {}
    for i in range(5):
        path = tmp_path / f"{i}.wav"
        samples = generator.normal(size=4000 + 700 * i).astype(np.float32) / 10
        soundfile.write(path, samples, 16000)
        paths[f"u{i}"] = str(path)
    write_table(tmp_path / "all.scp", paths)
    return tmp_path / "all.scp"


def expected_states(encoder, path):
    samples = torch.from_numpy(soundfile.read(path, dtype="float32")[0])
    with torch.no_grad():
        return torch.cat(encoder(samples[None])[0])


def test_features_are_the_hidden_states_of_the_frozen_encoder(audio, tmp_path):
    encoder = random_encoder().train()
    assert extract(encoder, audio, tmp_path / "store") == 5
    store = FeatureStore(tmp_path / "store")
    assert not encoder.training
    assert store.shape.num_layers == len(encoder.blocks) + 1
    assert store.shape.dim == encoder.config.dim
    assert store.shape.seconds_per_frame == pytest.approx(0.02)
    assert store.shape.first_centre == pytest.approx(0.0125)
    for name, path in read_table(audio).items():
        states = store.read(name)
        assert states.dtype == torch.float16
        assert store.num_frames(name) == states.size(1)
        expected = expected_states(encoder, path)
        torch.testing.assert_close(states.float(), expected, atol=2e-3, rtol=1e-3)


def test_lists_share_a_store(audio, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "SHARD_SIZE", 2)
    table = read_table(audio)
    for name, share in (("a", ["u0", "u3", "u4"]), ("b", ["u1", "u2"])):
        write_table(tmp_path / f"{name}.scp", {u: table[u] for u in share})
        extract(random_encoder(), tmp_path / f"{name}.scp", tmp_path / "store")
    assert len(list((tmp_path / "store").glob("*.safetensors"))) == 3
    store = FeatureStore(tmp_path / "store")
    extract(random_encoder(), audio, tmp_path / "whole")
    whole = FeatureStore(tmp_path / "whole")
    assert all(torch.equal(store.read(name), whole.read(name)) for name in table)


def test_what_is_there_is_not_computed_again(audio, tmp_path):
    extract(random_encoder(), audio, tmp_path / "store")
    (shard,) = (tmp_path / "store").glob("*.safetensors")
    before = shard.stat().st_mtime_ns
    extract(random_encoder(), audio, tmp_path / "store")
    assert shard.stat().st_mtime_ns == before


def change_one(audio):
    """Put other samples into the file of u2."""
    path = read_table(audio)["u2"]
    soundfile.write(path, np.full(5400, 0.1, np.float32), 16000)


def other_path(audio):
    """Let u2 be a file of another name."""
    table = read_table(audio)
    other = Path(table["u2"]).rename(audio.parent / "other.wav")
    write_table(audio, {**table, "u2": str(other)})


def other_weights(audio):
    """Change nothing; the encoder is another one."""


@pytest.mark.parametrize(
    ("change", "made_again"),
    [(change_one, "1"), (other_path, "1"), (other_weights, "012")],
)
def test_features_of_other_files_or_weights_are_made_again(
    audio, tmp_path, monkeypatch, change, made_again
):
    monkeypatch.setattr(features, "SHARD_SIZE", 2)
    extract(random_encoder(), audio, tmp_path / "store")
    before = {p: p.stat().st_mtime_ns for p in tmp_path.glob("store/*.safetensors")}
    change(audio)
    encoder = random_encoder(seed=int(change is other_weights))
    extract(encoder, audio, tmp_path / "store")
    changed = {p.stem for p, time in before.items() if p.stat().st_mtime_ns != time}
    assert changed == {f"all-{number}" for number in made_again}
    states = FeatureStore(tmp_path / "store").read("u2")
    expected = expected_states(encoder, read_table(audio)["u2"])
    torch.testing.assert_close(states.float(), expected, atol=2e-3, rtol=1e-3)


def test_missing_features_are_refused(audio, tmp_path):
    with pytest.raises(ValueError, match="run the stage features"):
        FeatureStore(tmp_path / "nowhere")
    extract(random_encoder(), audio, tmp_path / "store")
    store = FeatureStore(tmp_path / "store")
    with pytest.raises(ValueError, match="none of 1, other among them"):
        store.read("other")
    with pytest.raises(ValueError, match="none of 1, other among them"):
        store.num_frames("other")


def test_wrong_audio_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(4000), 8000)
    write_table(tmp_path / "a.scp", {"a": str(tmp_path / "a.wav")})
    with pytest.raises(ValueError, match="found 8000 Hz"):
        extract(random_encoder(), tmp_path / "a.scp", tmp_path / "store")


def test_states_that_half_precision_cannot_hold_are_refused(audio, tmp_path):
    encoder = random_encoder()
    with torch.no_grad():
        encoder.norm.weight *= 1e6
    with pytest.raises(ValueError, match="the range of float16"):
        extract(encoder, audio, tmp_path / "store")


def test_batches_are_padded_and_cut(audio, tmp_path):
    extract(random_encoder(), audio, tmp_path / "store")
    store = FeatureStore(tmp_path / "store")
    batch, lengths = load_batch(store, ["u4", "u0"])
    assert lengths.tolist() == [store.num_frames("u4"), store.num_frames("u0")]
    assert torch.equal(batch[0], store.read("u4").float())
    assert batch[1, :, int(lengths[1]) :].abs().max() == 0
    cut, cut_lengths = load_batch(store, ["u4", "u0"], max_frames=15)
    assert cut_lengths.tolist() == [15, int(lengths[1])]
    starts = range(store.num_frames("u4") - 14)
    assert any(torch.equal(cut[0], batch[0, :, s : s + 15]) for s in starts)
    again, _ = load_batch(store, ["u4", "u0"], max_frames=15)
    assert torch.equal(cut, again)
    drawn = [load_batch(store, ["u4"], max_frames=5, seed=s)[0] for s in range(8)]
    assert any(not torch.equal(drawn[0], one) for one in drawn)


def test_the_next_batch_is_loaded_during_an_update():
    loaded, begun = [], threading.Event()

    def load(number):
        loaded.append(number)
        if number == 1:
            begun.set()
        return 10 * number

    results = one_ahead(load, range(3))
    assert next(results) == 0
    assert begun.wait(timeout=10)  # nobody has asked for it yet
    assert list(results) == [10, 20]
    assert loaded == [0, 1, 2]
    assert list(one_ahead(load, [])) == []


def test_what_goes_wrong_in_the_thread_is_raised():
    def load(number):
        raise ValueError(f"no {number}")

    with pytest.raises(ValueError, match="no 0"):
        next(one_ahead(load, range(3)))


def test_all_are_read_once_and_by_length(audio, tmp_path):
    extract(random_encoder(), audio, tmp_path / "store")
    store = FeatureStore(tmp_path / "store")
    names = ["u3", "u0", "u4", "u1", "u2"]
    parts = list(batches_by_length(store, names, batch_size=2, device="cpu"))
    assert [part for part, _, _ in parts] == [["u0", "u1"], ["u2", "u3"], ["u4"]]


def test_every_epoch_sees_every_utterance_in_another_order():
    texts = {f"u{i}": "x" for i in range(7)}
    steps = [
        names_of_step(texts, step, batch_size=3, seed=1, balanced=False)
        for step in range(6)
    ]
    first, second = steps[:3], steps[3:]
    assert [len(names) for names in first] == [3, 3, 1]
    for epoch in (first, second):
        assert sorted(name for names in epoch for name in names) == sorted(texts)
    assert first != second
    assert steps[4] == names_of_step(texts, 4, batch_size=3, seed=1, balanced=False)
    assert first[0] != names_of_step(texts, 0, batch_size=3, seed=2, balanced=False)


def test_balanced_batches_draw_rare_labels_as_often():
    texts = {f"u{i}": "rare" if i < 10 else "frequent" for i in range(1000)}
    names = names_of_step(texts, 0, batch_size=1000, seed=0, balanced=True)
    share = sum(texts[name] == "rare" for name in names) / len(names)
    assert share == pytest.approx(0.5, abs=0.06)  # four standard deviations
