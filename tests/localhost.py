# SPDX-License-Identifier: MIT
"""The name under which the tests reach this machine.

A bare container may have no /etc/hosts, and then no localhost. The address
takes its place there: the certificates of the tests are for both.
"""

import socket


def host_name():
    try:
        socket.getaddrinfo("localhost", None)
        return "localhost"
    except socket.gaierror:
        return "127.0.0.1"


HOST = host_name()
