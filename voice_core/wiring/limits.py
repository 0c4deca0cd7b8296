"""The rate limits and the daily quota of users, by the settings."""

import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

from voice_core.domain.events import Event
from voice_core.domain.limits import DAY_SECONDS, DailyQuota, Rate
from voice_core.ports.limits import UsageStore
from voice_core.settings import Settings
from voice_core.usecases.limits.audio_meter import AudioMeter
from voice_core.usecases.limits.body_shares import BodyShares
from voice_core.usecases.limits.rate_limiter import LimitRules, RateLimiter, rate_limited_turn
from voice_core.usecases.turn.request import TakeTurn, TurnRequest


class UserLimits:
    """The limits of *settings* in one worker process; *store* counts. *clock* returns seconds since 1970."""

    def __init__(self, settings: Settings, store: UsageStore, clock: Callable[[], float] = time.time) -> None:
        self.rate_limiter = RateLimiter(store, _rules(settings), clock)
        self.audio_meter = AudioMeter(store, clock)
        self.body_shares = BodyShares(settings.body_stall_seconds)

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


def _rules(settings: Settings) -> LimitRules:
    rates = (
        Rate("turns", settings.turns_per_minute, 60),
        Rate("transcripts", settings.transcripts_per_minute, 60),
        Rate("speeches", settings.speeches_per_minute, 60),
        Rate("sessions", settings.sessions_per_hour, 3600),
        Rate("clips", settings.clips_per_day, DAY_SECONDS),
    )
    return LimitRules(
        rates={rate.kind: rate for rate in rates},
        quota=DailyQuota(settings.audio_seconds_per_day),
        when_down=settings.limits_when_down,
    )
