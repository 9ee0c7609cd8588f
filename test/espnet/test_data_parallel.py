"""Two processes compute the loss and gradients of one with all of their utterances."""

import multiprocessing

import pytest
import torch
from distill_training import options, write_recipe
from espnet2.train.distributed_utils import DistributedOption
from espnet2.train.reporter import Reporter
from torch.nn.parallel import DistributedDataParallel

from pruneasr.espnet.distill_task import DistillPruneTask
from pruneasr.espnet.interrupt import Signals
from pruneasr.espnet.trainer import SafeTrainer
from pruneasr.pruning.units import find_gates

TOLERANCE = 1e-4
LENGTHS = (6000, 2500, 4000, 3100)  # of unequal halves


def batch(rank, num_processes):
    """The utterances that ESPnet gives to a process, padded to their longest."""
    torch.manual_seed(1)
    speech = [0.1 * torch.randn(length) for length in LENGTHS][rank::num_processes]
    return {
        "speech": torch.nn.utils.rnn.pad_sequence(speech, batch_first=True),
        "speech_lengths": torch.tensor([len(waveform) for waveform in speech]),
    }


def step(folder, name, rank, num_processes, more):
    """Let ESPnet train one batch; save loss, statistics and gradients."""
    if num_processes > 1:
        torch.distributed.init_process_group(
            *("gloo", f"file://{folder}/{name}.init"),
            rank=rank,
            world_size=num_processes,
        )
    args = DistillPruneTask.get_parser().parse_args(options(folder, name, *more))
    model = DistillPruneTask.build_model(args)
    model.objective.constraint.lambda1.data.fill_(2.0)
    for gate in find_gates(model).values():  # gates of all values, some at the limits
        torch.nn.init.normal_(
            gate.log_alpha, generator=torch.Generator().manual_seed(gate.layer)
        )
    gradients = {}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    optimizer.register_step_pre_hook(
        lambda *_: gradients.update(
            {name: p.grad.clone() for name, p in model.named_parameters()}
        )
    )
    reporter = Reporter(1)
    torch.manual_seed(rank)  # processes that draw for themselves would differ
    SafeTrainer.signals = Signals()
    with reporter.observe("train") as observed:
        SafeTrainer.train_one_epoch(
            model=DistributedDataParallel(model, find_unused_parameters=True)
            if num_processes > 1
            else model,
            iterator=[(["a"], batch(rank, num_processes))],
            optimizers=[optimizer],
            schedulers=[None],
            scaler=None,
            reporter=observed,
            summary_writer=None,
            options=SafeTrainer.build_options(args),
            distributed_option=DistributedOption(distributed=num_processes > 1),
        )
    values = reporter.stats[1]["train"]
    torch.save((values, gradients), folder / f"{name}{rank}.pth")
    if num_processes > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def steps(folder, name, num_processes, more):
    """One step in so many processes; what each of them has saved."""
    context = multiprocessing.get_context("fork")
    children = [
        context.Process(target=step, args=(folder, name, rank, num_processes, more))
        for rank in range(num_processes)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    return [
        torch.load(folder / f"{name}{rank}.pth", weights_only=False)
        for rank in range(num_processes)
    ]


@pytest.mark.integration
@pytest.mark.timeout(300)
@pytest.mark.parametrize("pairing", ["free", "ordered"])
@pytest.mark.parametrize("distance", ["mse", "l1_cosine"])
def test_two_processes_equal_one(tmp_path, pairing, distance):
    write_recipe(tmp_path, num_utterances=1)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    more = ("--pairing", pairing, "--distance", distance)
    ((alone, expected),) = steps(tmp_path, "one", 1, more)
    for values, gradients in steps(tmp_path, "two", 2, more):
        for name in ("loss", "distance", "expected_sparsity_size", "pair_3"):
            assert values[name] == pytest.approx(alone[name], rel=TOLERANCE)
        for name in [name for name in values if name.startswith("gate_")]:
            assert values[name] == pytest.approx(alone[name], rel=1e-6)
        assert gradients.keys() == expected.keys()
        for name, gradient in gradients.items():
            torch.testing.assert_close(
                *(gradient, expected[name]), rtol=TOLERANCE, atol=TOLERANCE, msg=name
            )
    assert max(float(gradient.abs().max()) for gradient in expected.values()) > 0.1
