"""The seven parts of LibriSpeech: checksums of the archives, and how many utterances.

The checksums are those that torchaudio lists for https://www.openslr.org/12.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """SHA-256 of the archive, and the number of utterances."""

    sha256: str
    num_utterances: int


PARTS = {
    "train-clean-100": Part(
        "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2", 28539
    ),
    "train-clean-360": Part(
        "146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf", 104014
    ),
    "train-other-500": Part(
        "ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2", 148688
    ),
    "dev-clean": Part(
        "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3", 2703
    ),
    "dev-other": Part(
        "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365", 2864
    ),
    "test-clean": Part(
        "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23", 2620
    ),
    "test-other": Part(
        "d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29", 2939
    ),
}
SETS = {
    "train_100": ("train-clean-100",),
    "train_960": ("train-clean-100", "train-clean-360", "train-other-500"),
    "dev": ("dev-clean", "dev-other"),
    "test_clean": ("test-clean",),
    "test_other": ("test-other",),
}
