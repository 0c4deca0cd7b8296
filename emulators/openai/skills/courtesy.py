"""Greetings, thanks and goodbyes, in a few languages."""

import re

from emulators.openai.dialogue import Dialogue, Reply
from emulators.openai.phrases import capitalized, without_accents
from emulators.openai.skills.names import known_name

_GREETING = re.compile(
    r"(?:say )?(?P<greeting>(?:hello|hi|hey)(?: there| again)?|good (?:morning|afternoon|evening|day)|greetings|howdy)"
    r"(?: (?:assistant|computer|robot|everyone|everybody|my friend|to you))?"
    r"(?P<how> how are you(?: doing)?(?: today)?)?"
)
_HOW = re.compile(
    r"(?:how are you(?: doing| feeling)?(?: today)?|how is it going|how do you do|are you (?:okay|ok|well|fine"
    r"|all right)|what is up)"
)
_THANKS = re.compile(
    r"(?:(?:okay|ok|great|no|yes|perfect|good|well|wonderful|oh|and|very nice|nice) )*"
    r"(?:thanks|thank you|many thanks|cheers|i thank you|much appreciated)"
    r"(?: (?:a lot|very much|so much|again|for (?:that|your help|the help|everything|helping)|that is (?:all"
    r"|great|it)|assistant|indeed))*"
)
_GOODBYE = re.compile(
    r"(?:(?:okay|ok|well|thanks|thank you|so|and|then) )*(?:goodbye|good bye|bye(?: bye)?|see you(?: later| soon"
    r"| tomorrow| again)?|good night"
    r"|farewell|that is (?:all|it)(?: for (?:now|today))?|talk to you later|i have to go|have a (?:nice"
    r"|good) (?:day|evening|weekend))"
    r"(?: (?:then|now|assistant|for now))*"
)
_PRAISE = re.compile(
    r"(?:that is |that was |you are |very |so |well )*(?:good|great|nice|cool|excellent|perfect|wonderful"
    r"|well done|good job|funny|smart|awesome|helpful|amazing)(?: job| work)?"
)
_SORRY = re.compile(r"(?:i am )?(?:so |very )?sorry(?: about that)?|my (?:mistake|bad)|excuse me|never ?mind|forget it")
_YES = r"(?:okay|ok|yes|yeah|yep|no|nope|all right|alright|sure|right|i see|hm+|aha|maybe|got it|i understand)"
_ACKNOWLEDGEMENT = re.compile(rf"{_YES}(?: {_YES})*")

_FOREIGN = {
    "hallo": "Hallo! Ich bin der Offline-Assistent und antworte sonst auf Englisch.",
    "guten morgen": "Guten Morgen! Ich bin der Offline-Assistent und antworte sonst auf Englisch.",
    "guten tag": "Guten Tag! Ich bin der Offline-Assistent und antworte sonst auf Englisch.",
    "guten abend": "Guten Abend! Ich bin der Offline-Assistent und antworte sonst auf Englisch.",
    "danke": "Gern geschehen.",
    "vielen dank": "Gern geschehen.",
    "danke schon": "Gern geschehen.",
    "auf wiedersehen": "Auf Wiedersehen!",
    "tschuss": "Tschüss!",
    "bonjour": "Bonjour ! Je suis l'assistant hors ligne et je réponds sinon en anglais.",
    "salut": "Salut ! Je suis l'assistant hors ligne et je réponds sinon en anglais.",
    "bonsoir": "Bonsoir ! Je suis l'assistant hors ligne et je réponds sinon en anglais.",
    "merci": "Je vous en prie.",
    "merci beaucoup": "Je vous en prie.",
    "au revoir": "Au revoir !",
    "hola": "¡Hola! Soy el asistente sin conexión y, por lo demás, respondo en inglés.",
    "buenos dias": "¡Buenos días! Soy el asistente sin conexión y, por lo demás, respondo en inglés.",
    "buenas tardes": "¡Buenas tardes! Soy el asistente sin conexión y, por lo demás, respondo en inglés.",
    "buenas noches": "¡Buenas noches!",
    "gracias": "De nada.",
    "muchas gracias": "De nada.",
    "adios": "¡Adiós!",
    "hasta luego": "¡Hasta luego!",
}
"""Replies by greeting, without accents."""
_FOREIGN_HOW = re.compile(
    r"(?<=.) (?:wie geht es (?:dir|ihnen)|wie geht'?s|comment (?:ca va|allez vous)|ca va|que tal|como estas?)$"
)


def reply(dialogue: Dialogue) -> Reply | None:
    """A reply in kind, in the language of the greeting."""
    words = dialogue.words
    if foreign := _FOREIGN.get(_FOREIGN_HOW.sub("", without_accents(words))):
        return Reply(foreign, introduces=True)
    if greeting := _GREETING.fullmatch(words):
        name = known_name(dialogue.earlier)
        welcome = capitalized(greeting["greeting"]) + (f", {name}!" if name else "!")
        return Reply(f"{welcome} I am well, thank you." if greeting["how"] else welcome, _OFFER)
    for pattern, text in _REPLIES:
        if pattern.fullmatch(words) or pattern.fullmatch(dialogue.question):
            return Reply(text)
    return None


_OFFER = "What can I do for you?"
_REPLIES = (
    (_HOW, "I am well, thank you."),
    (_THANKS, "You are welcome."),
    (_GOODBYE, "Goodbye!"),
    (re.compile(r"(?:it is )?(?:nice|good|pleased|great) to meet you(?: too)?"), "Nice to meet you too."),
    (_PRAISE, "Thank you."),
    (_SORRY, "No problem."),
    (_ACKNOWLEDGEMENT, "All right."),
)
