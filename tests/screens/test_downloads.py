"""Files that only the service has, passed on to the browser."""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gui.periods import period
from gui.pictures.downloads import csv_address
from gui.service.client import Client, ServiceGone, Target
from gui.service.history import Choice
from tests.screens.test_periods import NOW


class HangsUp(BaseHTTPRequestHandler):
    """Promises a long file, sends its beginning and goes."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"part_id,ver")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def test_a_file_that_breaks_off_does_not_look_whole() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HangsUp)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    got: list[bytes] = []

    async def read() -> None:
        client = Client(Target(f"http://127.0.0.1:{server.server_port}"))
        try:
            async for piece in client.stream("/inspections", format="csv"):
                got.append(piece)
        finally:
            await client.close()

    try:
        with pytest.raises(ServiceGone):
            asyncio.run(read())
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert b"".join(got) == b"part_id,ver"


def test_the_address_of_a_csv_holds_what_the_filter_says() -> None:
    choice = Choice(period("today", NOW, ()), "disc & hub", verdict="NG")
    address = csv_address(choice)
    assert address.startswith("/download/inspections.csv?since=2026-03-0")
    assert "role_id=disc+%26+hub" in address
    assert "roi_id" not in address
