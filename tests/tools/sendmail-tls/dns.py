# SPDX-License-Identifier: MIT
"""A name server that knows a few names, and lies where it is told to."""

import socket
import struct
import threading

A, SRV = 1, 33
OK, SERVFAIL, NXDOMAIN = 0, 2, 3


def name_to_wire(name):
    labels = [label for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in labels) + b"\0"


def srv(priority, weight, port, target):
    """The data of an SRV record (RFC 2782)."""
    return struct.pack(">HHH", priority, weight, port) + name_to_wire(target)


class Server(threading.Thread):
    """
    Zones are {(name, type): [data, ...]}. A name that is not there does not
    exist; `None` in the place of a list is SERVFAIL.
    """

    def __init__(self, zone, port=53):
        super().__init__(daemon=True)
        self.zone = zone
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.start()

    def run(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            self.socket.sendto(self.answer(query), peer)

    def answer(self, query):
        name, end = self.question(query)
        kind = struct.unpack(">H", query[end:end + 2])[0]
        self.asked.append((name, kind))
        found = self.zone.get((name, kind), [])
        exists = any(name == known or known.endswith("." + name)
                     for known, _ in self.zone)
        code = (SERVFAIL if found is None else
                OK if exists else NXDOMAIN)
        records = b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
            for data in found or [])
        head = query[:2] + struct.pack(
            ">HHHHH", 0x8180 | code, 1, len(found or []), 0, 0)
        return head + query[12:end + 4] + records

    @staticmethod
    def question(query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        return ".".join(labels), at + 1
