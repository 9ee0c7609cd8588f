"""Random encoders, and students that start from a teacher's first blocks."""

import pytest
import torch
from tiny import random_encoder, tiny_config, waveforms

from pruneasr.encoder.initialize import (
    count_parameters,
    first_blocks,
)
from pruneasr.encoder.initialize import (
    random_encoder as draw,
)


def test_seed_decides():
    config = tiny_config()
    state = torch.random.get_rng_state()
    first, again, other = draw(config, 1), draw(config, 1), draw(config, 2)
    assert torch.equal(torch.random.get_rng_state(), state)
    name = "blocks.0.attention.branch.q_proj.weight"
    first, again, other = (x.state_dict()[name] for x in (first, again, other))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("norm_first", [False, True])
def test_student_computes_the_first_blocks(norm_first):
    teacher = random_encoder(tiny_config(norm_first=norm_first))
    student = first_blocks(teacher, 2, seed=0).eval()
    with torch.no_grad():
        speech, _ = waveforms()
        ours, _ = student(speech)
        theirs, _ = teacher(speech, num_blocks=2)
        expected = teacher.norm(theirs[2]) if norm_first else theirs[2]
    assert len(ours) == 3
    assert torch.equal(ours[1], theirs[1])
    assert torch.equal(ours[2], expected)


@pytest.mark.parametrize("size", [0.6, 0.8, 1.0, 1.7])
def test_student_of_a_given_size(size):
    teacher = random_encoder()
    wanted = round(size * count_parameters(teacher))
    student = first_blocks(teacher, 2, 0, wanted)
    assert abs(count_parameters(student) - wanted) <= teacher.config.dim + 1
    widths = [block.ffn for block in student.config.blocks]
    assert max(widths) - min(widths) <= 1

    source, result = teacher.state_dict(), student.state_dict()
    for i, width in enumerate(widths):
        kept = min(width, teacher.config.blocks[i].ffn)
        up = f"blocks.{i}.feed_forward.branch.up_proj.weight"
        down = f"blocks.{i}.feed_forward.branch.down_proj.weight"
        assert torch.equal(result[up][:kept], source[up][:kept])
        assert torch.equal(result[down][:, :kept], source[down][:, :kept])
        assert bool((result[up][kept:] != 0).all())
    for name, tensor in result.items():
        if "up_proj" not in name and "down_proj.weight" not in name:
            assert torch.equal(tensor, source[name])


@pytest.mark.parametrize(
    ("num_blocks", "size", "message"),
    [(0, None, "1 to 3"), (4, None, "1 to 3"), (3, 100, "narrowest")],
)
def test_impossible_students(num_blocks, size, message):
    with pytest.raises(ValueError, match=message):
        first_blocks(random_encoder(), num_blocks, 0, size)
