#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Certificates as people make them, with openssl and certtool, are accepted."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from sendmail import HOST, PROTOCOL, Server, run

NAME = f"DNS:{HOST}"

# What `openssl req -x509` leaves out of a CA, and X509_STRICT wants.
KEY_USAGE = "-addext keyUsage=critical,keyCertSign,cRLSign"

CERTTOOL_CA = """cn = "Some CA"
ca
cert_signing_key
expiration_days = 30
"""
CERTTOOL_SERVER = f"""cn = "{HOST}"
dns_name = "{HOST}"
tls_www_server
signing_key
encryption_key
expiration_days = 30
"""
# What Debian's make-ssl-cert(8) writes.
SNAKEOIL = f"""[req]
distinguished_name = name
prompt = no
x509_extensions = extensions
[name]
commonName = {HOST}
[extensions]
basicConstraints = CA:FALSE
subjectAltName = {NAME}
"""
# What easy-rsa(1) writes into the certificates of servers.
EASY = f"""basicConstraints = CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid,issuer:always
extendedKeyUsage = serverAuth
keyUsage = digitalSignature,keyEncipherment
subjectAltName = {NAME}
"""


class Recipe(unittest.TestCase):
    """Each makes ca.pem, cert.pem and key.pem in a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def make(self, line):
        program, *args = line.split()
        if not shutil.which(program):
            self.skipTest(f"{program} is not installed")
        made = subprocess.run([program, *args], cwd=self.folder,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(made.returncode, 0, made.stdout)

    def write(self, name, content):
        (self.folder / name).write_text(content, encoding="ascii")

    def probe(self):
        with Server(self.folder) as server:
            return run("--probe", "--url", server.url, "--cafile",
                       self.folder / "ca.pem", stdin=subprocess.DEVNULL)

    def assert_accepted(self):
        result = self.probe()
        self.assertEqual((result.status, result.err), (0, ""), result)

    def openssl_ca(self, more):
        self.make("openssl req -x509 -newkey rsa:2048 -nodes -days 30 "
                  f"-keyout ca.key -out ca.pem -subj /CN=CA {more}")

    def openssl_server(self, more):
        self.make("openssl req -newkey rsa:2048 -nodes -keyout key.pem "
                  f"-out cert.csr -subj /CN={HOST} "
                  f"-addext subjectAltName={NAME}")
        self.make("openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key "
                  f"-CAcreateserial -days 30 -out cert.pem {more}")


class OpenSSL(Recipe):
    def test_one_that_signed_itself_is_trusted_for_itself(self):
        self.make("openssl req -x509 -newkey rsa:2048 -nodes -days 30 "
                  f"-keyout key.pem -out cert.pem -subj /CN={HOST} "
                  f"-addext subjectAltName={NAME}")
        shutil.copy(self.folder / "cert.pem", self.folder / "ca.pem")
        self.assert_accepted()

    def test_a_snakeoil_certificate_is_trusted_for_itself(self):
        self.write("snakeoil.cnf", SNAKEOIL)
        self.make("openssl req -config snakeoil.cnf -new -x509 -newkey "
                  "rsa:2048 -nodes -days 30 -keyout key.pem -out cert.pem")
        shutil.copy(self.folder / "cert.pem", self.folder / "ca.pem")
        self.assert_accepted()

    def test_a_ca_with_a_key_usage(self):
        self.openssl_ca(KEY_USAGE)
        self.openssl_server("-copy_extensions copy")
        self.assert_accepted()

    def test_a_ca_in_the_way_of_easy_rsa(self):
        self.openssl_ca(KEY_USAGE)
        self.write("server.ext", EASY)
        self.openssl_server("-extfile server.ext")
        self.assert_accepted()

    def test_a_ca_without_a_key_usage_is_named(self):
        """Python refuses it as well: "does not include key usage"."""
        self.openssl_ca("")
        self.openssl_server("-copy_extensions copy")
        result = self.probe()
        self.assertEqual(result.status, PROTOCOL, result)
        self.assertIn('CA certificate "CN=CA" is of a CA and has no key usage',
                      result.out.decode() + result.err)


class Certtool(Recipe):
    KINDS = ("--key-type=rsa --bits=2048", "--key-type=ecdsa --curve=secp256r1",
             "--key-type=ed25519")

    def make_server_key(self, kind):
        self.write("ca.t", CERTTOOL_CA)
        self.write("server.t", CERTTOOL_SERVER)
        self.make(f"certtool -p {kind} --outfile=key.pem")

    def test_one_that_signed_itself_is_trusted_for_itself(self):
        for kind in self.KINDS:
            with self.subTest(kind=kind):
                self.make_server_key(kind)
                self.make("certtool -s --load-privkey=key.pem "
                          "--template=server.t --outfile=cert.pem")
                shutil.copy(self.folder / "cert.pem", self.folder / "ca.pem")
                self.assert_accepted()

    def test_a_ca(self):
        for kind in self.KINDS:
            with self.subTest(kind=kind):
                self.make_server_key(kind)
                self.make(f"certtool -p {kind} --outfile=ca.key")
                self.make("certtool -s --load-privkey=ca.key "
                          "--template=ca.t --outfile=ca.pem")
                self.make("certtool -c --load-privkey=key.pem "
                          "--load-ca-certificate=ca.pem "
                          "--load-ca-privkey=ca.key --template=server.t "
                          "--outfile=cert.pem")
                self.assert_accepted()


if __name__ == "__main__":
    unittest.main(verbosity=2)
