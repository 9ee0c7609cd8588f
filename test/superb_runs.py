"""Scored probes, as egs/superb/run.sh leaves them."""

import json


def write_run(encoder, task, metrics, *, seed=1, splits=1, config="conf/excerpt"):
    """The splits of a probe as run.sh leaves them; the k-th has k points more."""
    for split in range(1, splits + 1):
        run = encoder / task / f"split{split}_seed{seed}"
        (run / "test").mkdir(parents=True)
        reached = {name: value + split for name, value in metrics.items()}
        (run / "test/score.json").write_text(json.dumps({"metrics": reached}))
        tried = [
            {"learning_rate": rate, "dev": dict.fromkeys(metrics, 10.0 + rate)}
            for rate in (0.5, 0.25)
        ]
        found = {"tried": tried, "chosen": tried[1]}
        (run / "search.json").write_text(json.dumps(found))
        command = (
            f"run.pl {run}/train.log python --config {config}/{task}.yaml --seed 1"
        )
        (run / ".trained").write_text(f"{command} \n")
