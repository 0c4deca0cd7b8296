"""How the product is used: talking, interrupting, voices, recordings, conversations, and a real model."""

from emulators.openai.dialogue import Dialogue, Reply
from emulators.openai.skills.topics import Topic, first_reply

_HOW = (
    r"(?:how (?:do|can|could|would|should|to|may) (?:i|we|you|one)|how to|can i|can we|i want to|i would like to"
    r"|is it possible to)"
)
_NEW = r"(?: (?:the|your|a|an|another|different|other|new|its|my))*"
_MODEL = (
    r"(?: (?:a|an|the|my|real|better|proper|own|large|local|language|smarter|openai|azure|external|other|another"
    r"|ai))*"
    r"(?: (?:model|llm|ai|openai|azure|ollama|gpt|chatgpt|llama|assistant|server|service|chatbot))"
)

_TOPICS = (
    Topic(
        (
            rf"{_HOW} (?:interrupt|stop|pause|silence|cancel|cut off)(?: (?:you|it|this|the assistant|the speech"
            rf"|the reply))?"
            r"(?: (?:talking|speaking|while you (?:are )?(?:talk|speak|talking|speaking)))?",
            r"stop(?: (?:it|that|talking|speaking|now))?|be quiet|shut up|silence|quiet|enough|cancel(?: that)?",
            r"how does (?:interrupting|interruption|interrupting you) work|what if i (?:want to )?interrupt(?: you)?",
        ),
        "Press the button while I speak to interrupt me, or press Escape on the page to stop me.",
    ),
    Topic(
        (
            rf"{_HOW} (?:change|choose|select|pick|set|switch|get|have|use)(?: to| between)?{_NEW} (?:voice"
            rf"|language|accent)s?",
            rf"(?:can you )?(?:change|switch)(?: to)?{_NEW} (?:voice|language|accent)",
            r"(?:can you )?(?:speak|talk) (?:with|in) (?:a |another |different |other )*(?:voice|language)",
            r"(?:what|which|how many) voices (?:are there|do you have|can i (?:choose|use)|are available"
            r"|can you use)",
            rf"(?:where|how) (?:is|are){_NEW} voices? (?:changed|chosen|set)",
        ),
        "Choose the language and the voice in the page's menu, or name a voice in the request.",
    ),
    Topic(
        (
            rf"{_HOW} (?:use|connect|set up|add|get|install|switch to|talk to|run|plug in|attach|configure)"
            rf"(?: you| this| it)?(?: to| with)?{_MODEL}(?: (?:instead|here|with this|for (?:this|you)))?",
            r"how (?:do|can) i (?:get (?:better|real|smarter) (?:answers|replies)|make you (?:smarter|better)"
            r"|improve you)",
            rf"(?:what|how) about{_MODEL}|what is openai upstream|openai upstream|connect you to{_MODEL}",
        ),
        "Set OPENAI_UPSTREAM to the base URL of an OpenAI-compatible server and start again.",
        "The README has an example, and OPENAI_MODEL and OPENAI_KEY name the model and its key.",
    ),
    Topic(
        (
            rf"{_HOW} (?:upload|send|transcribe)(?: (?:a|an|my|you|the|long))* (?:recording|file|audio file|clip"
            rf"|audio|video)s?",
        ),
        "Choose a recording with the page's upload button, or drop the file on the page.",
    ),
    Topic(
        (
            rf"{_HOW} (?:start|begin|open|delete|remove|find|forget|see|clear)(?: (?:a|an|the|my|this|old|new"
            rf"|earlier|our))*"
            r" (?:conversation|chat|history)s?",
            r"(?:start|begin|open) a new (?:conversation|chat)|new conversation|delete (?:this|our|the) conversation",
        ),
        "The page begins a new conversation with its button at the top, and its menu lists and deletes earlier ones.",
    ),
    Topic(
        (
            rf"{_HOW} (?:use|talk to|speak to|speak with|talk with|work|operate|start|begin|talk|speak)(?: with)?"
            r"(?: (?:this|you|it|the page|the button|the assistant))?",
            r"how does (?:this|it|that|the page|the button|push to talk) work|how (?:this|it) works"
            r"|what is push to talk",
            r"what (?:do|should) i do(?: now)?",
        ),
        "Hold the button or the space bar while you talk, and release it when you are done.",
        "You can also type.",
    ),
    Topic(
        (
            r"(?:where (?:is|are|can i (?:read|find)|do i find)|is there|read)(?: (?:the|a|any|more))*"
            r" (?:documentation|docs|manual|readme|instructions)",
        ),
        "The README comes first, and the folder docs has the rest: begin with docs/api.md.",
    ),
)


def reply(dialogue: Dialogue) -> Reply | None:
    """How to do something with the product."""
    return first_reply(_TOPICS, dialogue)
