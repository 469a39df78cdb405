"""A program that can be supervised, for the tests of the supervisor: real HTTP, real pipes, up in 0.1 s.

    small_service.py PORT FOLDER

It answers with FOLDER/health.json when that is there, and notes in FOLDER/starts and FOLDER/stops what happens to it.
FOLDER/crash: says so and ends before it listens. FOLDER/grandchild: starts a process of its own and notes its number.
FOLDER/stubborn: does not end when its input does. FOLDER/silent: never listens.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        health = {"product": "brakedisc-inspector", "status": "ok", "device": "cpu", "pid": os.getpid()}
        if (FOLDER / "health.json").exists():
            health |= json.loads((FOLDER / "health.json").read_text())
        body = json.dumps(health).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True


def note(name: str) -> None:
    with open(FOLDER / name, "a") as file:
        file.write(f"{os.getpid()} {time.monotonic()}\n")


def main() -> None:
    note("starts")
    if (FOLDER / "crash").exists():
        print("about to crash")
        raise SystemExit("no CUDA today")
    if (FOLDER / "grandchild").exists():
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (FOLDER / "grandchild.pid").write_text(str(grandchild.pid))
    if (FOLDER / "silent").exists():
        time.sleep(600)
    server = Server(("127.0.0.1", PORT), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while os.read(0, 1000):
        pass
    if (FOLDER / "stubborn").exists():
        time.sleep(600)
    server.shutdown()
    server.server_close()
    note("stops")


main()
