"""What each part of distil-pruning is worth: RESULTS_ABLATION.md.

Reads what a recipe's run_ablation.sh leaves: folders ``<variant>_seed<seed>`` with
``tuned`` (the fine-tuning, which names its encoder) and, where gates were trained,
``distill``. What probes reached comes from its caller.
"""

from __future__ import annotations

import dataclasses
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from pruneasr.encoder.checkpoint import load_config
from pruneasr.markdown import markdown_table
from pruneasr.pruning.cost import macs, parameters
from pruneasr.pruning.widths import config_widths
from pruneasr.results.collect import REFERENCE_SEC, Metric, read_score
from pruneasr.results.environment import environment_section
from pruneasr.scoring.spread import spread, verdict

FOLDER = re.compile(r"(?P<variant>[a-z0-9_]+)_seed(?P<seed>\d+)")
FULL = "full"
WIDTHS = ("qk", "vo", "ffn")
# What the papers say, the variant that full is then better than, and in what
CLAIMS = (
    ("FAHP beats gates on whole heads", "no_fahp", "errors"),
    ("STE makes the encoder faster", "no_ste", "time"),
    ("distil-pruning beats distillation", "distilhubert", "errors"),
)
OUTCOMES = {
    "better": "borne out",
    "equal": "not told apart",
    "worse": "refuted",
    "": "open: one seed cannot tell",
}

NOTE = (
    "Mean over the seeds of all trainings, plus-minus the sample standard "
    "deviation. Parameters, MACs and RTF are the encoder's; RTF is its computing "
    "time per second of test audio: float32, batch 1, median of 5 passes, all "
    "encoders in turn in one process. `equal`: within two standard errors of the "
    "difference. What each variant changes is in `./run_ablation.sh --help`; the "
    "log of a row is `<variant>_seed<seed>/tuned` in the folder of the runs."
)
PROBES_NOTE = (
    " The last columns are probes on the frozen encoders (egs/superb, on excerpts, not "
    "the sets of SUPERB); `-`: not with all seeds of the row. Their data, what was "
    "searched and their logs are in `<variant>_seed<seed>/probes`."
)


@dataclasses.dataclass(frozen=True)
class Run:
    """One variant with one seed.

    Attributes:
        variant, seed: as in the name of its folder.
        folder: that folder.
        encoder: directory of what was fine-tuned.
        num_parameters, num_macs: of the encoder, at 10 s.
        widths: ``qk``, ``vo``, ``ffn`` -> what is left in each block.
        errors: test set -> percent.
    """

    variant: str
    seed: int
    folder: Path
    encoder: Path
    num_parameters: float
    num_macs: float
    widths: Mapping[str, Sequence[float]]
    errors: Mapping[str, float]


Variants = dict[str, list[Run]]


def collect_variants(
    folder: Path, test_sets: Sequence[str], metric: Metric
) -> Variants:
    """Read all runs that are finished, by variant, the largest encoders first.

    Args:
        folder: holds ``<variant>_seed<seed>``.
        test_sets: what was decoded.
        metric: of the task; read as a rate of errors.

    Raises:
        ValueError: There is no finished run of ``full`` to compare with.
    """
    found: Variants = {}
    for path in sorted(folder.glob("*_seed*")):
        match = FOLDER.fullmatch(path.name)
        if match is None or not (path / ".tuned").exists():
            continue
        run = _read_run(path, match["variant"], int(match["seed"]), test_sets, metric)
        found.setdefault(run.variant, []).append(run)
    if FULL not in found:
        raise ValueError(
            f"expected at least {folder}/{FULL}_seed1, finished; run run_ablation.sh "
            f"with --variants {FULL} first"
        )
    order = sorted(found, key=lambda name: (-mean_size(found[name]), name))
    return {name: found[name] for name in order}


def mean_size(runs: Sequence[Run]) -> float:
    """Return the mean number of parameters."""
    return statistics.fmean(run.num_parameters for run in runs)


def _read_run(
    path: Path, variant: str, seed: int, test_sets: Sequence[str], metric: Metric
) -> Run:
    (experiment,) = (path / "tuned").glob(f"*_pruned_seed{seed}")
    options = yaml.safe_load((experiment / "config.yaml").read_text(encoding="utf-8"))
    encoder = Path(options["frontend_conf"]["ckpt"])
    config = load_config(encoder)
    widths = config_widths(config)
    return Run(
        variant,
        seed,
        path,
        encoder,
        float(parameters(config, widths).total),
        float(macs(config, widths, REFERENCE_SEC).total),
        {
            name: [float(getattr(block, name)) for block in widths.blocks]
            for name in WIDTHS
        },
        {
            test_set: metric.error(
                read_score(experiment, test_set, metric.file)[metric.key]
            )
            for test_set in test_sets
        },
    )


def ablation_markdown(
    title: str,
    commands: Sequence[str],
    variants: Variants,
    speeds: Mapping[Path, float],
    test_sets: Sequence[str],
    metric: Metric,
    probes: Mapping[str, Mapping[Path, float]],
) -> str:
    """Return RESULTS_ABLATION.md.

    Args:
        title: its heading.
        commands: how the recipe was called.
        variants: of :func:`collect_variants`.
        speeds: encoder directory -> real-time factor.
        test_sets: which columns there are.
        metric: what they hold.
        probes: metric of probes on the frozen encoders -> folder of a run -> percent.
    """
    columns = ["variant", "seeds", "params M", "MACs G, 10 s", "RTF"]
    for test_set in test_sets:
        columns += [f"{metric.error_name} % {test_set}", f"against {FULL}"]
    columns += [f"{name.replace('_', ' ')} %" for name in probes]
    rows = []
    for variant, runs in variants.items():
        cells = [
            variant,
            " ".join(str(run.seed) for run in runs),
            spread([run.num_parameters / 1e6 for run in runs], 3),
            spread([run.num_macs / 1e9 for run in runs], 3),
            spread([speeds[run.encoder] for run in runs], 4),
        ]
        for test_set in test_sets:
            ours, full = (
                [run.errors[test_set] for run in runs_of]
                for runs_of in (runs, variants[FULL])
            )
            cells += [spread(ours), "" if variant == FULL else verdict(ours, full)]
        for found in probes.values():
            values = [found[run.folder] for run in runs if run.folder in found]
            cells.append(spread(values) if len(values) == len(runs) else "-")
        rows.append(cells)
    figures = {
        "gates": "means of the branches' gates over the training",
        "layers": "what is left in every block",
        "errors": "error against parameters",
    }
    return "\n".join(
        [
            f"# {title}\n",
            "<!-- Generated by pruneasr.bin.ablation_results; do not edit. -->\n",
            environment_section(commands),
            markdown_table(columns, rows),
            _claims(variants, speeds, test_sets[0], metric),
            NOTE + (PROBES_NOTE if probes else ""),
            *(f"\n![{text}](figures/ablation_{f}.png)" for f, text in figures.items()),
            "",
        ]
    )


def _claims(
    variants: Variants, speeds: Mapping[Path, float], test_set: str, metric: Metric
) -> str:
    """Say of each claim, at equal size, whether it holds here."""
    measures = {
        "errors": (f"{metric.error_name} %", 1, lambda run: run.errors[test_set]),
        "time": ("RTF", 4, lambda run: speeds[run.encoder]),
    }
    lines = []
    for claim, other, measure in CLAIMS:
        if other in variants:
            name, decimals, value = measures[measure]
            ours, theirs = ([value(run) for run in variants[v]] for v in (FULL, other))
            both = f"{spread(ours, decimals)} against {spread(theirs, decimals)}"
            outcome = OUTCOMES[verdict(ours, theirs)]
            lines.append(f"- {claim}: {outcome} ({name} {both} of {other})")
    return "\n".join([*lines, ""])
