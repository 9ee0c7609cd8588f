"""Speech by espeak-ng: the same in any order, at one level, by different speakers."""

import numpy as np
import pytest
import soundfile

from pruneasr.data.synthesis import (
    LANGUAGES,
    VARIANTS,
    Sentence,
    Voice,
    draw_voices,
    speak_all,
)

VOICES = [
    Voice("spk0", "en-us", "m1", 150, 50, 50),
    Voice("spk1", "en", "f1", 150, 60, 50),
]
SENTENCES = [
    Sentence("spk0-1", "OPEN THE DOOR", VOICES[0]),
    Sentence("spk1-1", "OPEN THE DOOR", VOICES[1]),
    Sentence("spk0-2", "THE LIGHT IS GREEN", VOICES[0]),
]


def test_files_do_not_depend_on_the_order(tmp_path):
    first = speak_all(SENTENCES, tmp_path / "a", num_jobs=1)
    second = speak_all(SENTENCES[::-1], tmp_path / "b", num_jobs=1)[::-1]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert first[0].read_bytes() != first[1].read_bytes()


def test_speech_is_at_one_level_and_rate(tmp_path):
    for path in speak_all(SENTENCES[:2], tmp_path, num_jobs=1):
        samples, rate = soundfile.read(path)
        assert rate == 16000
        assert 0.4 < len(samples) / rate < 3.0
        assert 0.45 < np.abs(samples).max() < 0.55
        frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
        assert (frames.std(axis=1) > 0.0003).all()  # nowhere digital silence


def test_what_is_spoken_is_not_spoken_again(tmp_path):
    path = speak_all(SENTENCES[:1], tmp_path, num_jobs=1)[0]
    path.write_bytes(b"kept")
    assert speak_all(SENTENCES[:1], tmp_path, num_jobs=1) == [path]
    assert path.read_bytes() == b"kept"
    other = Sentence("spk0-1", "CLOSE THE DOOR", VOICES[0])
    assert speak_all([other], tmp_path, num_jobs=1) != [path]


def test_all_accents_and_every_eighth_variant_speak(tmp_path):
    voices = [("en-us", variant) for variant in VARIANTS[::8]]
    voices += [(language, "m1") for language in LANGUAGES]
    sentences = [
        Sentence(f"spk{index}-1", "NO", Voice(f"spk{index}", *voice, 200, 50, 50))
        for index, voice in enumerate(voices)
    ]
    assert len(speak_all(sentences, tmp_path)) == len(sentences)


@pytest.mark.parametrize("names", [("en-us", "nobody"), ("nowhere", "m1")])
def test_an_unknown_voice_is_named(tmp_path, names):
    voice = Voice("spk", *names, 150, 50, 50)
    with pytest.raises(ValueError, match=rf"spk-1: .* found '{names[0]}\+{names[1]}'"):
        speak_all([Sentence("spk-1", "NO", voice)], tmp_path, num_jobs=1)


def test_nothing_to_say_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="spk0-9: expected speech"):
        speak_all([Sentence("spk0-9", "", VOICES[0])], tmp_path, num_jobs=1)


def test_speakers_depend_on_the_seed_and_share_no_variant():
    voices = draw_voices(len(VARIANTS), seed=3)
    assert voices == draw_voices(len(VARIANTS), seed=3)
    assert voices != draw_voices(len(VARIANTS), seed=4)
    assert len({voice.variant for voice in voices}) == len(VARIANTS)
    assert len({voice.speaker for voice in draw_voices(100, seed=0)}) == 100
