"""Split transcripts into tokens and check them against a token list.

The splitting is ESPnet's, so that the same words come out here, in its training and in
its scoring. Token lists are made in tokens.py.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from pruneasr.data.audio import raise_problems
from pruneasr.data.datadir import read_table

BLANK, UNK, SOS_EOS, SPACE = "<blank>", "<unk>", "<sos/eos>", "<space>"
CHAR, WORD, BPE = TOKEN_TYPES = ("char", "word", "bpe")

Splitter = Callable[[str], list[str]]


def make_splitter(token_type: str, bpe_model: Path | None = None) -> Splitter:
    """Return the function that splits a transcript into tokens.

    Args:
        token_type: ``char`` (a space becomes ``<space>``), ``word`` or ``bpe``.
        bpe_model: SentencePiece model, for ``bpe`` and for nothing else.

    Raises:
        ValueError: Another type, or a model too many or too few.
    """
    if token_type not in TOKEN_TYPES:
        raise ValueError(f"expected one of {TOKEN_TYPES}, found {token_type!r}")
    if (bpe_model is not None) != (token_type == BPE):
        raise ValueError(
            "expected a SentencePiece model with token type bpe and with no other, "
            f"found {bpe_model} with {token_type}"
        )
    if bpe_model is not None:
        return _bpe_splitter(bpe_model)
    return str.split if token_type == WORD else _split_characters


def _split_characters(text: str) -> list[str]:
    return [SPACE if character == " " else character for character in text]


def _bpe_splitter(bpe_model: Path) -> Splitter:
    import sentencepiece

    if not bpe_model.is_file():
        raise ValueError(f"expected a SentencePiece model at {bpe_model}, found none")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(bpe_model))

    def split(text: str) -> list[str]:
        return list(processor.encode(text, out_type=str))

    return split


def read_token_folder(folder: Path) -> tuple[list[str], Splitter]:
    """Read what ``pruneasr.bin.tokens`` wrote: the token list and how text is split.

    Raises:
        ValueError: A file is missing, or tokens.txt is no ESPnet token list.
    """
    path, kind = folder / "tokens.txt", folder / "token_type"
    for file in (path, kind):
        if not file.is_file():
            raise ValueError(
                f"expected {file}, found none; make it with python -m "
                f"pruneasr.bin.tokens --output {folder}"
            )
    tokens = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if tokens[0] != BLANK or UNK not in tokens or tokens[-1] != SOS_EOS:
        raise ValueError(
            f"{path}: expected a token list from {BLANK} to {SOS_EOS} with {UNK}, "
            f"found {tokens[:2]} to {tokens[-1]!r}"
        )
    token_type = kind.read_text(encoding="utf-8").strip()
    model = folder / "bpe.model" if token_type == BPE else None
    return tokens, make_splitter(token_type, model)


def check_text(
    directory: Path,
    tokens: Sequence[str],
    splitter: Splitter,
    *,
    allow_unknown: bool = False,
) -> tuple[int, Counter[str]]:
    """Check that every transcript of a data directory can be written in tokens.

    Args:
        directory: Data directory with wav.scp and text.
        tokens: Token list.
        splitter: As made by ``make_splitter`` for the type of the list.
        allow_unknown: Tokens that the list lacks are counted only; ESPnet reads them as
            ``<unk>``. For sets to validate and to test on, which did not make the list.

    Returns:
        Number of tokens in all transcripts, and how often each one is there that the
        list lacks.

    Raises:
        ValueError: Audio without a transcript or the reverse, empty transcripts, or
            tokens that the list lacks and that are not allowed: all of the directory in
            one message (the first 20, then a count).
    """
    texts = read_table(directory / "text")
    audio = read_table(directory / "wav.scp")
    known = set(tokens) - {BLANK, UNK, SOS_EOS}
    problems: list[str] = []
    total = 0
    all_unknown: Counter[str] = Counter()
    for utterance in {**audio, **texts}:
        if utterance not in texts or utterance not in audio:
            lacking = "text" if utterance in audio else "wav.scp"
            problems.append(
                f"{utterance}: expected a line in wav.scp and in text, found none in "
                f"{lacking}; add or remove it"
            )
            continue
        split = splitter(texts[utterance])
        total += len(split)
        unknown = [token for token in split if token not in known]
        all_unknown.update(unknown)
        if unknown and not allow_unknown:
            problems.append(
                f"{utterance} ({texts[utterance]!r}): expected tokens of the list, "
                f"found {sorted(set(unknown))}; correct the transcript or make the "
                "token list anew"
            )
        elif not split:
            problems.append(
                f"{utterance}: expected a transcript, found none; write it or remove "
                "the utterance"
            )
    raise_problems(f"{directory / 'text'}: transcripts", problems, len(texts))
    return total, all_unknown
