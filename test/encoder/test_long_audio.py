"""Long audio in chunks: as many frames as the whole, and where the same values."""

import dataclasses

import pytest
import torch
from tiny import BASE, LARGE, random_encoder, tiny_config

from pruneasr.bench.measure import peak_memory
from pruneasr.encoder.long_audio import encode_long
from pruneasr.pruning.units import attach_gates

FRAME = 0.02  # seconds


def speech(frames, more=0, seed=0):
    """Synthetic: noise whose loudness changes, with an offset."""
    generator = torch.Generator().manual_seed(seed)
    samples = 400 + 320 * (frames - 1) + more
    loudness = torch.linspace(0.2, 2.0, samples)
    return 0.1 + loudness * torch.randn(samples, generator=generator)


def joined(encoder, waveform, **options):
    pieces = encode_long(encoder, waveform, **options)
    return [torch.cat(x) for x in zip(*pieces, strict=True)]


def whole(encoder, waveform):
    with torch.no_grad():
        return [x[0] for x in encoder(waveform[None])[0]]


def difference(first, second):
    assert [x.shape for x in first] == [x.shape for x in second]
    return max(float((a - b).abs().max()) for a, b in zip(first, second, strict=True))


def local_encoder(**options):
    """An encoder without attention: a frame sees no further than the convolutions."""
    config = tiny_config(**options)
    block = dataclasses.replace(config.blocks[0], attention=False, heads=())
    return random_encoder(dataclasses.replace(config, blocks=(block,) * 2))


@pytest.mark.parametrize("chunk", [1, 7, 10])
def test_there_are_as_many_frames_as_in_the_whole(chunk):
    encoder = random_encoder(tiny_config(num_blocks=1))
    options = {"chunk_sec": chunk * FRAME, "context_sec": 3 * FRAME}
    for samples in [400, 719, 720, 721, 3599, 3600, 3919, 3920, 5123]:
        waveform = speech(1, samples - 400)
        pieces = list(encode_long(encoder, waveform, **options))
        frames = int(encoder.frame_lengths(torch.tensor(samples)))
        assert [len(piece) for piece in pieces] == [2] * len(pieces)
        lengths = [len(piece[-1]) for piece in pieces]
        assert sum(lengths) == frames
        assert set(lengths[:-1]) <= {chunk}
        assert 0 < lengths[-1] <= chunk


@pytest.mark.parametrize("options", [BASE, LARGE, {"normalize_waveform": True}])
@pytest.mark.parametrize("more", [0, 319])
def test_context_over_everything_gives_the_whole(options, more):
    encoder = random_encoder(tiny_config(**options))
    waveform = speech(60, more)
    pieces = joined(encoder, waveform, chunk_sec=0.5, context_sec=2.0)
    assert difference(pieces, whole(encoder, waveform)) < 2e-5


@pytest.mark.parametrize("options", [BASE, LARGE, {"normalize_waveform": True}])
def test_without_attention_half_a_kernel_of_context_gives_the_whole(options):
    """GroupNorm and the waveform's normalisation know the whole utterance."""
    encoder = local_encoder(**options)  # its position convolution sees 4 frames
    waveform, expected = speech(100), whole(encoder, speech(100))
    near = joined(encoder, waveform, chunk_sec=20 * FRAME, context_sec=4 * FRAME)
    assert difference(near, expected) < 2e-5
    alone = joined(encoder, waveform, chunk_sec=20 * FRAME, context_sec=0)
    assert difference(alone, expected) > 1e-2
    middle = [x.unflatten(0, (5, 20))[:, 4:16] for x in (alone[-1], expected[-1])]
    assert difference(middle[:1], middle[1:]) < 2e-5


def test_more_context_is_closer_to_the_whole():
    encoder = random_encoder(tiny_config(**LARGE))
    waveform, expected = speech(200), whole(encoder, speech(200))[-1]
    errors = [
        float((x[-1] - expected).square().mean())
        for frames in (0, 10, 40, 100)
        for x in [joined(encoder, waveform, chunk_sec=0.4, context_sec=frames * FRAME)]
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.2 * errors[0]


def test_memory_does_not_grow_with_the_length():
    encoder = random_encoder(tiny_config(num_blocks=1))
    seen = []
    encoder.blocks[0].register_forward_pre_hook(lambda _, x: seen.append(x[0].size(1)))

    def encode(seconds):
        for _ in encode_long(encoder, waveforms[seconds], chunk_sec=1, context_sec=0.5):
            pass

    waveforms = {seconds: torch.randn(seconds * 16000) for seconds in (5, 40)}
    short, long = (peak_memory(lambda s=s: encode(s), "cpu") for s in waveforms)
    assert max(seen) == 100
    # the first convolution over the whole would need 47e6 bytes, attention 128e6; what
    # tests before this one leave in the heap moves the process's memory by up to 8e6
    assert long < short + 1.2e7


def test_gradients_are_off_inside_and_as_before_outside():
    pieces = encode_long(random_encoder(), speech(30), chunk_sec=0.2)
    piece = next(pieces)
    assert torch.is_grad_enabled()
    assert not piece[-1].requires_grad
    assert len(next(encode_long(random_encoder(), speech(30), num_blocks=1))) == 2


def test_bad_arguments_are_refused_before_the_first_piece():
    encoder = random_encoder()
    with pytest.raises(ValueError, match="one waveform"):
        encode_long(encoder, speech(3)[None])
    with pytest.raises(ValueError, match="at least 400 samples"):
        encode_long(encoder, speech(1)[:399])
    for bad in ({"chunk_sec": 0.0}, {"context_sec": -1.0}):
        with pytest.raises(ValueError, match="expected chunk_sec"):
            encode_long(encoder, speech(3), **bad)
    with pytest.raises(ValueError, match="call eval"):
        encode_long(random_encoder().train(), speech(3))
    attach_gates(encoder, ["ffn"])
    with pytest.raises(ValueError, match="without gates"):
        encode_long(encoder, speech(3))
