"""The journal of a turn as a part of its request's document."""

from voice_core.adapters.cosmos.documents import Document
from voice_core.domain.journal import Journal, Round
from voice_core.domain.speech import Transcript


def journal_document(journal: Journal) -> Document:
    transcript = journal.transcript
    return {
        "conversationId": journal.conversation_id,
        "begins": journal.begins,
        "spoken": journal.spoken,
        "text": journal.text,
        "language": journal.language,
        "voice": journal.voice,
        "aloud": journal.aloud,
        "fingerprint": journal.fingerprint,
        "transcript": _transcript_document(transcript) if transcript else None,
        "rounds": [{"text": round_.text} for round_ in journal.rounds],
    }


def journal_from(document: Document) -> Journal:
    """The journal that was stored with `journal_document`; raises KeyError, TypeError for any other document."""
    return Journal(
        conversation_id=document["conversationId"],
        begins=document["begins"],
        spoken=document["spoken"],
        text=document["text"],
        language=document["language"],
        voice=document["voice"],
        aloud=document["aloud"],
        fingerprint=document["fingerprint"],
        transcript=_transcript_from(document["transcript"]) if document["transcript"] else None,
        rounds=tuple(Round(each["text"]) for each in document["rounds"]),
    )


def _transcript_document(transcript: Transcript) -> Document:
    return {
        "text": transcript.text,
        "language": transcript.language,
        "confidence": transcript.confidence,
        "durationMs": transcript.duration_ms,
    }


def _transcript_from(document: Document) -> Transcript:
    return Transcript(document["text"], document["language"], document["confidence"], document["durationMs"])
