"""Hands requests on to a real model, so that a laptop with one can use it."""

from collections.abc import AsyncIterator

from aiohttp import ClientConnectionError, ClientPayloadError, ClientResponse, ClientSession, ClientTimeout, web

from emulators.openai.requests import error_document

UPSTREAM = web.AppKey("upstream", str)
SESSION = web.AppKey("session", ClientSession)

PASSED_ON = ("Authorization", "api-key", "Content-Type", "Accept")
PASSED_BACK = ("Content-Type", "Retry-After", "x-request-id")


async def upstream_session(app: web.Application) -> AsyncIterator[None]:
    """Keep connections to the upstream open for the life of *app*."""
    # A reply may take as long as its model likes; the caller has deadlines of its own.
    async with ClientSession(timeout=ClientTimeout(total=None, connect=10.0)) as session:
        app[SESSION] = session
        yield


async def pass_on(request: web.Request, endpoint: str, body: bytes) -> web.StreamResponse:
    """Ask the upstream's *endpoint* and pass its answer back while it comes."""
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    url = f"{request.app[UPSTREAM].rstrip('/')}/{endpoint}"
    try:
        async with request.app[SESSION].request(request.method, url, headers=headers, data=body or None) as answer:
            return await _relay(request, answer)
    except ClientConnectionError:
        document = error_document("The upstream could not be reached.", "server_error")
        return web.json_response(document, status=502)


async def _relay(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    kept = {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}
    response = web.StreamResponse(status=answer.status, headers=kept)
    await response.prepare(request)
    try:
        async for piece in answer.content.iter_any():
            await response.write(piece)
    except ClientPayloadError:
        # Half a reply must not look like a whole one.
        if request.transport is not None:
            request.transport.close()
    return response
