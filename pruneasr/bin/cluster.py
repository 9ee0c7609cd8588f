"""Label the frames of a data directory by k-means, for masked pre-training.

    python -m pruneasr.bin.cluster --train data/pretrain --encoder exp/init \
        --features mfcc --num-clusters 100 --output exp/clusters data/pretrain data/dev
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from pruneasr.encoder import load_encoder
from pruneasr.errors import in_a_line
from pruneasr.pretrain.labels import (
    fit_clusters,
    hidden_features,
    mfcc_features,
    write_labels,
)


@in_a_line
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, fit the clusters and label every directory."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="+", type=Path, help="directories to label")
    parser.add_argument("--train", type=Path, required=True, help="where to fit")
    parser.add_argument(
        "--encoder", required=True, help="encoder directory: its frames, its states"
    )
    parser.add_argument(
        "--features", default="mfcc", help="'mfcc' or the number of a hidden state"
    )
    parser.add_argument("--num-clusters", type=int, default=100)
    parser.add_argument("--max-frames", type=int, default=200_000, help="used to fit")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--output", type=Path, required=True, help="writes OUTPUT/<name of data>"
    )
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    names = [data.name for data in args.data]
    if len(set(names)) < len(names):
        raise ValueError(
            "expected directories of different names, as OUTPUT/NAME receives the "
            f"labels of each; found {', '.join(names)}. Use another --output for some"
        )
    if args.features != "mfcc" and not args.features.isdecimal():
        raise ValueError(
            "expected --features mfcc or the number of a hidden state; found "
            f"{args.features}"
        )
    encoder = load_encoder(args.encoder)
    features = (
        mfcc_features(encoder.config)
        if args.features == "mfcc"
        else hidden_features(encoder, int(args.features))
    )
    kmeans = fit_clusters(
        args.train / "wav.scp", features, args.num_clusters, args.max_frames, args.seed
    )
    args.output.mkdir(parents=True, exist_ok=True)
    for data in args.data:
        write_labels(data / "wav.scp", features, kmeans, args.output / data.name)


if __name__ == "__main__":
    main()
