"""The rate limits and the daily quota of users, by the settings."""

import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

from voice_core.domain.events import Event
from voice_core.domain.limits import DAY_SECONDS, DailyQuota, Kind, LocalKind, Rate
from voice_core.ports.limits import UsageStore
from voice_core.settings import Settings
from voice_core.usecases.limits.audio_meter import AudioMeter
from voice_core.usecases.limits.body_shares import BodyShares
from voice_core.usecases.limits.local_usage import LocalUsage
from voice_core.usecases.limits.rate_limiter import LimitRules, RateLimiter, rate_limited_turn
from voice_core.usecases.limits.request_counter import RequestCounter
from voice_core.usecases.limits.stream_slots import StreamSlots
from voice_core.usecases.turn.request import TakeTurn, TurnRequest

MOST_STREAMS = 4
"""Streams of each kind that one user may have open at a worker."""


class UserLimits:
    """The limits of *settings* in one worker process; *store* counts. *clock* returns seconds since 1970."""

    def __init__(self, settings: Settings, store: UsageStore, clock: Callable[[], float] = time.time) -> None:
        rules, local = _rules(settings), LocalUsage()
        self.rate_limiter = RateLimiter(store, rules, clock, local)
        self.audio_meter = AudioMeter(store, rules, clock, local)
        self.request_counter = RequestCounter(_local_rates(settings))
        self.body_shares = BodyShares(settings.body_stall_seconds)
        self.event_streams = StreamSlots("event-streams", MOST_STREAMS)
        self.speech_streams = StreamSlots("speech-streams", MOST_STREAMS)

    def metered(self, request: TurnRequest) -> TurnRequest:
        """*request*, whose sound is added to its user's usage while it arrives."""
        if request.utterance is None:
            return request
        return replace(request, utterance=self.audio_meter.metered(request.user_id, request.utterance))

    def rate_limited_turn(self, request: TurnRequest, take_turn: TakeTurn) -> AsyncGenerator[Event]:
        """The events of the turn; TurnFailed with LimitReached when a limit is reached."""
        return rate_limited_turn(request, take_turn, self.rate_limiter)

    async def close(self) -> None:
        """Wait until all usage is stored."""
        await self.audio_meter.close()


def _local_rates(settings: Settings) -> dict[LocalKind, Rate]:
    return {
        "reads": Rate("reads", settings.reads_per_minute, 60),
        "changes": Rate("changes", settings.changes_per_minute, 60),
    }


def _rules(settings: Settings) -> LimitRules:
    rates: dict[Kind, Rate] = {
        "turns": Rate("turns", settings.turns_per_minute, 60),
        "transcripts": Rate("transcripts", settings.transcripts_per_minute, 60),
        "speeches": Rate("speeches", settings.speeches_per_minute, 60),
        "sessions": Rate("sessions", settings.sessions_per_hour, 3600),
        "clips": Rate("clips", settings.clips_per_day, DAY_SECONDS),
    }
    return LimitRules(
        rates=rates, quota=DailyQuota(settings.audio_seconds_per_day), when_down=settings.limits_when_down
    )
