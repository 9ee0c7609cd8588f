"""Make data/{train,devel,test} of SLURP's text, spoken by espeak-ng (synthetic speech).

To try the recipe without SLURP's audio. The sets share no voices, and the training set
has no sentence of the others.
"""

import argparse
import random
from pathlib import Path

from slurp_layout import text_folder
from slurp_text import read_sentences

from pruneasr.data.generated import NUM_SPEAKERS, Corpus, make
from pruneasr.data.synthesis import Sentence, draw_voices
from pruneasr.errors import in_a_line

SPEAKERS_OF = {"test": "test", "devel": "dev", "train": "train"}


def plan(corpus: Path, num_sentences: int, seed: int) -> Corpus:
    """Draw sentences of each set and who says them.

    Raises:
        ValueError: A file is missing or broken, or has too few sentences.
    """
    voices = iter(draw_voices(sum(NUM_SPEAKERS.values()), seed=seed))
    planned: Corpus = {}
    held_out: set[str] = set()  # nlu_evaluation_data has some of both
    for name, speakers_of in SPEAKERS_OF.items():
        path = text_folder(corpus) / f"{name}.jsonl"
        if name == "train" and not path.exists():
            path = corpus / "nlu_evaluation_data.jsonl"
        sentences = read_sentences(path)
        if name == "train":
            sentences = [s for s in sentences if s.spoken not in held_out]
        held_out |= {sentence.spoken for sentence in sentences}
        if len(sentences) < num_sentences:
            raise ValueError(
                f"{path}: expected {num_sentences} sentences, found {len(sentences)}"
            )
        chosen = random.Random(f"{seed} {name}").sample(sentences, num_sentences)
        speakers = [next(voices) for _ in range(NUM_SPEAKERS[speakers_of])]
        planned[name] = [
            (Sentence(f"{voice.speaker}-{item.name}", item.spoken, voice), item.text)
            for i, item in enumerate(chosen)
            for voice in [speakers[i % len(speakers)]]
        ]
    return planned


@in_a_line
def main() -> None:
    """Read the options, speak and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="SLURP; its text suffices")
    parser.add_argument("data", type=Path, help="receives train, devel, test")
    parser.add_argument("--num-sentences", type=int, required=True, help="of each set")
    parser.add_argument("--seed", type=int, default=0, help="voices and sentences")
    parser.add_argument("--num-jobs", type=int, default=2, help="processes")
    args = parser.parse_args()
    corpus = plan(args.corpus, args.num_sentences, args.seed)
    make(corpus, args.data, args.num_jobs)


if __name__ == "__main__":
    main()
