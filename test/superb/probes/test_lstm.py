"""Two LSTMs of one direction are torch's bidirectional one on packed sequences."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from pruneasr.superb.probes.lstm import BidirectionalLSTM, turn

DIM, UNITS, LAYERS = 5, 6, 2


def test_as_torch_on_packed_sequences():
    torch.manual_seed(0)
    ours = BidirectionalLSTM(DIM, UNITS, LAYERS, dropout=0.0)
    theirs = nn.LSTM(DIM, UNITS, LAYERS, batch_first=True, bidirectional=True)
    weights = {}
    for suffix, direction in (("", ours.onward), ("_reverse", ours.back)):
        for layer, lstm in enumerate(direction):
            for name, value in lstm.state_dict().items():
                weights[name.replace("l0", f"l{layer}") + suffix] = value
    theirs.load_state_dict(weights)
    frames, lengths = torch.randn(3, 9, DIM), torch.tensor([4, 9, 1])
    packed = pack_padded_sequence(
        frames, lengths, batch_first=True, enforce_sorted=False
    )
    expected, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True)
    found = ours(frames, lengths)
    valid = torch.arange(9) < lengths[:, None]
    torch.testing.assert_close(found[valid], expected[valid])


def test_what_is_valid_is_turned_and_padding_stays():
    frames = torch.arange(8.0).view(2, 4, 1)
    turned = turn(frames, torch.tensor([3, 1]))[:, :, 0].tolist()
    assert turned == [[2.0, 1.0, 0.0, 3.0], [4.0, 5.0, 6.0, 7.0]]
