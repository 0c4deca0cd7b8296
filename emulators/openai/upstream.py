"""Forwards requests to a real model, for machines that run one."""

from collections.abc import AsyncIterator

from aiohttp import ClientConnectionError, ClientPayloadError, ClientResponse, ClientSession, ClientTimeout, web

from emulators.openai.requests import error_document

UPSTREAM = web.AppKey("upstream", str)
SESSION = web.AppKey("session", ClientSession)

PASSED_ON = ("Authorization", "api-key", "Content-Type", "Accept")
PASSED_BACK = ("Content-Type", "Retry-After", "x-request-id")


async def upstream_session(app: web.Application) -> AsyncIterator[None]:
    """Keep a client session to the upstream open for the life of *app*."""
    # No total timeout: a model may take long, and the caller has its own deadlines.
    async with ClientSession(timeout=ClientTimeout(total=None, connect=10.0)) as session:
        app[SESSION] = session
        yield


async def pass_on(request: web.Request, endpoint: str, body: bytes) -> web.StreamResponse:
    """Call the upstream's *endpoint* and stream its response back."""
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    url = f"{request.app[UPSTREAM].rstrip('/')}/{endpoint}"
    try:
        async with request.app[SESSION].request(
            request.method, url, headers=headers, data=body or None
        ) as upstream_response:
            return await _relay(request, upstream_response)
    except ClientConnectionError:
        document = error_document("The upstream could not be reached.", "server_error")
        return web.json_response(document, status=502)


async def _relay(request: web.Request, upstream_response: ClientResponse) -> web.StreamResponse:
    headers = {name: upstream_response.headers[name] for name in PASSED_BACK if name in upstream_response.headers}
    response = web.StreamResponse(status=upstream_response.status, headers=headers)
    await response.prepare(request)
    try:
        async for piece in upstream_response.content.iter_any():
            await response.write(piece)
    except ClientPayloadError:
        # An incomplete reply must not look complete.
        if request.transport is not None:
            request.transport.close()
    return response
