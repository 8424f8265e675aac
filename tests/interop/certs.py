# SPDX-License-Identifier: MIT
"""Certificates of the interop tests, made anew for each run by certtool."""

import subprocess

CA = """
cn = "{cn}"
ca
cert_signing_key
crl_signing_key
activation_date = "2025-01-01 00:00:00 UTC"
expiration_days = 3650
"""

SERVER = """
cn = "{cn}"
{names}
tls_www_server
signing_key
activation_date = "2025-01-01 00:00:00 UTC"
expiration_date = "{until}"
"""


def certtool(*args):
    subprocess.run(("certtool", *map(str, args)), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def make_key(path):
    certtool("--generate-privkey", "--key-type=ecdsa", "--curve=secp256r1",
             "--outfile", path)


def make_ca(folder, name):
    template = folder / f"{name}.cfg"
    template.write_text(CA.format(cn=name))
    make_key(folder / f"{name}.key")
    certtool("--generate-self-signed", "--template", template,
             "--load-privkey", folder / f"{name}.key",
             "--outfile", folder / f"{name}.pem")
    return folder / f"{name}.pem"


def make_server(folder, name, ca, names, until="2049-12-31 00:00:00 UTC"):
    """A file with key and certificate together, as every server takes it."""
    template = folder / f"{name}.cfg"
    template.write_text(SERVER.format(
        cn=name, names="\n".join(names), until=until))
    key, cert = folder / f"{name}.key", folder / f"{name}.crt"
    make_key(key)
    certtool("--generate-certificate", "--template", template,
             "--load-privkey", key, "--load-ca-certificate", ca,
             "--load-ca-privkey", ca.with_suffix(".key"), "--outfile", cert)
    both = folder / f"{name}.pem"
    both.write_text(key.read_text() + cert.read_text())
    # Exim reads it as its own user, from inside of its private root.
    both.chmod(0o644)
    return both


def make_all(folder):
    """What the tests need; returns the files by name."""
    folder.mkdir(parents=True)
    ca = make_ca(folder, "ca")
    local = ['dns_name = "localhost"', 'ip_address = "127.0.0.1"']
    other = ['dns_name = "other.example.org"', 'dns_name = "*.example.net"']
    return {
        "ca": ca,
        "other-ca": make_ca(folder, "other-ca"),
        "good": make_server(folder, "good", ca, local),
        "wrong-name": make_server(folder, "wrong-name", ca, other),
        "expired": make_server(folder, "expired", ca, local,
                               "2026-02-01 00:00:00 UTC"),
    }
