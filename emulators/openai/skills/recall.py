"""The conversation so far: what was said first, before, and about something; repetition and summary."""

import re
from collections.abc import Sequence

from emulators.openai.dialogue import Dialogue, Reply
from emulators.openai.phrases import counted, listed, sentence, tokens_of_speech, without_courtesies, without_symbols

SUMMARY_MESSAGES = 4
"""The most messages that a summary names."""
SUMMARY_WORDS = 6
"""The most words of each."""

_SAY = r"(?:say|said|ask|asked|mention|tell you|told you|talk about)"
_MESSAGE = r"(?:thing|message|question|sentence|words?)s?"
_END = r"(?: (?:to you|you|again|now|just now|earlier|then|in this conversation|please))*"

_FIRST = re.compile(
    rf"what did i (?:just )?{_SAY}(?: to you)? (?:at )?(?:the )?(?:very )?(?:first|beginning|start"
    rf"|in the beginning)(?: of all)?"
    rf"|what (?:was|is|were) (?:the|my) (?:very )?first {_MESSAGE}(?: (?:that )?i {_SAY})?{_END}"
    rf"|(?:how|what) did (?:i|we|this conversation) (?:start|begin)(?: with)?"
)
_BEFORE = re.compile(
    rf"what (?:did i|was it i|was it that i) (?:just )?{_SAY}"
    rf"(?: (?:to )?you)?(?: (?:before|before this|last|last time|previously|a moment ago|a minute ago))?{_END}"
    rf"|what (?:was|is|were) (?:the|my) (?:last|previous"
    rf"|latest) {_MESSAGE}(?: (?:that )?i (?:just )?{_SAY})?(?: before(?: this)?)?{_END}"
    rf"|(?:do you )?remember what i (?:just )?{_SAY}(?: before)?{_END}|what i (?:just )?{_SAY}(?: before)?{_END}"
)
_EARLIER = re.compile(rf"(?:what (?:did i {_SAY}|was) )?before that|what else did i {_SAY}(?: before(?: that)?)?")
_REPEAT = re.compile(
    r"repeat(?: (?:that|it|yourself|your answer|the answer|your last answer|what you(?: just)? said))?(?: again"
    r"| once more)?"
    r"|say (?:that|it) (?:again|once more|one more time)|what did you (?:just )?say(?: (?:before|again|just now))?"
    r"|what was (?:that|your (?:last )?(?:answer|reply))(?: again)?|come again|pardon(?: me)?|i beg your pardon"
    r"|once more|again"
    r"|i (?:did not|could not) (?:hear|catch|understand) (?:that|you|it)|one more time|what did you answer"
)
_SUMMARY = re.compile(
    r"(?:what (?:have|did|were|are) (?:we|i|you and i) (?:been )?(?:talk|talked|talking|discuss|discussed|speak"
    r"|spoken|speaking|said|chat)(?: about)?"
    r"|(?:a |the )?summary|sum up|recap|summar[iy][sz]e)"
    r"(?: (?:so far|until now|today|before|all of|everything|(?:of )?(?:our|this|the) (?:conversation|talk|chat"
    r"|discussion)|it|this|that|what (?:we|i) (?:said|discussed|(?:have )?talked about)))*"
    r"|what (?:was|is|were) (?:our|this|the) conversation about(?: so far)?|what do you remember(?: about me)?"
)
_COUNT = re.compile(
    rf"how (?:many (?:things|questions|messages|sentences|times)|often|much) (?:have|did) (?:i"
    rf"|we) (?:already )?(?:{_SAY}|talked|spoken|speak|talk)"
    r"(?: (?:to you|you|so far|something|anything|a question))*"
)
_ABOUT = re.compile(rf"what did i {_SAY}(?: to)?(?: you)? about (?P<subject>.+)")
_ECHO = re.compile(
    r"(?:repeat after me|say after me|echo|say the words?)[\s:,.]+(?P<words>.+)", re.IGNORECASE | re.DOTALL
)

NOTHING_SAID = "You have said nothing before this in our conversation."
_LEAD = "I said: "


def reply(dialogue: Dialogue) -> Reply | None:
    """A part of the conversation."""
    question = dialogue.question
    if echo := _ECHO.fullmatch(dialogue.message.strip()):
        return Reply(sentence(echo["words"]))
    if _SUMMARY.fullmatch(question):
        return _summary(dialogue.earlier)
    if _COUNT.fullmatch(question):
        return Reply(f"You said {counted(len(dialogue.earlier), 'thing')} before this.")
    if about := _ABOUT.fullmatch(question):
        return _about(about["subject"], dialogue.earlier)
    if _FIRST.fullmatch(question):
        return _reported(dialogue.earlier[:1], "The first thing you said was")
    if _EARLIER.fullmatch(question) and dialogue.earlier:
        return _step_back(dialogue.earlier)
    if _EARLIER.fullmatch(question) or _BEFORE.fullmatch(question):
        return _reported([text for text in dialogue.earlier if not _recalls(text)][-1:] or dialogue.earlier[-1:])
    if _REPEAT.fullmatch(question):
        return _repetition(dialogue.replies)
    return None


def _recalls(text: str) -> bool:
    """Whether *text* is itself a question about what was said."""
    question = without_courtesies(without_symbols(tokens_of_speech(text)))
    return bool(_BEFORE.fullmatch(question) or _EARLIER.fullmatch(question))


def _step_back(earlier: Sequence[str]) -> Reply:
    """The message before the one that was reported last."""
    spoken = list(earlier)
    steps = 0
    while spoken and _recalls(spoken[-1]):
        spoken.pop()
        steps += 1
    if steps >= len(spoken):
        return Reply("Before that you had said nothing in our conversation.")
    return _reported(spoken[-1 - steps :][:1])


def _reported(found: Sequence[str], lead: str = "Before that you said") -> Reply:
    return Reply(f"{lead}: {sentence(found[0])}") if found else Reply(NOTHING_SAID)


def _repetition(replies: Sequence[str]) -> Reply:
    if not replies:
        return Reply("I have said nothing yet.")
    return Reply(f"{_LEAD}{sentence(replies[-1].removeprefix(_LEAD))}")


def _about(subject: str, earlier: Sequence[str]) -> Reply:
    wanted = set(re.sub(r"\b(?:the|my|a|an|your|our)\b", "", subject).split())
    for text in reversed(earlier):
        words = set(tokens_of_speech(text))
        if wanted and wanted <= words and not _ABOUT.fullmatch(without_symbols(tokens_of_speech(text))):
            return Reply(f"You said: {sentence(text)}")
    return Reply(f"You have said nothing about {subject} that I can still see.")


def _summary(earlier: Sequence[str]) -> Reply:
    texts = [text for text in earlier if text.strip()]
    if not texts:
        return Reply(NOTHING_SAID)
    parts = [_shortened(text) for text in texts[-SUMMARY_MESSAGES:]]
    lead = "you said" if len(texts) <= SUMMARY_MESSAGES else f"you said {len(texts)} things, and at last"
    return Reply(f"So far {lead}: {listed([f'“{part}”' for part in parts])}.")


def _shortened(text: str) -> str:
    words = text.split()
    if len(words) > SUMMARY_WORDS:
        return f"{' '.join(words[:SUMMARY_WORDS])} …"
    return " ".join(words).rstrip(".!")
