"""Reads the input of a turn: JSON, multipart or the recording itself, each in the forms that phones send."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from voice_core.audio.base64_audio import decode_base64_audio
from voice_core.audio.container_decoder import Room
from voice_core.audio.limits import Limits
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.sniff import FRAMES_BYTES, sniff
from voice_core.domain.errors import InvalidInput
from voice_core.domain.speech import Hints
from voice_core.functions.http.admission import Admission
from voice_core.functions.http.body import OTHER_MEMBERS_BYTES, listed, query_options, read_json
from voice_core.functions.http.form import LONGEST_BOUNDARY, UTF_8, Form, read_form
from voice_core.functions.http.idempotency import IdempotencyKey
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.media_type import media_type
from voice_core.functions.http.problems import WrongContentType
from voice_core.functions.http.request import HttpRequest
from voice_core.functions.http.request_model import parsed
from voice_core.functions.turn.schemas import AudioInput
from voice_core.usecases.idempotency.fingerprint import IdempotentRequest

if TYPE_CHECKING:
    from voice_core.audio.upload_decoder import Decoding

Options = TypeVar("Options", bound=AudioInput)

RAW_FORMATS = {"pcm16", "pcm", "raw", "lpcm", "s16le", "l16"}
RAW_MEDIA_TYPES = {b"audio/pcm": "s16le", b"audio/l16": "s16be"}
"""Encoding of headerless PCM by content type; that of L16 is from RFC 2586."""


class Reader(Protocol):
    """The part of the application that reading needs: audio limits and decoders."""

    @property
    def limits(self) -> Limits: ...

    def decoding(self, raw: RawPcm | None, user_id: str, room: Room) -> "Decoding": ...


@dataclass(frozen=True, slots=True)
class TurnInput(Generic[Options]):
    """The options of a request, and its recording if there is one."""

    options: Options
    decoding: "Decoding | None" = None
    upload: AsyncIterable[bytes] | None = None
    idempotent_request: IdempotentRequest | None = None
    """Set when the request has an idempotency key."""

    @property
    def hints(self) -> Hints:
        options = self.options
        languages = (options.language,) if options.language else tuple(options.languages)
        return Hints(languages, tuple(options.phrases))

    @property
    def format(self) -> str | None:
        """The detected format of the recording, once it is read."""
        return self.decoding.format if self.decoding else None

    def with_key(self, key: IdempotencyKey, limits: Limits) -> "TurnInput[Options]":
        """The same input as an idempotent request under *key*; a retry may send it in another form."""
        layout = str(self.decoding.raw) if self.decoding else ""
        idempotent_request = key.request_for("turn", self.options, self.upload, limits, layout=layout)
        return replace(
            self,
            upload=None if self.upload is None else idempotent_request.fingerprint,
            idempotent_request=idempotent_request,
        )

    def utterance(self) -> AsyncGenerator[bytes] | None:
        """Mono 16-bit PCM at 16 kHz, as it arrives; None without a recording."""
        if self.decoding is None or self.upload is None:
            return None
        return self.decoding.pcm(self.upload)


async def read_turn_input(
    request: HttpRequest, model: type[Options], app: Reader, admission: Admission
) -> TurnInput[Options]:
    """Read as much of *request* as is needed to know its options and the format of its recording.

    A recording that is declared as JSON is recognised by its first bytes, with which no JSON begins. *admission*
    counts the request before a large body is read.

    Raises:
        InvalidInput: the body is none of the accepted forms, or a member is invalid.
        TooLarge: the declared length is over the limit.
        LimitReached: the user's limit is used up.
    """
    named = query_options(request)
    if request.content_type == "application/json" or request.content_type.endswith("+json"):
        return await _from_json(request, model, app, named, admission)
    if request.content_type == "multipart/form-data":
        return await _from_form(request, model, app, named, admission)
    options = parsed(model, named)
    app.limits.check_bytes(request.content_length)
    raw = _raw(options, request.headers.get("content-type"))
    return TurnInput(options, app.decoding(raw, user_id(request), admission.room), request.chunks())


def _body_limit(app: Reader) -> int:
    return app.limits.max_bytes * 4 // 3 + OTHER_MEMBERS_BYTES


async def _from_json(
    request: HttpRequest, model: type[Options], app: Reader, named: dict[str, Any], admission: Admission
) -> TurnInput[Options]:
    body = await admission.read(_body_limit(app))
    if sniff(body[:FRAMES_BYTES]):
        return TurnInput(parsed(model, named), _decoding(app, None, request), _single_chunk(body, request))
    document = await read_json(body)
    # Each of these is as large as the recording, so none is kept longer than needed.
    del body
    options = parsed(model, named | document)
    document.clear()
    return await _from_members(options, app, request)


async def _from_members(options: Options, app: Reader, request: HttpRequest) -> TurnInput[Options]:
    """A request whose recording, if any, came as text."""
    if options.audio_data is None:
        request.release_body()
        return TurnInput(options)
    recording = await asyncio.to_thread(decode_base64_audio, options.audio_data)
    decoding = _decoding(app, _raw(options) or recording.raw, request)
    without_text = options.model_copy(update={"audio_data": None})
    return TurnInput(without_text, decoding, _single_chunk(recording.data, request))


async def _from_form(
    request: HttpRequest, model: type[Options], app: Reader, named: dict[str, Any], admission: Admission
) -> TurnInput[Options]:
    form = await _form(request, _body_limit(app), admission)
    options = parsed(model, named | listed(form.fields))
    if form.file is None:
        return await _from_members(options, app, request)
    decoding = _decoding(app, _raw(options, form.file.content_type), request)
    return TurnInput(options, decoding, _single_chunk(form.file.data, request))


async def _form(request: HttpRequest, limit: int, admission: Admission) -> Form:
    """A multipart body of at most *limit* bytes.

    Raises:
        WrongContentType: the text has a declared charset other than UTF-8.
        InvalidInput: ``multipart-invalid``.
    """
    _, parameters = media_type(request.headers.get("content-type"))
    if parameters.get(b"charset", b"").lower() not in UTF_8:
        raise WrongContentType("The text of a form must be UTF-8.")
    boundary = parameters.get(b"boundary", b"")
    if not 0 < len(boundary) <= LONGEST_BOUNDARY:
        detail = f"The Content-Type of a form must name its boundary, of at most {LONGEST_BOUNDARY} characters."
        raise InvalidInput(detail, code="multipart-invalid")
    body = await admission.read(limit)
    if len(body) > OTHER_MEMBERS_BYTES:
        return await asyncio.to_thread(read_form, body, boundary, OTHER_MEMBERS_BYTES)
    return read_form(body, boundary, OTHER_MEMBERS_BYTES)


def _decoding(app: Reader, raw: RawPcm | None, request: HttpRequest) -> "Decoding":
    """The decoder of a recording in the body of *request*, which was read. Its room is freed once it is decoded."""

    async def room() -> Callable[[], None]:
        return request.take_release()

    return app.decoding(raw, user_id(request), room)


async def _single_chunk(data: bytes, request: HttpRequest) -> AsyncGenerator[bytes]:
    """*data* as it was in *request*, whose body is not needed when the receiver asks for more."""
    given = [data]
    # While the receiver uses it, this generator must not keep it alive.
    del data
    try:
        yield given.pop()
    finally:
        request.release_body()


def _raw(options: AudioInput, content_type: str | None = None) -> RawPcm | None:
    """The layout of a headerless recording that is declared as PCM; None for all others.

    It is declared by ``format``, or else by the *content_type* of the request or of the file in its form. A rate or
    number of channels that the content type lacks is taken from the options.

    Raises:
        InvalidInput: the rate or channels of the content type are not whole numbers.
    """
    if (options.format or "").lower().replace("-", "").replace("_", "") in RAW_FORMATS:
        return RawPcm(options.sample_rate, options.channels)
    media, named = media_type(content_type)
    if media not in RAW_MEDIA_TYPES:
        return None
    try:
        rate, channels = int(named.get(b"rate", options.sample_rate)), int(named.get(b"channels", options.channels))
    except ValueError as error:
        raise InvalidInput("The rate and channels of a content type must be whole numbers.") from error
    return RawPcm(rate, channels, RAW_MEDIA_TYPES[media])
