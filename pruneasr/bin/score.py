"""Score recognised text: WER, CER and, with a BPE model, TER.

Writes score_wer/result.txt (summary and every wrong utterance, aligned), score_wer.json
and the same for cer and ter, and prints the rows of ESPnet's RESULTS.md.
"""

import argparse
from pathlib import Path

from pruneasr.errors import in_a_line
from pruneasr.scoring.report import results_header, results_row, score_files


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pruneasr.bin.score", description=__doc__
    )
    parser.add_argument(
        "--ref", type=Path, required=True, help="transcripts: data/test/text"
    )
    parser.add_argument(
        "--hyp", type=Path, required=True, help="recognised text of the same utterances"
    )
    parser.add_argument(
        "--dataset", help="first column of the table (default: the name of --output)"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder that receives score_wer/ ..."
    )
    parser.add_argument(
        "--bpe-model", type=Path, help="SentencePiece model: score its pieces too (TER)"
    )
    return parser


@in_a_line
def main() -> None:
    """Run the command line."""
    parser = get_parser()
    args = parser.parse_args()
    dataset = args.dataset or args.output.name
    results = score_files(
        args.ref,
        args.hyp,
        args.output,
        dataset=dataset,
        bpe_model=args.bpe_model,
    )
    for rate, columns in results.items():
        table = results_header(columns) + results_row(dataset, columns)
        print(f"### {rate.upper()}\n{table}")


if __name__ == "__main__":
    main()
