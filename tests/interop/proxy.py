# SPDX-License-Identifier: MIT
"""A proxy between client and server: it records, and if told so, attacks.

It understands no TLS: what it sees and changes is what anybody in the network
sees and changes.
"""

import socket
import threading

SECONDS = 30


class Proxy:
    """Use it in a `with`; `sent` is what came from the client."""

    def __init__(self, port, strip_starttls=False, inject=b""):
        self.target = ("127.0.0.1", port)
        self.strip_starttls = strip_starttls
        self.inject = inject
        self.sent = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(SECONDS)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        # The client is gone, so its connection ends, and with it the thread.
        self.listener.close()
        self.thread.join(SECONDS)

    def serve(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        with client, socket.create_connection(self.target) as server:
            client.settimeout(SECONDS)
            server.settimeout(SECONDS)
            back = threading.Thread(target=self.copy_back, daemon=True,
                                    args=(server, client))
            back.start()
            self.copy_forth(client, server)
            back.join(SECONDS)

    def copy_forth(self, client, server):
        try:
            while data := client.recv(65536):
                self.sent += data
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def copy_back(self, server, client):
        try:
            while data := server.recv(65536):
                client.sendall(self.change(data))
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def change(self, data):
        if self.strip_starttls and b"250-STARTTLS\r\n" in data:
            return data.replace(b"250-STARTTLS\r\n", b"")
        if self.inject and self.sent.upper().endswith(b"STARTTLS\r\n"):
            # In the same segment as the 220, and only there.
            inject, self.inject = self.inject, b""
            return data + inject
        return data
