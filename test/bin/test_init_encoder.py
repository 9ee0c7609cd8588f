"""The command that makes encoders that nobody has trained yet."""

import pytest
import torch
from tiny import random_encoder, tiny_config

from pruneasr.bin.init_encoder import main
from pruneasr.encoder import load_encoder, save_encoder
from pruneasr.encoder.checkpoint import load_metadata
from pruneasr.encoder.initialize import count_parameters

ARCHITECTURE = """
family: hubert
dim: 32
num_heads: 4
ffn: 48
num_blocks: 2
conv_channels: [4, 8, 8, 8, 8, 8, 8]
pos_conv_kernel: 8
pos_conv_groups: 4
"""


@pytest.fixture
def teacher(tmp_path):
    save_encoder(random_encoder(), tmp_path / "teacher")
    return tmp_path / "teacher"


def test_from_yaml(tmp_path):
    (tmp_path / "arch.yaml").write_text(ARCHITECTURE)
    arguments = ["--config", str(tmp_path / "arch.yaml"), "--seed", "3"]
    for name in ("a", "b"):
        main([*arguments, "--output", str(tmp_path / name)])
    first, second = load_encoder(tmp_path / "a"), load_encoder(tmp_path / "b")
    assert first.config.family == "hubert"
    assert [conv.channels for conv in first.config.conv_layers] == [4] + [8] * 6
    assert torch.equal(first.norm.weight, second.norm.weight)
    provenance = load_metadata(tmp_path / "a")["provenance"]
    assert provenance["init_encoder"]["seed"] == "3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("width: 3", "unknown: ['width']"),
        ("[1, 2]", "expected 'name: value' lines; found [1, 2]"),
        ("", "expected 'name: value' lines; found None"),
    ],
)
def test_bad_yaml(text, message, tmp_path, capsys):
    (tmp_path / "arch.yaml").write_text(text)
    with pytest.raises(SystemExit, match="1"):
        main(["--config", str(tmp_path / "arch.yaml"), "--output", str(tmp_path / "o")])
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_shape_of(teacher, tmp_path):
    main(["--shape-of", str(teacher), "--output", str(tmp_path / "scratch")])
    scratch, model = load_encoder(tmp_path / "scratch"), load_encoder(teacher)
    assert scratch.config == model.config
    assert not torch.equal(
        scratch.feature_projection.projection.weight,
        model.feature_projection.projection.weight,
    )


def test_first_blocks_of_a_teacher_as_large_as_another(teacher, tmp_path):
    other = random_encoder(tiny_config(num_blocks=1, ffn=33))
    save_encoder(other, tmp_path / "other")
    options = ["--first-blocks", "1", "--of", str(teacher)]
    options += ["--parameters-of", str(tmp_path / "other")]
    main([*options, "--output", str(tmp_path / "student")])
    student = load_encoder(tmp_path / "student")
    assert count_parameters(student) == count_parameters(other)
    assert torch.equal(student.norm.weight, load_encoder(teacher).norm.weight)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--first-blocks", "2"],
        ["--config", "a.yaml", "--shape-of", "b"],
        ["--config", "a.yaml", "--of", "b"],
        ["--config", "a.yaml", "--parameters-of", "b"],
    ],
)
def test_options_that_do_not_go_together(options, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([*options, "--output", str(tmp_path / "o")])
    assert "error" in capsys.readouterr().err
