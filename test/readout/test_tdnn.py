"""Convolutions over features: shapes, outlook, padding, by hand."""

import pytest
import torch

from pruneasr.readout.tdnn import TDNN


@pytest.mark.parametrize("frames", [1, 2, 7, 8])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_frames_of_the_output(frames, stride):
    tdnn = TDNN(4, 6, (5, 3), stride, 0.0)
    feats, lengths = tdnn(torch.randn(1, frames, 4), torch.tensor([frames]))
    expected = -(-frames // stride)
    assert feats.shape == (1, expected, 6)
    assert lengths.tolist() == [expected]


def test_padding_changes_nothing():
    tdnn = TDNN(4, 6, (9, 7, 5), 2, 0.3).eval()
    feats, lengths = torch.randn(3, 31, 4), torch.tensor([31, 8, 15])
    together, counts = tdnn(feats, lengths)
    assert counts.tolist() == [16, 4, 8]
    for i, (length, count) in enumerate(zip(lengths, counts, strict=True)):
        alone, _ = tdnn(feats[i : i + 1, :length], length[None])
        torch.testing.assert_close(together[i, :count], alone[0])
        assert not together[i, count:].any()


def test_a_frame_hears_its_surroundings_alone():
    """Kernels 9, 7, 5 and stride 2: 4 + 2 * (3 + 2) frames to either side."""
    tdnn = TDNN(1, 3, (9, 7, 5), 2, 0.0)
    tdnn.norm = torch.nn.Identity()  # of one feature it is a constant
    for layer in tdnn.layers:
        torch.nn.init.constant_(layer.weight, 1.0)
        torch.nn.init.constant_(layer.bias, 1.0)
    feats = torch.ones(1, 101, 1, requires_grad=True)
    tdnn(feats, torch.tensor([101]))[0][0, 25].sum().backward()
    heard = feats.grad[0, :, 0].nonzero().flatten()
    assert (int(heard.min()), int(heard.max())) == (50 - 14, 50 + 14)


def test_one_layer_by_hand():
    tdnn = TDNN(2, 1, (3,), 1, 0.0)
    torch.nn.init.constant_(tdnn.layers[0].weight, 0.0)
    tdnn.layers[0].weight.data[0, 0] = torch.tensor([1.0, 2.0, 4.0])
    torch.nn.init.constant_(tdnn.layers[0].bias, 0.5)
    feats = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]])  # normed: +-1
    out, _ = tdnn(feats, torch.tensor([3]))
    expected = [0.5 + 2 - 4, 0.5 + 1 - 2 + 4, 0.5 - 1 + 2]
    expected = torch.tensor(expected).clamp(min=0)
    torch.testing.assert_close(out[0, :, 0], expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("kernels", "width", "stride", "message"),
    [
        ((), 8, 1, r"odd numbers of frames, found \[\]"),
        ((9, 4), 8, 1, r"odd numbers of frames, found \[9, 4\]"),
        ((9,), 0, 1, "at least 1, found 0 and 1"),
        ((9,), 8, 0, "at least 1, found 8 and 0"),
    ],
)
def test_wrong_options(kernels, width, stride, message):
    with pytest.raises(ValueError, match=message):
        TDNN(4, width, kernels, stride, 0.0)
