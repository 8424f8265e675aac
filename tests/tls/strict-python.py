# SPDX-License-Identifier: MIT
"""Ask Python about each case of the strict profile.

Usage: strict-python.py PROGRAM, which writes the cases. The contexts are those
that ssl.create_default_context() makes since 3.13. Whatever Python refuses is
refused here, and what is refused here alone is marked in the table of cases.
"""

import ssl
import subprocess
import sys
import tempfile
from pathlib import Path


def server_context(folder, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def client_context(folder, name):
    context = ssl.create_default_context(cafile=folder / f"{name}.ca")
    context.verify_flags |= (ssl.VERIFY_X509_STRICT |
                             ssl.VERIFY_X509_PARTIAL_CHAIN)
    return context


def shake_hands(client_side, server_side, host):
    """None, or why the client refused."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(20):
        try:
            client.do_handshake()
            return None
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except ssl.SSLError as error:
            return f"{error.reason}"
        try:
            server.do_handshake()
        except ssl.SSLWantReadError:
            pass
    raise RuntimeError("the handshake does not end")


def ask(folder, name, host):
    """None, or why the chain is refused: by a server already, where OpenSSL
    takes the certificate for invalid in itself."""
    try:
        server = server_context(folder, name)
    except ssl.SSLError as error:
        if error.reason != "INVALID_CERTIFICATE":
            raise
        return "invalid certificate"
    return shake_hands(client_context(folder, name), server, host)


def judge(folder, line):
    """What is not as the table says; or None."""
    name, host, is_good, is_extra = line.split()
    refusal = ask(folder, name, host)
    if "-v" in sys.argv:
        print(name, is_good, is_extra, refusal)
    if is_good == "1" and refusal is not None:
        return f"{name} is accepted here, and Python says: {refusal}"
    if is_good == "0" and is_extra == "0" and refusal is None:
        return f"{name} is refused here, Python accepts it, and no row says so"
    if is_good == "0" and is_extra == "1" and refusal is not None:
        return f"{name} should be refused here alone; Python: {refusal}"
    return None


def main():
    if not hasattr(ssl, "VERIFY_X509_PARTIAL_CHAIN"):
        print("skipped: this Python knows no VERIFY_X509_PARTIAL_CHAIN")
        return 77
    with tempfile.TemporaryDirectory() as path:
        lines = subprocess.run([sys.argv[1], path], check=True,
                               stdout=subprocess.PIPE,
                               text=True).stdout.splitlines()
        wrong = [text for text in (judge(Path(path), line) for line in lines)
                 if text is not None]
    for text in wrong:
        print("NOT OK:", text)
    if len(lines) < 100:
        print("NOT OK: only", len(lines), "cases were written")
        return 1
    print(f"{len(lines)} cases asked, {len(wrong)} judged in another way; "
          f"{ssl.OPENSSL_VERSION}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
