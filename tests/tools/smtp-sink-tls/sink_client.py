# SPDX-License-Identifier: MIT
"""A client that believes everything, and notes what it was told.

It shares no code with the sink: sockets and Python's ssl over memory, so that
what comes in clear and what comes inside TLS are told apart.
"""

import select
import socket
import ssl
import struct
import time

# After which a server that says nothing counts as silent.
SILENCE = 0.3
TIMEOUT = 20

CLOSED, RESET = "closed", "reset"


class Client:
    """One connection. `end` says how it ended: CLOSED, RESET or None."""

    def __init__(self, port, context):
        self.context = context
        self.tls = None
        self.end = None
        self.was_reset = False
        try:
            self.socket = socket.create_connection(("127.0.0.1", port),
                                                   TIMEOUT)
        except ConnectionResetError:
            # The server was quicker than connect(2).
            self.socket = socket.socket()
            self.socket.close()
            self.end = RESET
        self.notified = False
        self.clear = b""       # came outside of TLS
        self.segments = []     # what each recv() had, with its time
        self.messages = []     # of the handshake protocol, both ways
        self.failure = None    # of TLS
        self.pending = b""     # inside TLS, not read yet

    # -- octets --------------------------------------------------------

    def receive(self, timeout=SILENCE):
        """One segment, as it came: b"" where none comes."""
        if self.end or self.socket.fileno() < 0:
            return b""
        if not select.select([self.socket], [], [], timeout)[0]:
            return b""
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionError:
            self.end = RESET
            return b""
        if not data:
            self.end = RESET if self.was_reset else CLOSED
        self.segments.append((time.monotonic(), data))
        return data

    def send_raw(self, data):
        if self.socket.fileno() < 0:
            return
        try:
            self.socket.sendall(data)
        except ConnectionResetError:
            # Told once, and what came before that is still to be read.
            self.was_reset = True
        except ConnectionError:
            pass

    def push(self):
        if self.outgoing.pending:
            self.send_raw(self.outgoing.read())

    def send(self, data):
        if self.tls is None:
            self.send_raw(data)
            return
        try:
            self.tls.write(data)
        except ssl.SSLError as error:
            self.failure = self.failure or error
        self.push()

    def read(self, timeout=SILENCE):
        """Some octets of SMTP: b"" at the end and in silence."""
        if self.tls is None:
            data = self.receive(timeout)
            self.clear += data
            return data
        while True:
            try:
                data = self.tls.read(1 << 16)
                self.notified = self.notified or not data
                return data
            except ssl.SSLWantReadError:
                self.push()
            except ssl.SSLZeroReturnError:
                self.notified = True
                return b""
            except ssl.SSLError as error:
                self.failure = self.failure or error
                self.push()
                return b""
            if not self.take(timeout):
                return b""

    def take(self, timeout):
        """Give TLS a segment; what is no TLS is kept apart."""
        data = self.receive(timeout)
        if not data:
            if self.end:
                self.incoming.write_eof()
            return False
        if data[:1].isdigit():
            self.clear += data
        self.incoming.write(data)
        return True

    # -- TLS -----------------------------------------------------------

    def start_tls(self, timeout=SILENCE):
        """Returns whether the handshake was completed."""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(
            self.incoming, self.outgoing, server_hostname="localhost")
        while True:
            try:
                self.tls.do_handshake()
                self.push()
                return True
            except ssl.SSLWantReadError:
                self.push()
            except ssl.SSLError as error:
                self.failure = error
                self.push()
                return False
            if not self.take(timeout):
                return False

    # -- SMTP ----------------------------------------------------------

    def reply(self, timeout=SILENCE, limit=200000):
        """Up to the last line of one reply, and what came along with it."""
        data, self.pending = self.pending, b""
        while len(data) < limit:
            lines = data.split(b"\r\n")
            last = [i for i, line in enumerate(lines[:-1])
                    if line[3:4] in (b" ", b"") and line[:3].isdigit()]
            if last:
                at = len(b"\r\n".join(lines[:last[0] + 1])) + 2
                self.pending = data[at:]
                return data[:at]
            more = self.read(timeout)
            if not more:
                return data
            data += more
        return data

    def rest(self, timeout=SILENCE, limit=20000000):
        """Everything that comes before the end or silence."""
        data, self.pending = self.pending, b""
        while len(data) < limit:
            more = self.read(timeout)
            if not more:
                return data
            data += more
        return data

    def wait_end(self, timeout=SILENCE):
        """Until the connection has ended, or nothing comes."""
        while self.receive(timeout):
            pass

    def say(self, line, timeout=SILENCE):
        self.send(line)
        return self.reply(timeout)

    def abort(self):
        """Close with a reset: nothing of it waits anywhere."""
        if self.socket.fileno() < 0:
            return
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
        self.socket.close()


def note_messages(context, messages):
    """Have the handshake messages that come in noted: their types."""
    def note(_connection, direction, _version, content_type, message_type,
             _data):
        if direction == "read" and int(content_type) == 22:
            messages.append(int(message_type))
    context._msg_callback = note
