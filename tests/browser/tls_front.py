"""TLS in front of a port, as a cluster's ingress has it."""

import asyncio
import contextlib
import ssl
import threading


class TlsFront:
    """Takes TLS at `port` of this machine, and carries what is inside to `inner`, until stop()."""

    def __init__(self, port, inner, key, cert):
        self.inner, self.loop = inner, asyncio.new_event_loop()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server = self.loop.run_until_complete(asyncio.start_server(self._take, "127.0.0.1", port, ssl=context))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def stop(self):
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def _end(self):
        self.server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, reader, writer):
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.inner)
            await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))


async def carry(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
