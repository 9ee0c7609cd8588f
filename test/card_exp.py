"""What a recipe leaves that a model card tells: encoders, configurations, audio."""

import yaml
from tiny import random_encoder, tiny_config

from pruneasr.encoder import save_encoder

FIGURES = {"structure.png": b"first figure", "history.png": b"second figure"}
TRAININGS = ("pretrain1", "distill", "recover", "asr_pruned_seed1", "asr_pruned_seed2")


def write_expdir(recipe):
    """An expdir as far as a card is concerned; all trainings heard half an hour."""
    data, exp = recipe / "data" / "train", recipe / "exp"
    data.mkdir(parents=True)
    (data.parent / ".done").write_text("local/data.sh --synthetic 5\n")
    (data / "utt2num_samples").write_text("a 16000000\nb 12800000\n")
    (data / "wav.scp").write_text("a /corpora/AN4/audio/a.flac\nb data/extra/b.flac\n")
    provenance = {"task": "PretrainTask"}
    provenance["training_config"] = "exp/pretrain1/config.yaml"
    save_encoder(random_encoder(tiny_config()), exp / "teacher", provenance)
    config = {
        "teacher": str(exp / "teacher"),
        "student": "exp/pruned",
        "train_data_path_and_name_and_type": [
            [f"{data}/labels", "labels", "text_int"],
            [f"{data}/wav.scp", "speech", "sound"],
        ],
    }
    for name in TRAININGS:
        (exp / name).mkdir()
        (exp / name / "config.yaml").write_text(yaml.safe_dump(config))
    small = random_encoder(tiny_config(ffn=8), 1)
    made = {"task": "RecoverTask", "training_config": "exp/recover/config.yaml"}
    save_encoder(small, exp / "recover" / "encoder", made)
    save_encoder(
        small,
        exp / "pruned",
        {"teacher": "exp/teacher", "experiment": "exp/distill", "sparsity": {}},
    )
    (exp / "pruned" / "report.md").write_text("| block |\n|---|\n| 1 |\n")
    for name, content in FIGURES.items():
        (exp / "pruned" / name).write_bytes(content)
    return exp
