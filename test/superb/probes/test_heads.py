"""Every head learns what its features say, and does not see padding."""

import pytest
import torch
from superb_features import INFORMED, SHAPE, labelled, noise, pad, spelled
from torch.nn import functional as F

from pruneasr.superb.metrics.slots import slot_type_f1
from pruneasr.superb.probes.ctc import (
    FrameCTC,
    RecurrentCTC,
    TaggedCTC,
    join_tagged,
    split_tagged,
)
from pruneasr.superb.probes.diarization import (
    Diarizer,
    median_filter,
    permutation_free_loss,
)
from pruneasr.superb.probes.speaker import LOST_FRAMES, XVector, am_softmax_loss
from pruneasr.superb.probes.utterance import UtteranceProbe

SMALL_LSTM = {"projection": 8, "units": 12, "layers": 1, "dropout": 0.0}
SMALL_XVECTOR = {"units": 16, "pooled_units": 24}
LABELS = ["on light", "off light", "on heat", "off heat"] * 4


def make(head, texts, **sizes):
    torch.manual_seed(0)
    return head(SHAPE, head.learn_vocabulary(texts), **sizes)


def test_labels_are_classified(fit):
    states, lengths = pad(labelled(LABELS))
    probe = make(UtteranceProbe, LABELS, projection=16)
    assert probe.vocabulary == [["off", "on"], ["heat", "light"]]
    first, last = fit(probe, states, lengths, LABELS)
    assert last < 0.3 * first
    assert probe.predict(states, lengths) == LABELS
    # the layer that knows has gained weight
    assert int(probe.weighted_sum.weights.argmax()) == INFORMED


def test_classification_loss_is_the_sum_over_positions():
    states, lengths = pad(labelled(LABELS))
    probe = make(UtteranceProbe, LABELS, projection=4)
    mean = torch.stack(
        [
            probe.projection(probe.weighted_sum(state[:, None, :length]))[0].mean(0)
            for state, length in zip(states, lengths, strict=True)
        ]
    )
    logits = probe.classifier(mean)
    expected = sum(
        F.cross_entropy(part, torch.tensor([c.index(x.split()[i]) for x in LABELS]))
        for i, (part, c) in enumerate(
            zip((logits[:, :2], logits[:, 2:]), probe.vocabulary, strict=True)
        )
    )
    torch.testing.assert_close(probe.loss(states, lengths, LABELS), expected)


TEXTS = {
    FrameCTC: ["K AE T", "D AO G", "K AO T", "D AE G"],
    RecurrentCTC: ["ten", "net", "tee", "e n"],
    TaggedCTC: ["B-a on E-a", "B-b on E-b", "no B-a n E-a", "B-b no E-b"],
}
SIZES = {FrameCTC: {"projection": 16}, RecurrentCTC: SMALL_LSTM, TaggedCTC: SMALL_LSTM}


@pytest.mark.parametrize("head", TEXTS)
def test_texts_are_recognised(head, fit):
    texts = TEXTS[head]
    states, lengths = pad(spelled(texts, head.split, frames_per_token=2))
    probe = make(head, texts, **SIZES[head])
    first, last = fit(probe, states, lengths, texts, steps=40, rate=0.05)
    assert last < 0.3 * first
    assert probe.predict(states, lengths) == texts


def test_ctc_loss_is_torchs_with_the_blank_first():
    texts = TEXTS[FrameCTC]
    states, lengths = pad(spelled(texts, str.split))
    probe = make(FrameCTC, texts, projection=4)
    assert probe.vocabulary == [["AE", "AO", "D", "G", "K", "T"]]
    logits = probe.classifier(probe.projection(probe.weighted_sum(states.unbind(1))))
    targets = torch.tensor([[5, 1, 6], [3, 2, 4], [5, 2, 6], [3, 1, 4]])
    expected = F.ctc_loss(
        logits.log_softmax(2).transpose(0, 1), targets, lengths, torch.full((4,), 3)
    )
    torch.testing.assert_close(probe.loss(states, lengths, texts), expected)


def test_tags_stay_whole_and_have_no_space_towards_their_value():
    # the tokens of s3prl's CharacterTextSlotEncoder
    text = "go B-size  big one E-size now"
    tokens = split_tagged(text)
    assert tokens[:7] == ["g", "o", " ", "B-size", "b", "i", "g"]
    assert tokens[7:] == [*" one", "E-size", *" now"]
    assert join_tagged(tokens) == "go B-size big one E-size now"


def test_a_slot_needs_no_space_of_the_head():
    text = "B-x on E-x B-y off E-y"
    probe = make(TaggedCTC, [text], **SMALL_LSTM)
    path = [
        1 + probe.vocabulary[0].index(token)
        for token in ["B-x", *"on", "E-x", "B-y", *"of", "f", "E-y"]
    ]
    path.insert(7, 0)  # a blank between two equal letters
    found = probe._collapse(path)
    assert found == text
    assert slot_type_f1({"u": text}, {"u": found}) == 100


def test_speakers_are_told_apart(fit):
    speakers = ["a", "b", "c", "d"] * 3
    states, lengths = pad(labelled(speakers, num_frames=LOST_FRAMES + 8))
    probe = make(XVector, speakers, **SMALL_XVECTOR)
    first, last = fit(probe, states, lengths, speakers)
    assert last < 0.5 * first
    lines = probe.predict(states, lengths)
    vectors = torch.tensor([[float(x) for x in line.split()] for line in lines])
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(12), atol=1e-4, rtol=0)
    cosine = vectors @ vectors.T
    same = torch.tensor([[a == b for b in speakers] for a in speakers])
    assert cosine[same].min() > cosine[~same].max()


def test_am_softmax_by_hand():
    cosine = torch.tensor([[0.9, 0.1, -0.3]])
    right = torch.exp(torch.tensor(30 * (0.9 - 0.4)))
    wrong = torch.exp(torch.tensor(30 * 0.1)) + torch.exp(torch.tensor(30 * -0.3))
    loss = am_softmax_loss(cosine, torch.tensor([0]), scale=30, margin=0.4)
    torch.testing.assert_close(loss, -torch.log(right / (right + wrong)))


def test_x_vector_pools_mean_and_deviation_and_needs_its_context():
    states, lengths = pad(labelled(["a", "b"], num_frames=LOST_FRAMES + 8))
    probe = make(XVector, ["a", "b"], **SMALL_XVECTOR)
    x = probe.projection(probe.weighted_sum(states[:1, :, : lengths[0]].unbind(1)))
    x = x.transpose(1, 2)
    for layer in probe.tdnn:
        x = layer(x).relu()
    assert x.size(2) == lengths[0] - LOST_FRAMES == 8
    std = x.std(2).clamp_min(1e-4)
    expected = probe.embedding(torch.cat([x.mean(2), std], 1)).relu()
    torch.testing.assert_close(probe.embed(states, lengths)[:1], expected)
    with pytest.raises(ValueError, match=f"at least {LOST_FRAMES + 2} frames"):
        probe.predict(states[:, :, :15], torch.tensor([15, 15]))


def turns(num_recordings):
    """Recordings in which one speaker talks first and the other then, overlapping."""
    states, texts = [], []
    for i in range(num_recordings):
        state = noise(40, i)
        state[INFORMED, :25] += noise(1, 3000)[INFORMED] * 2
        state[INFORMED, 15:] += noise(1, 3001)[INFORMED] * 2
        names = ("x", "y") if i % 2 else ("y", "x")
        states.append(state)
        texts.append(f"{names[0]}:0.0025:0.5025 {names[1]}:0.3025:0.8025")
    return *pad(states), texts


def test_turns_are_found(fit):
    states, lengths, texts = turns(6)
    probe = make(Diarizer, texts, units=16, median_frames=3)
    first, last = fit(probe, states, lengths, texts, steps=40)
    assert last < 0.4 * first
    found = probe.predict(states, lengths)[0].split()
    assert len(found) == 2
    assert {word[0] for word in found} == {"0", "1"}
    assert sorted(word.split(":")[1] for word in found)[0] in ("0.003", "0.023")


def test_permutation_free_loss_by_hand():
    logits = torch.tensor([[[2.0, -1.0], [0.5, 3.0]]])
    activity = torch.tensor([[[0.0, 1.0], [1.0, 1.0]]])
    lengths = torch.tensor([2])
    swapped = F.binary_cross_entropy_with_logits(logits, activity[..., [1, 0]])
    torch.testing.assert_close(
        permutation_free_loss(logits, activity, lengths), swapped
    )
    # padding counts nothing
    padded = [F.pad(x, (0, 0, 0, 3), value=7.0) for x in (logits, activity)]
    torch.testing.assert_close(permutation_free_loss(*padded, lengths), swapped)


def test_every_frame_counts_the_same_but_a_recording_has_one_permutation():
    logits, activity = torch.zeros(2, 3, 2), torch.zeros(2, 3, 2)
    logits[0, :1], activity[0, :1, 1] = torch.tensor([4.0, -4.0]), 1
    logits[1], activity[1, :, 0] = torch.tensor([-1.0, -1.0]), 1
    lengths = torch.tensor([1, 3])
    first = F.binary_cross_entropy_with_logits(logits[0, :1], activity[0, :1].flip(1))
    second = F.binary_cross_entropy_with_logits(logits[1], activity[1])
    expected = (first + 3 * second) / 4
    torch.testing.assert_close(
        permutation_free_loss(logits, activity, lengths), expected
    )


def test_median_filter_smooths():
    activity = torch.tensor([0, 1, 0, 0, 1, 1, 0, 1, 1, 0.0])[:, None]
    assert median_filter(activity, 3)[:, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 0]
    assert torch.equal(median_filter(activity, 1), activity)
    with pytest.raises(ValueError, match="odd median_frames, found 4"):
        make(Diarizer, [], median_frames=4)


HEADS = {
    UtteranceProbe: (LABELS[:3], {"projection": 4}),
    FrameCTC: (TEXTS[FrameCTC][:3], {"projection": 4}),
    RecurrentCTC: (TEXTS[RecurrentCTC][:3], SMALL_LSTM),
    XVector: (["a", "b", "c"], SMALL_XVECTOR),
    Diarizer: (["x:0:0.3", "y:0:0.2 x:0.1:0.3", ""], {"units": 8}),
}


@pytest.mark.parametrize("head", HEADS)
def test_padding_changes_nothing(head):
    texts, sizes = HEADS[head]
    states = [noise(18 + 5 * i, i) for i in range(3)]
    probe = make(head, texts, **sizes).eval()
    batch, lengths = pad(states)
    assert probe.predict(batch, lengths) == [
        probe.predict(state[None], length[None])[0]
        for state, length in zip(states, lengths, strict=True)
    ]
    further = F.pad(batch, (0, 0, 0, 9), value=5.0)
    torch.testing.assert_close(
        probe.loss(further, lengths, texts), probe.loss(batch, lengths, texts)
    )


def test_labels_and_tokens_out_of_the_training_set_are_refused():
    states, lengths = pad(labelled(["a", "b"]))
    with pytest.raises(ValueError, match=r"one of the 2 values .* found 'c'"):
        make(UtteranceProbe, ["a", "b"]).loss(states, lengths, ["a", "c"])
    with pytest.raises(ValueError, match="equally many words, found"):
        UtteranceProbe.learn_vocabulary(["a b", "c"])
    with pytest.raises(ValueError, match="found 2 empty ones"):
        RecurrentCTC.learn_vocabulary(["", ""])
