"""Control channel of the running supervisor, for a second start, the installer and scripts: JSON messages."""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from typing import Any, Protocol

from tray.single.instance import ADDRESS_FAMILY, address, read_key

ANSWER_S = 5.0
_NONCE = 32
_LARGEST = 100_000
Verbs = Mapping[str, Callable[[], object]]


class Channel(Protocol):
    """What `Connection` and Windows' `PipeConnection` have in common."""

    def poll(self, timeout: float, /) -> bool: ...

    def send_bytes(self, buf: bytes, /) -> None: ...

    def recv_bytes(self, maxlength: int, /) -> bytes: ...

    def close(self) -> None: ...


log = logging.getLogger(__name__)


class NotRunning(Exception):
    """No supervisor listens; the text says what was found instead."""


def ask(verb: str, timeout_s: float = ANSWER_S) -> dict[str, Any]:
    """Raises NotRunning."""
    try:
        key = read_key()
        with Client(address(), ADDRESS_FAMILY) as connection:
            _prove(connection, key, timeout_s)
            connection.send_bytes(json.dumps({"verb": verb}).encode())
            answer = json.loads(_received(connection, timeout_s))
    except FileNotFoundError:
        raise NotRunning("The supervisor does not run.") from None
    except PermissionError as error:
        raise NotRunning(f"The supervisor is another user's: {error}.") from None
    except (OSError, EOFError, ValueError, AuthenticationError) as error:
        raise NotRunning(f"The supervisor does not answer: {error or type(error).__name__}.") from None
    return answer if isinstance(answer, dict) else {}


class ControlServer:
    """Serves in a thread of its own and answers each caller in another, so that a silent caller holds up nobody."""

    def __init__(self, verbs: Verbs) -> None:
        """Raises OSError when the address is taken."""
        self._verbs, self._key = verbs, read_key()
        self._listener = Listener(address(), ADDRESS_FAMILY)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        with contextlib.suppress(OSError):  # wakes the thread that waits for a caller
            Client(address(), ADDRESS_FAMILY).close()
        self._thread.join(ANSWER_S)
        self._listener.close()

    def _serve(self) -> None:
        while not self._closing:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError):  # a caller that hung up at once
                continue
            if self._closing:
                connection.close()
            else:
                threading.Thread(target=self._answer, args=(connection,), name="caller", daemon=True).start()

    def _answer(self, connection: Channel) -> None:
        with contextlib.closing(connection):
            try:
                _check(connection, self._key)
                verb = str(json.loads(_received(connection, ANSWER_S))["verb"])
                do = self._verbs.get(verb)
                answer = (do() or {"done": True}) if do else {"error": f"unknown: {verb}"}
                connection.send_bytes(json.dumps(answer, default=str).encode())
            except (OSError, EOFError, ValueError, KeyError, TypeError, AuthenticationError) as error:
                log.warning("refused a caller", extra={"reason": str(error) or type(error).__name__})


def _prove(connection: Channel, key: bytes, timeout_s: float) -> None:
    """Both sides show that they can read the key, and neither sends it."""
    theirs = _received(connection, timeout_s)
    ours = secrets.token_bytes(_NONCE)
    connection.send_bytes(_mark(key, b"caller", theirs) + ours)
    if not hmac.compare_digest(_received(connection, timeout_s), _mark(key, b"supervisor", ours)):
        raise AuthenticationError("what answers is not the supervisor")


def _check(connection: Channel, key: bytes) -> None:
    ours = secrets.token_bytes(_NONCE)
    connection.send_bytes(ours)
    answer = _received(connection, ANSWER_S)
    mark, theirs = answer[:-_NONCE], answer[-_NONCE:]
    if not hmac.compare_digest(mark, _mark(key, b"caller", ours)):
        raise AuthenticationError("the caller does not know the key")
    connection.send_bytes(_mark(key, b"supervisor", theirs))


def _mark(key: bytes, who: bytes, nonce: bytes) -> bytes:
    return hmac.digest(key, who + nonce, "sha256")


def _received(connection: Channel, timeout_s: float) -> bytes:
    if not connection.poll(timeout_s):
        raise TimeoutError("no answer in time")
    return connection.recv_bytes(_LARGEST)
