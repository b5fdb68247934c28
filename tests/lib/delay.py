"""A TCP relay that delays each direction: a long line on loopback. Usage: delay.py PORT TARGET_PORT MILLISECONDS"""
import asyncio
import collections
import socket
import subprocess
import sys
import time

CHUNK = 1 << 20


async def pump(reader, writer, delay):
    """Bytes leave `delay` after they came, however many are on the way."""
    queue, arrived = collections.deque(), asyncio.Event()

    async def send():
        while True:
            while not queue:
                arrived.clear()
                await arrived.wait()
            due, data = queue.popleft()
            await asyncio.sleep(max(0, due - time.monotonic()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
        try:
            writer.write_eof()
        except OSError:
            pass
    sender = asyncio.ensure_future(send())
    try:
        while True:
            data = await reader.read(CHUNK)
            queue.append((time.monotonic() + delay, data))
            arrived.set()
            if not data:
                break
    except OSError:
        queue.append((time.monotonic() + delay, b""))
        arrived.set()
    try:
        await sender
    except OSError:
        pass


async def serve(port, target, delay):
    async def connected(reader, writer):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", target, limit=CHUNK)
        for w in (writer, up_writer):
            w.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            w.transport.set_write_buffer_limits(1 << 26)
        await asyncio.gather(pump(reader, up_writer, delay), pump(up_reader, writer, delay))
        writer.close()
        up_writer.close()
    server = await asyncio.start_server(connected, "127.0.0.1", port, limit=CHUNK)
    async with server:
        await server.serve_forever()


class Delay:
    """A relay of its own process to a port on loopback: use as a context manager, .port."""

    def __init__(self, target, milliseconds):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen([sys.executable, __file__, str(self.port), str(target), str(milliseconds)])

    def __enter__(self):
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("the relay did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


if __name__ == "__main__":
    try:
        asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000))
    except KeyboardInterrupt:
        pass
