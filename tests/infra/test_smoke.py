"""smoke.sh fails a deployment that does not respond, responds wrongly, or blocks requests of clients."""

import json
import re
import subprocess
from base64 import b64decode

import pytest

from tests.conftest import ROOT
from tests.infra.azure import Azure, FirewallRule

JSON, FORM = "application/json", "multipart/form-data"
RULES: dict[str, FirewallRule] = {
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
"""Requests that rules of the firewall block, by the rule's id, and requests with texts that it must not inspect."""


def smoke(cloud: Azure) -> subprocess.CompletedProcess[str]:
    cloud.environ |= cloud.outputs
    return cloud.run("smoke.sh")


def test_each_kind_of_request_is_sent(cloud: Azure) -> None:
    """For every disabled rule of the firewall, a request is sent that the rule would have blocked."""
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


def test_the_sent_requests_are_valid_but_for_the_token(cloud: Azure) -> None:
    """Recordings are the sample's bytes, JSON can be parsed, and no request has a token: the app itself returns 401."""
    smoke(cloud)
    sample = (ROOT / "samples/hello.wav").read_bytes()
    sent = cloud.received
    assert all("authorization" not in request.headers for request in sent)
    assert all(request.body == sample for request in sent if request.content_type.startswith("audio/"))
    documents = [json.loads(request.body) for request in sent if request.content_type == JSON]
    assert [sorted(document) for document in documents] == [["audioData", "format"], ["phrases", "text"]]
    assert b64decode(documents[0]["audioData"]) == 3 * sample


@pytest.mark.parametrize("rule", RULES)
def test_a_blocked_request_is_a_failure(cloud: Azure, rule: str) -> None:
    """A firewall that blocks requests of clients is a failure, and the last line names the status."""
    cloud.firewall_rules.append(RULES[rule])
    done = smoke(cloud)
    assert done.returncode != 0
    assert "answers 429." in done.stdout.splitlines()[-1]


def test_direct_access_to_the_app_is_a_failure(cloud: Azure) -> None:
    """An app that responds without Front Door is a failure."""
    cloud.origin["/api/voice/health"] = 200
    assert smoke(cloud).returncode != 0


@pytest.mark.parametrize("path", ["/api/voice/health?deep=1", "/api/voice/conversations"])
def test_a_new_deployment_gets_forty_attempts(cloud: Azure, path: str) -> None:
    """Front Door and the app are called up to forty times each, and nothing else is sent until they respond."""
    cloud.front_door[path] = 404
    cloud.environ["ATTEMPTS"] = ""
    done = smoke(cloud)
    assert done.returncode != 0
    assert done.stdout.count(f"{path} answers 404.") == 40
    assert done.stderr.splitlines()[-1] == "Given up after 40 attempts; the last failure is above."
    assert cloud.received == []


def test_a_block_is_reported_soon(cloud: Azure) -> None:
    """Once the app has responded, a blocked request is sent three times, not forty, and no other after it."""
    cloud.firewall_rules.append(RULES["911100"])
    cloud.environ["ATTEMPTS"] = ""
    done = smoke(cloud)
    assert [request.method for request in cloud.received if request.method != "POST"] == ["PATCH"] * 3
    assert done.stderr.splitlines()[-1] == "Given up after 3 attempts; the last failure is above."


def test_direct_access_is_reported_soon(cloud: Azure) -> None:
    """An app that responds without Front Door is called three times, not forty."""
    cloud.origin["/api/voice/health"] = 200
    cloud.environ["ATTEMPTS"] = ""
    assert smoke(cloud).stdout.count("/api/voice/health answers 200.") == 3


def test_a_request_that_fails_once_is_no_failure(cloud: Azure) -> None:
    """A request that is blocked once and passes when it is sent again is a success."""
    cloud.firewall_rules.append(lambda request: request.method == "DELETE" and len(deleted(cloud)) == 1)
    assert smoke(cloud).returncode == 0
    assert len(deleted(cloud)) == 2


def deleted(cloud: Azure) -> list[str]:
    """The paths of the DELETE requests, in order."""
    return [request.path for request in cloud.received if request.method == "DELETE"]
