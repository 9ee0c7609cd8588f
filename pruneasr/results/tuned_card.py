"""Model cards of encoders that a recipe fine-tuned: with its table and the errors."""

from __future__ import annotations

import logging
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from huggingface_hub import EvalResult

from pruneasr.markdown import markdown_table
from pruneasr.results.card import write_card
from pruneasr.results.collect import METRICS, Metric, System, pruned_encoder, same_place
from pruneasr.results.heard import shown
from pruneasr.results.lineage import read_lineage
from pruneasr.results.runs import Run, runs_section

# What the hub calls our tasks; it knows none of whole spoken understanding
HUB_TASKS = {"asr": "automatic-speech-recognition", "slu": "audio-classification"}


def write_system_card(
    title: str,
    commands: Sequence[str],
    systems: Sequence[System],
    table: str,
    task: str,
    expdir: Path,
) -> None:
    """Write the card of system ``pruned``.

    Args:
        title: of the recipe.
        commands: how the recipe was called.
        systems: what was fine-tuned.
        table: of :func:`pruneasr.results.write.systems_section`.
        task: a key of METRICS.
        expdir: of the recipe, where the encoder was made.

    Raises:
        ValueError: if there is no such system, its encoder was not made in this expdir,
            or something that the card tells is missing.
    """
    pruned = next((system for system in systems if system.name == "pruned"), None)
    if pruned is None:
        names = [system.name for system in systems]
        raise ValueError(f"expected a system pruned for the model card; found {names}")
    if not same_place(pruned.encoder, pruned_encoder(expdir)):
        raise ValueError(
            f"expected the pruned encoder in {pruned_encoder(expdir)}; found "
            f"{pruned.encoder}, which another recipe made and describes"
        )
    write_card(
        pruned.encoder,
        title,
        commands,
        sections=[table],
        tuned=pruned.experiments,
        scores=hub_scores(title, task, pruned),
    )


def write_run_cards(
    title: str,
    commands: Sequence[str],
    runs: Sequence[Run],
    factors: Mapping[Path, float],
    test_sets: Sequence[str],
    task: str,
    probes: Mapping[str, Mapping[Path, float]],
) -> None:
    """Write the card of every encoder of which something was removed.

    One whose lineage cannot be read, for a training that led to it is gone, is named in
    the log.

    Args:
        title: of the recipe.
        commands: how the recipe was called.
        runs: with one or more of each encoder.
        factors: encoder directory -> real-time factor.
        test_sets: what was decoded.
        task: a key of METRICS.
        probes: metric of probes on the encoders -> folder of a run -> percent.

    Raises:
        ValueError: if something else that a card tells is missing.
    """
    metric = METRICS[task][0]
    for encoder in dict.fromkeys(run.encoder for run in runs):
        try:
            removal = read_lineage(encoder).removal
        except ValueError as error:
            logging.warning("no model card of %s: %s", encoder, error)
            continue
        if removal is None:
            continue
        of_it = [run for run in runs if run.encoder == encoder]
        # what a run keeps are errors
        scores = {
            (test_set, metric): [metric.error(run.errors[test_set]) for run in of_it]
            for test_set in test_sets
        }
        found = {n: v for n, v in probes.items() if any(r.folder in v for r in of_it)}
        write_card(
            encoder,
            title,
            commands,
            sections=[runs_section(of_it, factors, test_sets, metric, found)],
            tuned=[run.experiment for run in of_it],
            scores=_for_the_hub(title, task, scores),
        )


def hub_scores(title: str, task: str, system: System) -> list[EvalResult]:
    """Return the means over the fine-tunings of a system, as the hub shows them."""
    scores = {
        (test_set, metric): values[metric.name]
        for test_set, values in system.scores.items()
        for metric in METRICS[task]
    }
    return _for_the_hub(title, task, scores)


def experiments_section(task: str, system: System) -> str:
    """Return what every fine-tuning of a system reached."""
    columns = [
        f"{metric.name} % {test_set}"
        for test_set in system.scores
        for metric in METRICS[task]
    ]
    rows = [
        [
            shown(experiment),
            *(
                f"{values[metric.name][i]:.1f}"
                for values in system.scores.values()
                for metric in METRICS[task]
            ),
        ]
        for i, experiment in enumerate(system.experiments)
    ]
    return f"## Fine-tunings\n\n{markdown_table(['fine-tuning', *columns], rows)}"


def _for_the_hub(
    title: str, task: str, scores: Mapping[tuple[str, Metric], Sequence[float]]
) -> list[EvalResult]:
    """Return the means over the seeds; their spread is in the table."""
    corpus = title.partition(":")[0]
    return [
        EvalResult(
            task_type=HUB_TASKS[task],
            task_name=f"{task.upper()} after fine-tuning",
            dataset_type=re.sub(r"[^a-z0-9]+", "-", corpus.lower()).strip("-"),
            dataset_name=corpus,
            dataset_split=test_set,
            metric_type=metric.hub_type,
            metric_name=f"{metric.name} %, mean of {_seeds(values)}",
            metric_value=round(statistics.fmean(values), 1),
        )
        for (test_set, metric), values in scores.items()
    ]


def _seeds(values: Sequence[float]) -> str:
    return f"{len(values)} seed{'s' * (len(values) > 1)}"
