"""Every YAML of the recipes: the task it is for must know each of its options."""

import inspect
import re
from pathlib import Path

import pytest
import yaml
from espnet2.bin import asr_inference, slu_inference
from espnet2.samplers.num_elements_batch_sampler import NumElementsBatchSampler
from espnet2.tasks.asr import ASRTask
from espnet2.tasks.slu import SLUTask

from pruneasr import SAMPLE_RATE
from pruneasr.encoder import Encoder, dense_config
from pruneasr.espnet.distill_task import DistillPruneTask, RecoverTask
from pruneasr.espnet.frontend import PrunedSSLFrontend
from pruneasr.espnet.gate_training import build_constraint
from pruneasr.espnet.pretrain_task import PretrainTask
from pruneasr.espnet.prune_task import ASRPruneTask, SLUPruneTask
from pruneasr.pruning.constraint import Constraint

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(
    [*ROOT.glob("conf/**/*.yaml"), *ROOT.glob("egs/[!.]*/*/conf/**/*.yaml")]
)
# by how the name of a file begins; importing pruneasr.espnet adds our frontend
PARSERS = {
    "pretrain": PretrainTask.get_parser,
    "distilhubert": RecoverTask.get_parser,
    "distill": DistillPruneTask.get_parser,
    "recover": RecoverTask.get_parser,
    "prune_asr": ASRPruneTask.get_parser,
    "prune_slu": SLUPruneTask.get_parser,
    "train_asr": ASRTask.get_parser,
    "train_slu": SLUTask.get_parser,
    "decode_asr": asr_inference.get_parser,
    "decode_slu": slu_inference.get_parser,
}
DECODE = ["--output_dir=x", "--data_path_and_name_and_type=x,y,z"]
REQUIRED = {"decode_asr": DECODE, "decode_slu": DECODE}


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def parse(path):
    """Options of a config file, as the program that it is for understands them."""
    (begin,) = [begin for begin in PARSERS if path.name.startswith(begin)]
    # ESPnet checks the names in a file only; on the command line, type and choices too
    simple = [
        f"--{key}={value}"
        for key, value in read(path).items()
        if isinstance(value, str | int | float)
    ]
    required = REQUIRED.get(begin, [])
    return PARSERS[begin]().parse_args(["--config", str(path), *required, *simple])


def configs(begin):
    found = [path for path in CONFIGS if path.name.startswith(begin)]
    assert found, begin
    return pytest.mark.parametrize(
        "path", found, ids=[str(path.relative_to(ROOT)) for path in found]
    )


def test_there_are_configs_and_each_has_its_task():
    begins = ("teacher", *PARSERS)
    assert CONFIGS
    assert [path for path in CONFIGS if not path.name.startswith(begins)] == []


@configs("teacher")
def test_teacher_is_built(path):
    assert Encoder(dense_config(**read(path))).blocks


@configs(tuple(PARSERS))
def test_options_are_known(path):
    options = vars(parse(path))
    assert read(path).keys() <= options.keys()


def teacher_of(path):
    """The teacher of a recipe: its own, or the published WavLM Base."""
    own = path.with_name("teacher.yaml")
    return dense_config(**(read(own) if own.exists() else {}))


@configs(("distil", "recover"))
def test_teacher_layers_exist(path):
    assert max(parse(path).teacher_layers) == len(teacher_of(path).blocks)


@configs(("distill.", "distill_"))
def test_the_constraint_can_be_met(path):
    constraint = build_constraint(parse(path), teacher_of(path))
    assert isinstance(constraint, Constraint)


@configs(("train_", "prune_"))
def test_options_of_the_frontend_are_known(path):
    options = parse(path)
    assert options.frontend == "pruned_ssl"
    inspect.signature(PrunedSSLFrontend).bind(**options.frontend_conf)


@configs(("prune_", "distill.", "distill_"))
def test_espnet_does_not_clip_weights_and_gates_together(path):
    (begin,) = [begin for begin in PARSERS if path.name.startswith(begin)]
    task = PARSERS[begin].__self__
    args = parse(path)
    assert args.grad_clip < float("inf")
    assert task.trainer.build_options(args).grad_clip == float("inf")


@configs("prune_")
def test_a_model_is_pruned_as_it_was_trained_but_that_nothing_is_frozen(path):
    gated = read(path)
    trained = read(path.with_name(path.name.replace("prune_", "train_")))
    same = ["normalize", "encoder", "encoder_conf", "model_conf", "grad_clip"]
    same += ["specaug", "specaug_conf"]
    assert {key: gated[key] for key in same} == {key: trained[key] for key in same}
    assert gated["optim_conf"]["weight_decay"] == trained["optim_conf"]["weight_decay"]
    for frozen in ("freeze_cnn", "freeze_steps"):
        trained["frontend_conf"].pop(frozen, None)
    assert gated["frontend_conf"] == trained["frontend_conf"]


@pytest.mark.parametrize("begin", PARSERS)
@pytest.mark.parametrize("line", ["no_such_option: 1", "seed: not a number"])
def test_unknown_option_and_wrong_value_are_refused(begin, line, tmp_path, capsys):
    path = tmp_path / f"{begin}.yaml"
    path.write_text(line)
    with pytest.raises(SystemExit):
        parse(path)
    assert line.split(":")[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "seconds", "num_tokens", "vocabulary"),
    [
        ("librispeech/asr1/conf/train_asr.yaml", 15, 200, 31),  # letters
        ("librispeech/asr1/conf/train_asr_ctc_att.yaml", 15, 45, 5000),  # pieces
        ("slurp/slu1/conf/train_slu.yaml", 2.85, 10, 500),
    ],
)
def test_batches_have_the_seconds_of_speech_that_the_comment_says(
    tmp_path, path, seconds, num_tokens, vocabulary
):
    """ESPnet counts tokens times vocabulary beside the samples."""
    text = (ROOT / "egs" / path).read_text(encoding="utf-8")
    said = re.search(r"^batch_bins: (\d+) +# (\d+) s", text, re.MULTILINE)
    names = [f"utterance{i}" for i in range(500)]
    shapes = {"speech": f"{round(seconds * SAMPLE_RATE)}"}
    shapes["text"] = f"{num_tokens},{vocabulary}"
    for name, shape in shapes.items():
        (tmp_path / name).write_text("".join(f"{n} {shape}\n" for n in names))
    files = [str(tmp_path / name) for name in shapes]
    batches = list(NumElementsBatchSampler(int(said[1]), files))
    assert len(batches[1]) * seconds == pytest.approx(int(said[2]), rel=0.05)
