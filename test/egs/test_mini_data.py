"""The mini corpus: sizes, disjoint speakers and sentences, the same every time."""

import pytest

from pruneasr.data.datadir import read_data_dir

SIZES = {"train": 20, "dev": 8, "test": 8}


@pytest.mark.integration
def test_corpus_is_made_once(recipe, run_data):
    folder = recipe("mini/asr1")
    options = ["--num-train", 12, "--num-dev", 4, "--num-test", 4]
    result = run_data(folder, *options)
    assert result.returncode == 0, result.stderr
    assert "data/train: 12 utterances" in result.stdout
    sets = {
        name: read_data_dir(folder / "data" / name) for name in ("train", "dev", "test")
    }
    assert [len(items) for items in sets.values()] == [12, 4, 4]
    lengths = (folder / "data" / "test" / "utt2num_samples").read_text().split()[1::2]
    assert all(8000 < int(length) < 56000 for length in lengths)

    audio = folder / "data" / "audio"
    times = {path: path.stat().st_mtime_ns for path in audio.rglob("*.flac")}
    assert len(times) == 20
    gone = next(iter(times))
    content = gone.read_bytes()
    gone.unlink()
    assert run_data(folder, *options).returncode == 0
    assert gone.read_bytes() == content
    kept = {path: path.stat().st_mtime_ns for path in audio.rglob("*.flac")}
    assert {path for path in kept if kept[path] != times[path]} == {gone}


def test_sets_share_neither_speakers_nor_sentences(local_module):
    corpus = local_module("mini/asr1", "make_corpus").plan(SIZES, seed=0)
    assert {name: len(items) for name, items in corpus.items()} == SIZES
    voices = [{item.voice for item in items} for items in corpus.values()]
    assert not set.intersection(*voices)
    assert len(set.union(*voices)) == sum(map(len, voices))
    variants = [voice.variant for voice in set.union(*voices)]
    assert len(set(variants)) == len(variants)
    texts = [item.text for items in corpus.values() for item in items]
    assert len(set(texts)) == len(texts)
    assert all(2 <= len(text.split()) <= 6 for text in texts)


def test_test_set_depends_on_the_seed_only(local_module):
    module = local_module("mini/asr1", "make_corpus")
    corpus = module.plan(SIZES, seed=0)
    larger = module.plan({**SIZES, "train": 40}, seed=0)
    assert larger["test"] == corpus["test"]
    assert larger["dev"] == corpus["dev"]
    assert larger["train"][:20] == corpus["train"]
    assert module.plan(SIZES, seed=1)["test"] != corpus["test"]
