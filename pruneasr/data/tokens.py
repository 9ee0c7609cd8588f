"""Make token lists in ESPnet's form, and SentencePiece models.

The same transcripts give the same files on every run. ESPnet has a program for it, but
importing ESPnet takes longer than making the list.
"""

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pruneasr.data.datadir import read_table
from pruneasr.data.text import BLANK, BPE, SOS_EOS, UNK, make_splitter
from pruneasr.files import whole, write_atomic

_SPECIAL_PIECES = frozenset({UNK, "<s>", "</s>"})


def make_token_list(
    text: Path, output: Path, *, token_type: str, nbpe: int
) -> list[str]:
    """Write tokens.txt, token_type and, for bpe, bpe.model.

    Args:
        text: Transcripts of the training data, ``utterance words ...``.
        output: Folder that receives the files.
        token_type: ``char``, ``word`` or ``bpe`` (SentencePiece's unigram model).
        nbpe: Length of a bpe list, special tokens included; lists of characters and
            words hold all that occurs.

    Returns:
        The token list: ``<blank>``, ``<unk>``, tokens (the most frequent first),
        ``<sos/eos>``.

    Raises:
        ValueError: No transcripts, another type, or a length of the bpe list that the
            transcripts do not allow.
    """
    texts = list(read_table(text).values())
    if not any(texts):
        raise ValueError(f"{text}: expected transcripts, found none")
    output.mkdir(parents=True, exist_ok=True)
    if token_type == BPE:
        tokens = _train_bpe(texts, output / "bpe.model", nbpe)
    else:
        splitter = make_splitter(token_type)
        counts = Counter(token for line in texts for token in splitter(line))
        tokens = sorted(counts, key=lambda token: (-counts[token], token))
    tokens = [BLANK, UNK, *tokens, SOS_EOS]
    write_atomic(output / "token_type", f"{token_type}\n")
    write_atomic(output / "tokens.txt", "".join(f"{token}\n" for token in tokens))
    return tokens


def _train_bpe(texts: Sequence[str], model: Path, nbpe: int) -> list[str]:
    import sentencepiece

    content = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=content,
            vocab_size=nbpe,
            model_type="unigram",
            character_coverage=1.0,
            num_threads=1,  # the order in which threads end would change the scores
            minloglevel=1,
        )
    except RuntimeError as error:
        raise ValueError(
            f"expected an nbpe that fits the transcripts, found {nbpe}: {error}"
        ) from error
    with whole(model) as partial:
        partial.write_bytes(content.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=content.getvalue())
    pieces = [processor.id_to_piece(index) for index in range(len(processor))]
    return [piece for piece in pieces if piece not in _SPECIAL_PIECES]
