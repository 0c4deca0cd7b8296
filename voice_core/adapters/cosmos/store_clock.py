"""The time as Cosmos DB has it, so that a worker whose own clock is wrong counts and deletes at the right time."""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.rest import AsyncHttpResponse, HttpRequest

SENT = "store-clock-sent"
"""Key in a request's context: when it was sent, in seconds since 1970 by the worker's clock."""

DATE_SECONDS = 1.0
"""Resolution of the header ``Date`` (RFC 9110, 5.6.7), which is rounded down."""


class StoreClock:
    """Seconds since 1970: the worker's *wall* clock, corrected by the ``Date`` of the responses
    (https://learn.microsoft.com/rest/api/cosmos-db/common-cosmosdb-rest-response-headers).

    A response shows the difference only to within a second and the time that it took. A clock that may be right
    according to that is not corrected; otherwise the smallest possible correction is made.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.ahead_seconds = 0.0
        """How far the wall clock is ahead of the service's, as far as is known; negative if it is behind."""

    def __call__(self) -> float:
        return self._wall() - self.ahead_seconds

    def begin(self, request: PipelineRequest[HttpRequest]) -> None:
        """Note that *request* is being sent; for the client's ``raw_request_hook``."""
        request.context[SENT] = self._wall()

    def observe(self, response: PipelineResponse[HttpRequest, AsyncHttpResponse]) -> None:
        """Note the time in *response*; for the client's ``raw_response_hook``."""
        try:
            date = parsedate_to_datetime(response.http_response.headers["Date"]).timestamp()
        except (KeyError, ValueError):
            return
        least, most = response.context[SENT] - date - DATE_SECONDS, self._wall() - date
        self.ahead_seconds = max(least, min(most, 0.0))
