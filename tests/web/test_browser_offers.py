"""Offers that a real browser writes when its sections are in another order than the page's."""

import json
from collections.abc import Sequence

import pytest

from tests.conftest import Product
from tests.web.conftest import Open

CONNECT = """
(async (kinds, codec, bundlePolicy) => {
    const connection = new RTCPeerConnection({bundlePolicy});
    const microphone = await navigator.mediaDevices.getUserMedia({audio: true});
    let channel;
    for (const kind of kinds) {
        if (kind === "data") channel = connection.createDataChannel("events");
        if (kind === "audio") connection.addTransceiver(microphone.getTracks()[0]);
        if (kind === "video") {
            const video = connection.addTransceiver("video");
            const known = RTCRtpReceiver.getCapabilities("video").codecs;
            video.setCodecPreferences(known.filter(each => each.mimeType === "video/" + codec));
        }
    }
    const opened = new Promise(resolve => channel.onopen = resolve);
    await connection.setLocalDescription();
    await new Promise(resolve => {
        connection.onicegatheringstatechange = () => connection.iceGatheringState === "complete" && resolve();
    });
    const headers = {"Content-Type": "application/sdp"};
    const body = connection.localDescription.sdp;
    const response = await fetch("/api/voice/session", {method: "POST", headers, body});
    const sdp = await response.text();
    if (!response.ok) return sdp;
    await connection.setRemoteDescription({type: "answer", sdp});
    await opened;
    microphone.getTracks()[0].stop();
    connection.close();
    return "opened";
})(KINDS)
"""


@pytest.mark.parametrize("policy", ["balanced", "max-bundle"])
@pytest.mark.parametrize("codec", ["VP8", "VP9"])
async def test_chromium_connects_with_video_first(product: Product, open_page: Open, codec: str, policy: str) -> None:
    """Its data channel opens, although the first section is video, which is not served."""
    page = await open_page()
    order: Sequence[str] = ["video", "audio", "data"]
    script = CONNECT.replace("KINDS", ", ".join(map(json.dumps, (order, codec, policy))))
    assert await page.evaluate(script) == "opened"
