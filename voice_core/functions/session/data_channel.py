"""The messages of a session's data channel: one JSON object per message."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from voice_core.domain import session
from voice_core.domain.errors import InvalidInput
from voice_core.domain.events import Event
from voice_core.functions.http.body import typed
from voice_core.functions.http.fields import Language, Phrase
from voice_core.functions.http.json_response import compact
from voice_core.functions.http.request_model import RequestModel, parsed
from voice_core.functions.http.response_model import ResponseModel
from voice_core.functions.turn.events import document, error_document

LONGEST = 64_000
"""Most characters of a message: as much as a browser sends in one piece."""


class ControlMessage(RequestModel):
    type: str


class CommitAudio(RequestModel):
    """`input_audio_buffer.commit`: the button went up."""

    trailing_ms: int = Field(
        0, ge=0, le=300, description="Milliseconds of the utterance that may still be in the client's microphone."
    )


class TypedText(RequestModel):
    """`input_text`: a typed turn."""

    text: str


class SessionUpdate(RequestModel):
    """`session.update`: options for the recognition and speech of later turns."""

    voice: str | None = Field(None, max_length=100, description="A name from /voices.")
    language: Language | None = None
    phrases: Annotated[list[Phrase] | None, Field(max_length=500)] = None
    hands_free: bool | None = None

    @property
    def update(self) -> session.Update:
        phrases = None if self.phrases is None else tuple(self.phrases)
        return session.Update(voice=self.voice, language=self.language, phrases=phrases, hands_free=self.hands_free)


class StateEvent(ResponseModel):
    type: Literal["session.state"]
    state: Literal["connected", "listening", "thinking", "speaking"]


class ClosedEvent(ResponseModel):
    type: Literal["session.closed"]
    reason: str


class SessionMessageCodec:
    """Decodes control messages, whose text may have *longest* characters, and encodes events."""

    def __init__(self, longest: int) -> None:
        self._longest = longest

    def read(self, text: str) -> session.Control:
        """The control message in *text*.

        Raises:
            InvalidInput: ``json-invalid``, ``control-unknown`` or ``request-invalid``.
        """
        message = _object(text)
        match parsed(ControlMessage, message).type:
            case "input_audio_buffer.clear":
                return session.Press()
            case "input_audio_buffer.commit":
                return session.Release(parsed(CommitAudio, message).trailing_ms)
            case "response.cancel":
                return session.Cancel()
            case "input_text":
                return session.TextInput(typed(parsed(TypedText, message).text, self._longest))
            case "session.update":
                return parsed(SessionUpdate, message).update
            case unknown:
                raise InvalidInput(f"Unknown type of control message: {unknown[:100]!r}.", code="control-unknown")

    def write(self, event: Event | session.SessionEvent) -> str:
        return compact(self._document(event)).decode()

    def _document(self, event: Event | session.SessionEvent) -> dict[str, Any]:
        match event:
            case session.StateChanged(state):
                return {"type": event.type, "state": str(state)}
            case session.SessionClosed(reason):
                return {"type": event.type, "reason": str(reason)}
            case session.ControlRefused(error):
                return error_document(error)
            case _:
                return document(event, "opus")


def _object(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise InvalidInput(f"A message may have at most {LONGEST} characters.", code="json-invalid")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The message is not valid JSON.", code="json-invalid") from error
    if not isinstance(message, dict):
        raise InvalidInput("A message must be a JSON object.", code="json-invalid")
    return message
