"""The journal of a turn in progress: what it has paid for, by which another worker continues it."""

from dataclasses import dataclass

from voice_core.domain.speech import Transcript


@dataclass(frozen=True, slots=True)
class Round:
    """One complete response of the model."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The request of a turn that has an idempotency key, and the results that are final. Sound is never part of it."""

    conversation_id: str
    begins: bool
    """Whether the conversation begins with the turn."""
    spoken: bool
    text: str = ""
    """The user's words, if they were typed."""
    language: str = ""
    """The language that the request names, as a BCP 47 tag."""
    voice: str | None = None
    aloud: bool = True
    fingerprint: str = ""
    """That of the complete request; empty until its recording has arrived."""
    transcript: Transcript | None = None
    """The final transcript, without the times of its words."""
    rounds: tuple[Round, ...] = ()

    @property
    def reply(self) -> str | None:
        """The complete reply; None until there is one."""
        return self.rounds[-1].text if self.rounds else None

    @property
    def can_continue(self) -> bool:
        """Whether the turn can go on without its recording."""
        return not self.spoken or self.transcript is not None
