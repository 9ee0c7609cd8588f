"""``encoder: tdnn`` in ESPnet's own tasks: built from options, trained, and exact."""

import pytest
import torch
from espnet2.asr.ctc import CTC
from espnet2.tasks.asr import ASRTask
from espnet2.tasks.slu import SLUTask
from tiny import tiny_config

import pruneasr.espnet  # noqa: F401  # registers
from pruneasr.espnet.tdnn_encoder import TDNNEncoder

OPTIONS = ["output_size=12", "stride=2", "dropout_rate=0.0"]


def build(task, *options):
    arguments = [
        *["--token_list", "unused", "--frontend", "pruned_ssl", "--encoder", "tdnn"],
        *["--model_conf", "ctc_weight=1.0"],
        *[word for option in options for word in ("--encoder_conf", option)],
    ]
    args = task.get_parser().parse_args(arguments)
    args.token_list = ["<blank>", "<unk>", "a", "b", "<sos/eos>"]
    args.frontend_conf = {"arch": tiny_config().to_dict()}
    return task.build_model(args)


@pytest.mark.parametrize("task", [ASRTask, SLUTask])
def test_a_task_trains_it(task):
    torch.manual_seed(0)
    model = build(task, *OPTIONS)
    assert isinstance(model.encoder, TDNNEncoder)
    assert model.ctc.ctc_lo.in_features == model.encoder.output_size() == 12
    batch = {
        "speech": torch.randn(2, 16000),
        "speech_lengths": torch.tensor([16000, 12000]),
        "text": torch.tensor([[2, 3], [3, -1]]),
        "text_lengths": torch.tensor([2, 1]),
    }
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    losses = []
    for _ in range(8):
        loss, _, _ = model(**batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_every_parameter_is_trained_and_ctc_takes_the_output():
    encoder = TDNNEncoder(4, output_size=6, kernels=(3, 3), dropout_rate=0.0)
    feats, lengths, states = encoder(torch.randn(2, 9, 4), torch.tensor([9, 5]))
    assert (feats.shape, lengths.tolist(), states) == ((2, 5, 6), [5, 3], None)
    ctc = CTC(odim=4, encoder_output_size=6)
    ctc(
        feats, lengths, torch.tensor([[1, 2], [3, -1]]), torch.tensor([2, 1])
    ).backward()
    assert all(p.grad is not None and p.grad.any() for p in encoder.parameters())


def test_options_of_the_wrong_kind_are_refused():
    with pytest.raises(ValueError, match=r"odd numbers of frames, found \[4\]"):
        build(ASRTask, "kernels=[4]")
