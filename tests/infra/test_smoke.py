"""smoke.sh lets no deployment pass that does not answer, answers wrongly, or stops what clients send."""

import json
import re
import subprocess
from base64 import b64decode

import pytest

from tests.conftest import ROOT
from tests.infra.azure import Azure, Stops

JSON, FORM = "application/json", "multipart/form-data"
RULES: dict[str, Stops] = {
    "911100": lambda request: request.method in ("PATCH", "DELETE"),
    "920420": lambda request: request.content_type.startswith(("audio/", "application/sdp")),
    "920470": lambda request: re.search(r";\s*(?!boundary|charset)", request.content_type) is not None,
    "920340": lambda request: bool(request.body) and not request.content_type,
    "200002": lambda request: request.content_type == JSON and len(request.body) > 131_072,
    "200003": lambda request: request.content_type.startswith(FORM) and len(request.body) > 131_072,
    "921110": lambda request: re.search(rb"get \w+[\r\n]", request.body.lower()) is not None,
    "words": lambda request: b"1 = 1 -- '" in request.body,
    "words in a URL": lambda request: "1%20%3D%201" in request.path,
    "a key": lambda request: request.headers.get("idempotency-key") == "1=1--'",
}
"""What rules of the firewall stop, by their ids, and texts that it must not look at."""


def smoke(cloud: Azure) -> subprocess.CompletedProcess[str]:
    cloud.environ |= cloud.outputs
    return cloud.run("smoke.sh")


def test_each_kind_of_request_is_sent(cloud: Azure) -> None:
    """For every rule of the firewall that is off, a request is sent that the rule would have stopped."""
    assert smoke(cloud).returncode == 0
    unproved = [rule for rule, stops in RULES.items() if not any(stops(request) for request in cloud.received)]
    assert unproved == []
    sent = {(request.method, request.path.partition("?")[0].rpartition("/voice")[2]) for request in cloud.received}
    assert sent == {
        ("POST", "/process"),
        ("POST", "/session"),
        ("PATCH", "/session/x"),
        ("DELETE", "/session/x"),
    }


def test_what_is_sent_is_a_request(cloud: Azure) -> None:
    """Recordings are the sample's bytes, JSON can be read, and no request has a token: the app itself answers 401."""
    smoke(cloud)
    sample = (ROOT / "samples/hello.wav").read_bytes()
    sent = cloud.received
    assert all("authorization" not in request.headers for request in sent)
    assert all(request.body == sample for request in sent if request.content_type.startswith("audio/"))
    documents = [json.loads(request.body) for request in sent if request.content_type == JSON]
    assert [sorted(document) for document in documents] == [["audioData", "format"], ["phrases", "text"]]
    assert b64decode(documents[0]["audioData"]) == 3 * sample


@pytest.mark.parametrize("rule", RULES)
def test_a_request_that_the_firewall_stops_is_a_failure(cloud: Azure, rule: str) -> None:
    """A firewall that stops what clients send is no success, and the request that it stopped is named."""
    cloud.stopped.append(RULES[rule])
    done = smoke(cloud)
    assert done.returncode != 0
    assert "answers 429." in done.stdout.splitlines()[-1]


def test_a_back_door_is_a_failure(cloud: Azure) -> None:
    """An app that answers without Front Door is no success."""
    cloud.origin["/api/voice/health"] = 200
    assert smoke(cloud).returncode != 0


@pytest.mark.parametrize("path", ["/api/voice/health?deep=1", "/api/voice/conversations"])
def test_what_was_just_deployed_gets_time(cloud: Azure, path: str) -> None:
    """Until Front Door and the app answer, each is asked forty times, and nothing is sent meanwhile."""
    cloud.front_door[path] = 404
    cloud.environ["ATTEMPTS"] = ""
    done = smoke(cloud)
    assert done.returncode != 0
    assert done.stdout.count(f"{path} answers 404.") == 40
    assert done.stderr.splitlines()[-1] == "Given up after 40 attempts; the last failure is above."
    assert cloud.received == []


def test_a_block_is_reported_soon(cloud: Azure) -> None:
    """Once the app answered, a request that is stopped is sent three times, not forty, and none after it."""
    cloud.stopped.append(RULES["911100"])
    cloud.environ["ATTEMPTS"] = ""
    done = smoke(cloud)
    assert [request.method for request in cloud.received if request.method != "POST"] == ["PATCH"] * 3
    assert done.stderr.splitlines()[-1] == "Given up after 3 attempts; the last failure is above."


def test_a_back_door_is_reported_soon(cloud: Azure) -> None:
    """The same holds for an app that answers without Front Door."""
    cloud.origin["/api/voice/health"] = 200
    cloud.environ["ATTEMPTS"] = ""
    assert smoke(cloud).stdout.count("/api/voice/health answers 200.") == 3


def test_a_request_that_is_lost_once_is_no_failure(cloud: Azure) -> None:
    """What is stopped for a moment, and passes when it is sent again, is let through."""
    cloud.stopped.append(lambda request: request.method == "DELETE" and len(deleted(cloud)) == 1)
    assert smoke(cloud).returncode == 0
    assert len(deleted(cloud)) == 2


def deleted(cloud: Azure) -> list[str]:
    """The paths of what was asked to be deleted, in order."""
    return [request.path for request in cloud.received if request.method == "DELETE"]
