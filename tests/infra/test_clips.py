"""What long recordings need of the host, of storage and of browsers."""

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
    """A setting's number in each environment."""
    return [int(environment["settings"][name]) for environment in infra.environments.values()]


@holds_until(Break(PROD, "CLIP_ATTEMPTS: '5'", "CLIP_ATTEMPTS: '6'"))
def test_host_and_code_try_equally_often(infra: Infra) -> None:
    """The attempt that the code takes for the last, and writes down, is the last that the host makes."""
    (default,) = (field.default for field in fields(Settings) if field.name == "clip_attempts")
    threshold = host()["extensions"]["blobs"]["poisonBlobThreshold"]
    assert {threshold} == {default, *given(infra, "CLIP_ATTEMPTS")}


@holds_until(Break(PROD, "MAX_CLIP_SECONDS: '14400'", "MAX_CLIP_SECONDS: '14401'"))
def test_the_host_lets_the_longest_clip_be_heard(infra: Infra) -> None:
    """A worker may be at a clip for as long as it sounds."""
    hours, minutes, seconds = map(int, host()["functionTimeout"].split(":"))
    allowed = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    assert all(timedelta(seconds=longest) <= allowed for longest in given(infra, "MAX_CLIP_SECONDS"))


@holds_until(Break(BETA, "CLIP_UPLOAD_SECONDS: '900'", "CLIP_UPLOAD_SECONDS: '86400'"))
def test_an_upload_can_be_signed_for(infra: Infra) -> None:
    """No URL is to be good for longer than the key that it is signed with."""
    assert all(seconds <= timedelta(hours=KEY_HOURS).total_seconds() for seconds in given(infra, "CLIP_UPLOAD_SECONDS"))


@holds_until(Break(STORAGE, "clipsContainer = 'clips'", "clipsContainer = 'recordings'"))
def test_the_trigger_is_told_of_clips(infra: Infra) -> None:
    """One function waits for blobs, in the clips' container, by Event Grid: Flex has no other way."""
    (trigger,) = (each.trigger for each in functions() if each.trigger["type"] == "blobTrigger")
    assert trigger["path"].partition("/")[0] == infra.template(STORAGE).variables["clipsContainer"]
    assert trigger["source"] == "EventGrid"


@holds_until(Break(DEV, "SPEECH_HOURS: '24'", "SPEECH_HOURS: '240'"))
def test_speech_is_there_while_its_url_is_good(infra: Infra) -> None:
    """Storage does not delete speech that can still be asked for."""
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
    """Browsers put blobs for the named pages, with the headers that a signed URL comes with; without a page, none."""
    rules = infra.only("Microsoft.Storage/storageAccounts/blobServices").properties["cors"]["corsRules"]
    assert isinstance(rules, Choice)
    (rule,) = rules.otherwise
    assert (rules.condition, rules.then) == ("empty(pageOrigins)", [])
    assert rule["allowedOrigins"] == infra.template(MAIN).modules["storage"][1]["pageOrigins"]
    assert rule["allowedOrigins"] == Expression("pageOrigins")
    assert (rule["allowedMethods"], rule["allowedHeaders"]) == (["PUT"], ["*"])
    for environment in infra.environments.values():
        assert all(origin.startswith("https://") for origin in environment["pageOrigins"])
