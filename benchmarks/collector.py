"""A stand-in for Application Insights' ingestion, in a separate process."""

import asyncio
import json
import signal

from fakes.ingestion import ingesting


async def _serve() -> None:
    async with ingesting() as ingestion:
        print(json.dumps({"APPLICATIONINSIGHTS_CONNECTION_STRING": ingestion.connection_string}), flush=True)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
