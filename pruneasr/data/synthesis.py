"""Speak sentences with espeak-ng, for corpora that must cost nothing.

The package espeakng-loader carries the shared library and its voices; nothing has to be
installed on the system. A speaker is a voice variant with a speaking rate and a pitch.
The same sentence, speaker and id give the same samples on every run, in any order.

espeak-ng cannot be made to forget: flutter, echo and noise go on where the last
utterance left them, even across a new initialisation. So each utterance is spoken by a
process forked from one in which nothing has been spoken yet.
"""

import ctypes
import functools
import multiprocessing
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np

from pruneasr import SAMPLE_RATE
from pruneasr.data.waveform import resample, write_flac

# Numbers of espeak-ng's speak_lib.h.
_SYNCHRONOUS = 2
_CHARACTER_POSITION = 1
_UTF8 = 1
_RATE, _PITCH, _PITCH_RANGE = 1, 3, 4
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)

VARIANTS = (
    *("Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Gene2"),
    *("Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike"),
    *("Nguyen", "Reed", "RicishayMax", "RicishayMax3", "Storm", "adam", "announcer"),
    *("antonio", "aunty", "belinda", "benjamin", "boris", "caleb", "david", "ed"),
    *("edward", "edward2", "f1", "f2", "f3", "f4", "f5", "grandma", "grandpa"),
    *("gustave", "ian", "iven", "iven3", "john", "kaukovalta", "linda", "m1", "m2"),
    *("m3", "m4", "m5", "m6", "m7", "m8", "marcelo", "max", "michel", "miguel"),
    *("norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro"),
    *("shelby", "steph", "steph2", "steph3", "travis", "victor", "zac"),
)
"""Variants that sound like people; whisperers, robots and the like are left out."""

LANGUAGES = ("en-us", "en", "en-029", "en-GB-scotland", "en-GB-x-rp", "en-us-nyc")
"""Accents of English."""

PEAK = 0.5
"""Largest sample; some variants are ten times louder than others."""

NOISE = 0.001
"""Standard deviation of the noise floor: digital silence has no logarithm."""


@dataclass(frozen=True)
class Voice:
    """How a speaker sounds.

    Attributes:
        speaker: Id, letters and digits only.
        language: One of LANGUAGES.
        variant: One of VARIANTS.
        rate: Words per minute.
        pitch: 0 to 99, 50 is the variant's own.
        pitch_range: 0 (monotone) to 99, 50 is the variant's own.
    """

    speaker: str
    language: str
    variant: str
    rate: int
    pitch: int
    pitch_range: int


@dataclass(frozen=True)
class Sentence:
    """What one utterance says and who says it; the text is read as lower case."""

    utterance: str
    text: str
    voice: Voice


def draw_voices(count: int, *, seed: int) -> list[Voice]:
    """Draw speakers; no two share a variant as long as there are enough variants."""
    generator = random.Random(seed)
    variants: list[str] = []
    while len(variants) < count:
        variants += generator.sample(VARIANTS, len(VARIANTS))
    return [
        Voice(
            speaker=f"spk{index:03d}",
            language=generator.choice(LANGUAGES),
            variant=variants[index],
            rate=generator.randint(110, 165),
            pitch=generator.randint(30, 70),
            pitch_range=generator.randint(35, 65),
        )
        for index in range(count)
    ]


def speech_path(folder: Path, sentence: Sentence) -> Path:
    """Name the audio file of a sentence.

    A digest of the text and the voice is part of the name: a corpus made with other
    settings never finds the speech of an earlier one under its ids.
    """
    digest = zlib.crc32(f"{sentence.text}|{sentence.voice}".encode())
    return folder / f"{sentence.utterance}_{digest:08x}.flac"


def speak_all(
    sentences: Sequence[Sentence],
    folder: Path,
    *,
    num_jobs: int = 2,
) -> list[Path]:
    """Write one FLAC file per sentence; what is already there is not made again.

    Args:
        sentences: What to say.
        folder: Where the files go, named by ``speech_path``.
        num_jobs: Processes that speak at the same time.

    Returns:
        The files, in the order of the sentences.

    Raises:
        ValueError: espeak-ng does not know a voice or said nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [speech_path(folder, sentence) for sentence in sentences]
    missing = [
        (sentence, path)
        for sentence, path in zip(sentences, paths, strict=True)
        if not path.exists()
    ]
    if missing:
        _library()  # loaded before the fork, so that no child pays for it
        context = multiprocessing.get_context("fork")
        with context.Pool(num_jobs, maxtasksperchild=1) as pool:
            pool.starmap(_speak_to_file, missing, chunksize=1)
    return paths


@functools.cache
def _library() -> tuple[ctypes.CDLL, int, list[np.ndarray], object]:
    """Load espeak-ng: library, sampling rate, the pieces it fills, its callback."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0))
    if rate <= 0:
        raise ValueError(
            f"expected espeak-ng to start from {data!r}, found code {rate}"
        )
    pieces: list[np.ndarray] = []

    def collect(
        samples: "ctypes._Pointer[ctypes.c_short]", count: int, _: object
    ) -> int:
        if count > 0:
            pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    callback = _CALLBACK(collect)
    library.espeak_SetSynthCallback(callback)
    return library, rate, pieces, callback  # the callback must outlive the library


def _speak_to_file(sentence: Sentence, path: Path) -> None:
    """Speak, bring to one level, add a noise floor, write. Runs in a fresh process."""
    samples, rate = _speak(sentence)
    speech = resample(samples.astype(np.float32), rate, SAMPLE_RATE)
    speech *= PEAK / np.abs(speech).max()
    noise = np.random.default_rng(_noise_seed(sentence)).standard_normal(len(speech))
    write_flac(path, np.clip(speech + NOISE * noise, -1.0, 1.0), SAMPLE_RATE)


def _noise_seed(sentence: Sentence) -> int:
    return zlib.crc32(sentence.utterance.encode())


def _speak(sentence: Sentence) -> tuple[np.ndarray, int]:
    library, rate, pieces, _ = _library()
    voice = sentence.voice
    name = f"{voice.language}+{voice.variant}"
    # espeak-ng passes over an unknown variant in silence.
    variants = Path(espeakng_loader.get_data_path(), "voices", "!v")
    known = (variants / voice.variant).is_file()
    if not known or library.espeak_SetVoiceByName(name.encode()) != 0:
        raise ValueError(
            f"{sentence.utterance}: expected a voice of espeak-ng, found {name!r}; see "
            "LANGUAGES and VARIANTS"
        )
    library.espeak_SetParameter(_RATE, voice.rate, 0)
    library.espeak_SetParameter(_PITCH, voice.pitch, 0)
    library.espeak_SetParameter(_PITCH_RANGE, voice.pitch_range, 0)
    library.espeak_ng_SetRandSeed(ctypes.c_long(_noise_seed(sentence)))
    # Words in capitals would be spelt out.
    text = sentence.text.lower().encode() + b"\0"
    library.espeak_Synth(
        text, ctypes.c_size_t(len(text)), 0, _CHARACTER_POSITION, 0, _UTF8, None, None
    )
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    if not samples.any():
        raise ValueError(
            f"{sentence.utterance}: expected speech, espeak-ng said nothing for "
            f"{sentence.text!r}"
        )
    return samples, rate
