"""Requirements of clips (long recordings) on the host, on storage and on browsers."""

import json
from dataclasses import fields
from datetime import timedelta
from typing import Any

from tests.conftest import ROOT
from tests.infra.app import functions
from tests.infra.bicep import Choice, Expression
from tests.infra.templates import Break, Infra, holds_until
from voice_core.adapters.blob_storage.account import KEY_HOURS
from voice_core.settings import Settings

MAIN, STORAGE, DEV, BETA = "main.bicep", "modules/storage.bicep", "main.dev.bicepparam", "main.beta.bicepparam"
PROD = "main.prod.bicepparam"


def host() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / "host.json").read_text())
    return read


def given(infra: Infra, name: str) -> list[int]:
    """A numeric setting in each environment."""
    return [int(environment["settings"][name]) for environment in infra.environments.values()]


@holds_until(Break(PROD, "CLIP_ATTEMPTS: '5'", "CLIP_ATTEMPTS: '6'"))
def test_host_and_code_agree_on_attempts(infra: Infra) -> None:
    """The attempt that the code records as the last one is the last that the host makes."""
    (default,) = (field.default for field in fields(Settings) if field.name == "clip_attempts")
    threshold = host()["extensions"]["blobs"]["poisonBlobThreshold"]
    assert {threshold} == {default, *given(infra, "CLIP_ATTEMPTS")}


@holds_until(Break(PROD, "MAX_CLIP_SECONDS: '14400'", "MAX_CLIP_SECONDS: '14401'"))
def test_the_host_allows_time_for_the_longest_clip(infra: Infra) -> None:
    """A function may run for as long as the longest clip plays."""
    hours, minutes, seconds = map(int, host()["functionTimeout"].split(":"))
    allowed = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    assert all(timedelta(seconds=longest) <= allowed for longest in given(infra, "MAX_CLIP_SECONDS"))


@holds_until(Break(BETA, "CLIP_UPLOAD_SECONDS: '900'", "CLIP_UPLOAD_SECONDS: '86400'"))
def test_the_signing_key_outlives_an_upload_url(infra: Infra) -> None:
    """No upload URL is valid for longer than the key that signs it."""
    assert all(seconds <= timedelta(hours=KEY_HOURS).total_seconds() for seconds in given(infra, "CLIP_UPLOAD_SECONDS"))


@holds_until(Break(STORAGE, "clipsContainer = 'clips'", "clipsContainer = 'recordings'"))
def test_the_trigger_watches_the_clips_container(infra: Infra) -> None:
    """One function has a blob trigger, on the container of clips, by Event Grid: Flex Consumption supports no other."""
    (trigger,) = (each.trigger for each in functions() if each.trigger["type"] == "blobTrigger")
    assert trigger["path"].partition("/")[0] == infra.template(STORAGE).variables["clipsContainer"]
    assert trigger["source"] == "EventGrid"


@holds_until(Break(DEV, "SPEECH_HOURS: '24'", "SPEECH_HOURS: '240'"))
def test_speech_exists_while_its_url_is_valid(infra: Infra) -> None:
    """Storage does not delete speech that can still be requested."""
    for environment in infra.environments.values():
        assert int(environment["settings"]["SPEECH_HOURS"]) <= 24 * environment["retention"]["artefactDays"]


@holds_until(
    Break(STORAGE, "allowedMethods: ['PUT']", "allowedMethods: ['PUT', 'GET']"),
    Break(STORAGE, "allowedHeaders: ['*']", "allowedHeaders: ['content-type']"),
    Break(STORAGE, "allowedOrigins: pageOrigins", "allowedOrigins: ['*']"),
    Break(STORAGE, "empty(pageOrigins) ? [] :", "empty(pageOrigins) ? ['*'] :"),
    Break(MAIN, "pageOrigins: pageOrigins", "pageOrigins: []"),
    Break(PROD, "pageOrigins = []", "pageOrigins = ['*']"),
)
def test_pages_may_upload_and_nothing_else(infra: Infra) -> None:
    """Only the named origins may PUT blobs, with any header that a signed URL requires; without origins, none may."""
    rules = infra.only("Microsoft.Storage/storageAccounts/blobServices").properties["cors"]["corsRules"]
    assert isinstance(rules, Choice)
    (rule,) = rules.otherwise
    assert (rules.condition, rules.then) == ("empty(pageOrigins)", [])
    assert rule["allowedOrigins"] == infra.template(MAIN).modules["storage"][1]["pageOrigins"]
    assert rule["allowedOrigins"] == Expression("pageOrigins")
    assert (rule["allowedMethods"], rule["allowedHeaders"]) == (["PUT"], ["*"])
    for environment in infra.environments.values():
        assert all(origin.startswith("https://") for origin in environment["pageOrigins"])
