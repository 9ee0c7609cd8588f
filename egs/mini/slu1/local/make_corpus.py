"""Make the mini SLU corpus: commands with intents and slots, spoken by espeak-ng.

Five things that a household can be told, each in some wordings. What the speaker wants
to know stands in ``text``: the intent, then the slots in the order of the words.
"""

import random

from pruneasr.data.generated import Line, run
from pruneasr.data.semantic_frames import SemanticFrame, format_frame

# Upper-case words stand for a slot.
WORDINGS = {
    "switch_device": (
        "turn STATE the DEVICE in the ROOM DAYTIME",
        "turn the ROOM DEVICE STATE DAYTIME",
        "please switch STATE the DEVICE in the ROOM",
        "I want the ROOM DEVICE STATE DAYTIME",
    ),
    "bring_object": (
        "bring me AMOUNT COLOUR OBJECT",
        "get AMOUNT OBJECT from the ROOM",
        "I need AMOUNT COLOUR OBJECT",
        "bring the COLOUR OBJECT to the ROOM",
    ),
    "call_person": (
        "call PERSON about the COLOUR OBJECT",
        "I must talk to PERSON about the OBJECT DAYTIME",
        "please call PERSON DAYTIME",
        "remind me to call PERSON about the DEVICE DAYTIME",
    ),
    "set_temperature": (
        "make the ROOM warmer by AMOUNT degrees DAYTIME",
        "set the ROOM to AMOUNT degrees DAYTIME",
        "I want AMOUNT degrees in the ROOM DAYTIME",
    ),
    "play_music": (
        "play STYLE in the ROOM DAYTIME",
        "play some STYLE by PERSON in the ROOM",
        "I would like to hear STYLE by PERSON DAYTIME",
    ),
}
VALUES = {
    "STATE": ("on", "off"),
    "DEVICE": ("light", "ceiling fan", "radio", "coffee machine", "television"),
    "ROOM": ("kitchen", "living room", "garden", "bathroom", "garage", "cellar"),
    "AMOUNT": ("two", "three", "five", "six", "eleven", "twenty", "twenty five"),
    "COLOUR": ("red", "dark green", "yellow", "light blue", "black", "white"),
    "OBJECT": ("bottles", "candles", "blankets", "paper towels", "flowers", "letters"),
    "PERSON": ("martin", "julia", "peter", "aunt hannah", "doctor benjamin", "oliver"),
    "DAYTIME": ("tonight", "tomorrow", "this evening", "at noon", "next week"),
    "STYLE": ("jazz", "opera", "country music", "rock", "folk songs"),
}


def draw(generator: random.Random) -> Line:
    """Draw an intent, one of its wordings, and the values of the slots."""
    intent = generator.choice(list(WORDINGS))
    words: list[str] = []
    slots: list[tuple[str, str]] = []
    for word in generator.choice(WORDINGS[intent]).split():
        if word in VALUES:
            value = generator.choice(VALUES[word])
            slots.append((word.lower(), value))
            words.append(value)
        else:
            words.append(word)
    return Line(" ".join(words), format_frame(SemanticFrame(intent, tuple(slots))))


if __name__ == "__main__":
    run(draw, __doc__)
