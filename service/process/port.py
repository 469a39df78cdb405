"""Takes the TCP port exclusively, and names the program that holds it when it is taken."""

from __future__ import annotations

import socket
import sys

import psutil


class PortTaken(Exception):
    """Another program listens on our port; the text names it and says what to do."""


def listen(host: str, port: int, setting: str = "BACKEND_PORT") -> socket.socket:
    """A bound socket that nobody can share: Windows would let a second program bind the same port. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named as TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms for a delayed ACK
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform == "win32":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise PortTaken(
            f"Cannot listen on {host}:{port} ({error.strerror or error}): {port_owner(port)} "
            f"End it, or set {setting} to another port."
        ) from None
    listening.set_inheritable(True)
    return listening


def port_owner(port: int) -> str:
    """A sentence that names the program listening on a TCP port."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid}) uses port {port}."
    except psutil.Error:
        pass
    return f"another program may use port {port}."
