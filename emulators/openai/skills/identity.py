"""The assistant itself: what it is and what it can do."""

from emulators.openai.dialogue import Dialogue, Reply
from emulators.openai.skills.topics import Topic, first_reply

_YOU = r"(?:you|this|it|the assistant)"
_KIND = (
    r"(?:robot|ai|human|person|machine|bot|model|language model|assistant|chatgpt|gpt|openai|computer|alive|smart"
    r"|artificial intelligence|real|offline assistant|offline|intelligent|program)"
)

_TOPICS = (
    Topic(
        (
            r"(?:i need |need |some |get )*help(?: me)?(?: out)?",
            rf"what (?:else |all )?(?:can|could|do) {_YOU} (?:do|help(?: me)? with|know|answer|understand|offer)"
            r"(?: for me| without a model| offline)?",
            r"what (?:else )?(?:can|could|should|may|do) i (?:ask|say|do|try|talk about)(?: you| to you| here"
            r"| about)*",
            r"what (?:are|is) (?:your|the) (?:skills?|abilities|commands|features)",
            r"how can you help(?: me)?|what you can do|what i can ask(?: you)?|what are you (?:able to do|good at)",
        ),
        "I am the offline assistant: I can say the time and the date, calculate, convert units, spell, roll dice, and"
        " recall what was said.",
        "Ask how to interrupt me, change my voice, or use a real model.",
        introduces=True,
    ),
    Topic(
        (
            r"(?:who|what) (?:exactly )?are you(?: exactly)?|what is this|introduce yourself|(?:something "
            r"|more )*about yourself",
            r"who (?:am i (?:talking|speaking) (?:to|with)|is (?:this|there|speaking)|made you|built you"
            r"|created you)",
            r"what (?:kind|sort) of (?:assistant|thing|program) are you|what is (?:an|the) offline assistant",
            rf"are you (?:a |an |the |real |actual |large )*{_KIND}",
            r"(?:what|which) (?:language |ai )?model (?:are you|do you use|is this|is it)|do you (?:use"
            r"|have) a model",
        ),
        "I am the offline assistant, a program with a few skills that replies while no model is connected.",
        "Ask what I can do.",
        introduces=True,
    ),
    Topic(
        (
            r"(?:what is|what was|do you have|say|what) (?:your|a) name(?: is)?(?: again)?",
            r"(?:how|what) (?:are you called|do i call you|should i call you|can i call you)",
        ),
        "I have no name: I am the offline assistant, which replies while no model is connected.",
        introduces=True,
    ),
    Topic(
        (
            r"(?:do|can) you (?:also )?(?:speak|understand|talk|know) (?:german|french|spanish|italian|dutch"
            r"|polish|chinese)",
            r"(?:do|can) you (?:also )?(?:speak|understand|talk|know) (?:japanese|portuguese"
            r"|(?:any )?other languages?)",
            r"(?:what|which|how many) languages (?:do|can) you (?:speak|understand|know)",
        ),
        "I return greetings in German, French and Spanish, and otherwise reply in English.",
    ),
    Topic(
        (
            r"(?:can|do) you hear me|hear me|are you (?:there|listening|on|awake)|does (?:this|it) work"
            r"|is (?:this|it) (?:on|working)",
            r"is (?:anyone|anybody|somebody) (?:there|listening)",
            r"(?:this is )?(?:just |only )?(?:a )?test(?:ing)?(?: (?:one two three|1 2 3|one two|1 2|1 2 1 2))?",
        ),
        "Yes, your words arrive here.",
        "Ask me for the time, a sum, or for help.",
    ),
)


def reply(dialogue: Dialogue) -> Reply | None:
    """A description of the assistant, or of its skills."""
    return first_reply(_TOPICS, dialogue)
