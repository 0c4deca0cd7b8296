"""Limits on the RTP and RTCP packets that reach aiortc."""

from typing import Any

from aiortc import RTCDtlsTransport
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

MAX_SOURCES = 31
"""Most synchronisation sources (SSRC) of one connection: as many as a receiver report has blocks (RFC 3550, 6.4.2).
aiortc keeps each for ever, and fails at a report of more."""


class RtpLimit:
    """Passes on only packets from the first `MAX_SOURCES` sources, and no requests to send something again.

    Such requests are not negotiated for Opus, but aiortc would fulfil them: one packet can name thousands.
    """

    def __init__(self, transport: RTCDtlsTransport) -> None:
        router = transport._rtp_router
        self._router = router
        self._route_rtp, self._route_rtcp = router.route_rtp, router.route_rtcp
        vars(router).update(route_rtp=self._rtp, route_rtcp=self._rtcp)

    def stop(self) -> None:
        for name in ("route_rtp", "route_rtcp"):
            vars(self._router).pop(name, None)

    def _rtp(self, packet: RtpPacket) -> Any:
        known = self._router.ssrc_table
        return self._route_rtp(packet) if packet.ssrc in known or len(known) < MAX_SOURCES else None

    def _rtcp(self, packet: Any) -> Any:
        return set() if isinstance(packet, (RtcpRtpfbPacket, RtcpPsfbPacket)) else self._route_rtcp(packet)
