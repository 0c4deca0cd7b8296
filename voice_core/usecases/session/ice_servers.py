"""The ICE servers that a session's client is given."""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from time import time

from voice_core.domain.session import IceServer


@dataclass(frozen=True, slots=True, kw_only=True)
class IceServers:
    """Servers that are the same for all sessions, and relays with credentials that are valid for one session.

    The credentials expire after *turn_seconds*.
    """

    fixed: Sequence[IceServer] = ()
    turn_urls: tuple[str, ...] = ()
    turn_secret: str = ""
    turn_seconds: int = 3600

    def mint(self, name: str) -> tuple[IceServer, ...]:
        """The servers for the session *name*, which is no user's: relays write it into their logs.

        The credential follows "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest): the secret's
        HMAC-SHA1 of the user name, which begins with the Unix time at which the credential expires.
        """
        if not self.turn_urls:
            return tuple(self.fixed)
        username = f"{int(time()) + self.turn_seconds}:{name}"
        credential = b64encode(hmac.digest(self.turn_secret.encode(), username.encode(), "sha1")).decode()
        return (*self.fixed, IceServer(self.turn_urls, username, credential))
