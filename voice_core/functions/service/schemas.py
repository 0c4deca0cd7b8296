"""Schemas of voices and health."""

from typing import Literal

from pydantic import Field

from voice_core.functions.http.fields import Language
from voice_core.functions.http.request_model import RequestModel
from voice_core.functions.http.response_model import ResponseModel


class VoicesQuery(RequestModel):
    language: Language | None = Field(None, description="Only voices of this language, as `en` or `en-GB`.")


class HealthQuery(RequestModel):
    deep: bool = Field(default=False, description="Check every dependency.")
    warm: bool = Field(default=False, description="Load and connect what the first turn needs.")


class VoiceAnswer(ResponseModel):
    name: str
    language: str
    gender: str
    display_name: str


class VoicesAnswer(ResponseModel):
    voices: list[VoiceAnswer]
    default: str


class CheckAnswer(ResponseModel):
    ok: bool
    ms: int
    detail: str | None = None
    breaker: Literal["closed", "open", "half-open"] | None = Field(
        None, description="This worker's circuit breaker for the dependency; while it is open, calls are suspended."
    )


class HealthAnswer(ResponseModel):
    status: Literal["ok", "degraded"]
    checks: dict[str, CheckAnswer] | None = None
