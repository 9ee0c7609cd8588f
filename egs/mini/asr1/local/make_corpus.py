"""Make the mini corpus: sentences of a small grammar, spoken by espeak-ng.

Commands and remarks of a household: sentences of three to six words over a vocabulary
of about 120. Small enough to be learnt in minutes, varied enough that a model must
listen.
"""

import random

from pruneasr.data.generated import Line, run

# Upper-case words stand for one of a class; the numbers are relative frequencies.
PATTERNS = {
    "ACTION the COLOUR THING": 4,
    "ACTION NUMBER COLOUR PLURAL": 3,
    "put the THING PLACE the THING": 4,
    "turn SWITCH the DEVICE": 2,
    "turn SWITCH the ROOM DEVICE": 3,
    "NAME likes the COLOUR THING": 3,
    "NAME is in the ROOM": 2,
    "walk DIRECTION NUMBER metres": 2,
    "go to the ROOM DAYTIME": 2,
    "call NAME DAYTIME": 2,
    "NAME has NUMBER PLURAL": 3,
    "the THING was COLOUR yesterday": 2,
}
CLASSES = {
    "ACTION": "bring find take show open wash move paint carry hide lift clean",
    "COLOUR": "red green yellow black white purple silver orange",
    "THING": (
        "table bottle window basket ladder hammer candle pillow mirror bucket carpet "
        "blanket jacket guitar cushion suitcase"
    ),
    "PLURAL": (
        "apples spoons tickets letters flowers pencils cookies buttons melons envelopes"
    ),
    "NUMBER": "three four five six seven nine ten eleven twelve twenty thirty",
    "PLACE": "under behind beside above",
    "SWITCH": "on off",
    "DEVICE": "light heater radio camera fan computer television",
    "ROOM": "kitchen garden office bathroom garage cellar bedroom",
    "NAME": "martin julia peter susan oliver hannah victor emma charlotte benjamin",
    "DIRECTION": "left right forward back",
    "DAYTIME": "tomorrow tonight again now",
}


def draw(generator: random.Random) -> Line:
    """Draw a pattern and fill its classes; no class repeats a word in a sentence."""
    pattern = generator.choices(list(PATTERNS), weights=list(PATTERNS.values()))[0]
    words: list[str] = []
    for slot in pattern.split():
        choices = CLASSES.get(slot, slot).split()
        words.append(
            generator.choice([word for word in choices if word not in words])
            if slot in CLASSES
            else slot
        )
    sentence = " ".join(words).upper()
    return Line(sentence, sentence)


if __name__ == "__main__":
    run(draw, __doc__)
