"""Decoder processes for tests of audio."""

from collections.abc import AsyncGenerator

import pytest

from voice_core.audio.decoder_process.pool import DecoderPool


@pytest.fixture
async def pool() -> AsyncGenerator[DecoderPool]:
    pool = DecoderPool(lambda _event, _attributes: None)
    yield pool
    await pool.close()
