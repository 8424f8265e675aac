#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sendmail-tls and whom it trusts: certificates, protocols, what weakens."""

import shutil
import ssl
import subprocess
import unittest

import sendmail
from sendmail import (CONFIG, HOST, MAIL, NOPERM, PROTOCOL, Server, run)

ENVELOPE = ("-f", "a@example.org", "b@example.org")


class Trust(sendmail.TestCase):
    def other_ca(self):
        folder = self.folder / "other"
        if not folder.exists():
            folder.mkdir()
            sendmail.Sink(folder).close()
        return folder / "ca.pem"

    def assert_nothing_left(self, result, *words):
        self.assert_status(result, PROTOCOL, *words)
        self.assertEqual(self.sink.take(), [])

    def test_a_name_that_is_not_in_the_certificate(self):
        for url, port in (("smtps://mail.example.org", self.sink.smtps),
                          ("smtp://mail.example.org", self.sink.smtp)):
            result = self.send(*ENVELOPE, "--connect-to",
                               port.partition("//")[2], url=url)
            self.assert_nothing_left(result, "mail.example.org", "localhost")

    def test_an_unknown_ca(self):
        result = run("--url", self.sink.smtps, "--cafile", self.other_ca(),
                     *ENVELOPE)
        self.assert_nothing_left(result, HOST, "TLS")

    def test_the_cas_of_the_system_do_not_know_it(self):
        result = run("--url", self.sink.smtps, *ENVELOPE)
        if "no CA" in result.err or result.status == CONFIG:
            self.skipTest("this system has no CAs")
        self.assert_nothing_left(result)

    def test_several_sources_of_trust(self):
        folder = self.folder / "capath"
        folder.mkdir()
        shutil.copy(self.ca, folder / "ca.pem")
        self.assert_status(
            run("--url", self.sink.smtps, "--cafile", self.other_ca(),
                "--capath", folder, *ENVELOPE), 0)

    def test_nobody_verified(self):
        result = run("--url", self.sink.smtps, "--insecure-no-verify",
                     *ENVELOPE)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(result.lines), 1)
        self.assertIn("warning: --insecure-no-verify", result.err)

    def test_no_tls_at_all(self):
        with Server(self.folder, clear=True) as server:
            result = run("--url", server.clear_url, "--insecure-cleartext",
                         *ENVELOPE)
        self.assertEqual(result.status, 0, result)
        self.assertIn("warning: --insecure-cleartext", result.err)
        self.assertNotIn("STARTTLS", server.commands)
        self.assertEqual(server.content, MAIL.replace(b"\n", b"\r\n"))

    def test_starttls_is_not_offered(self):
        with Server(self.folder, clear=True) as server:
            result = self.send(*ENVELOPE, url=server.clear_url)
        self.assert_status(result, PROTOCOL, "STARTTLS")
        self.assertFalse([c for c in server.commands if "MAIL" in c])

    def test_bytes_behind_the_answer_to_starttls(self):
        with Server(self.folder, clear=True,
                    EHLO="250-localhost\r\n250 STARTTLS\r\n",
                    STARTTLS="220 go\r\n250 injected\r\n") as server:
            result = self.send(*ENVELOPE, url=server.clear_url)
        self.assert_status(result, PROTOCOL)
        self.assertFalse([c for c in server.commands if "MAIL" in c])

    def test_a_reply_that_is_none(self):
        with Server(self.folder, MAIL="hello\r\n") as server:
            result = self.send(*ENVELOPE, url=server.url)
        self.assert_status(result, PROTOCOL)
        self.assertEqual(server.content, b"")


class CerttoolCase(sendmail.TestCase):
    """A CA of its own, in whose name certtool signs whatever is wanted."""

    CA = 'cn = "Test CA"\nca\ncert_signing_key\ncrl_signing_key\n'
    SERVER = ('cn = "localhost"\ndns_name = "localhost"\n'
              'ip_address = "127.0.0.1"\ntls_www_server\n')
    CLIENT = 'cn = "client"\ntls_www_client\n'
    VALID = "expiration_days = 30\n"

    @classmethod
    def setUpClass(cls):
        if not shutil.which("certtool"):
            raise unittest.SkipTest("there is no certtool")
        super().setUpClass()
        cls.made = cls.folder / "made"
        cls.made.mkdir()
        cls.ca_pem = cls.made / "ca.pem"
        cls.ca_key = cls.made / "ca.key"
        cls.make_key(cls.ca_key)
        cls.certtool("--generate-self-signed", "--template",
                     cls.template(cls.CA), "--load-privkey", cls.ca_key,
                     "--outfile", cls.ca_pem)

    @staticmethod
    def certtool(*args):
        subprocess.run(["certtool", *map(str, args)], check=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @classmethod
    def make_key(cls, path):
        cls.certtool("--generate-privkey", "--key-type=ecdsa", "--outfile",
                     path)

    @classmethod
    def template(cls, text):
        path = cls.made / "template"
        path.write_text(text)
        return path

    @classmethod
    def signed(cls):
        return ("--load-ca-certificate", cls.ca_pem, "--load-ca-privkey",
                cls.ca_key)

    @classmethod
    def make(cls, name, template):
        """A folder with a certificate of the CA and its key."""
        folder = cls.made / name
        folder.mkdir()
        cls.make_key(folder / "key.pem")
        cls.certtool("--generate-certificate", "--template",
                     cls.template(template), "--load-privkey",
                     folder / "key.pem", *cls.signed(), "--outfile",
                     folder / "cert.pem")
        return folder


class Certificates(CerttoolCase):
    """Certificates of servers, with faults."""

    def revoke(self, name, *certs):
        path = self.made / f"{name}.crl"
        loads = [arg for cert in certs for arg in ("--load-certificate", cert)]
        self.certtool("--generate-crl", "--template",
                      self.template("crl_next_update = 30\n"),
                      *self.signed(), *loads, "--outfile", path)
        return path

    def send_to(self, folder, *args):
        with Server(folder) as server:
            result = run("--url", server.url, "--cafile", self.ca_pem, *args,
                         *ENVELOPE)
        return server, result

    def test_one_that_is_good(self):
        server, result = self.send_to(
            self.make("good", self.SERVER + self.VALID))
        self.assert_status(result, 0)
        self.assertEqual(server.content, MAIL.replace(b"\n", b"\r\n"))

    def test_one_that_has_expired(self):
        folder = self.make(
            "expired", self.SERVER +
            'activation_date = "2020-01-01 00:00:00 UTC"\n'
            'expiration_date = "2021-02-03 00:00:00 UTC"\n')
        server, result = self.send_to(folder)
        self.assert_status(result, PROTOCOL, "expired", "2021-02-03")
        self.assertEqual(server.commands, [])

    def test_one_that_is_not_valid_yet(self):
        folder = self.make(
            "early", self.SERVER +
            'activation_date = "2090-01-01 00:00:00 UTC"\n'
            'expiration_date = "2091-01-01 00:00:00 UTC"\n')
        server, result = self.send_to(folder)
        self.assert_status(result, PROTOCOL, "2090-01-01")
        self.assertEqual(server.commands, [])

    def test_one_that_is_revoked(self):
        folder = self.make("revocable", self.SERVER + self.VALID)
        nobody = self.revoke("nobody")
        self.assert_status(self.send_to(folder, "--crlfile", nobody)[1], 0)
        somebody = self.revoke("somebody", folder / "cert.pem")
        server, result = self.send_to(folder, "--crlfile", somebody)
        self.assert_status(result, PROTOCOL, "revoked")
        self.assertEqual(server.commands, [])

    def test_a_list_of_a_ca_that_is_not_trusted(self):
        result = run("--url", self.sink.smtps, "--cafile", self.sink.ca,
                     "--crlfile", self.revoke("foreign"), *ENVELOPE)
        self.assert_status(result, CONFIG, "--crlfile")


class ClientCertificates(CerttoolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.make("client", cls.CLIENT + cls.VALID)
        cls.cert, cls.key = folder / "cert.pem", folder / "key.pem"
        cls.sink.close()
        cls.sink = sendmail.Sink(cls.folder, "--client-ca", cls.ca_pem)

    def test_none_is_not_enough(self):
        result = self.send(*ENVELOPE)
        self.assertNotEqual(result.status, 0, result)
        self.assertEqual(len(result.lines), 1, result)
        self.assertEqual(self.sink.take(), [])

    def test_one_is(self):
        both = self.made / "both.pem"
        both.write_bytes(self.key.read_bytes() + self.cert.read_bytes())
        for args in (["--cert", self.cert, "--key", self.key],
                     ["--cert", both]):
            mail = self.sent(*args, *ENVELOPE)
            self.assertEqual(mail.recipients, ["b@example.org"])

    def test_the_probe_tells_that_it_was_sent(self):
        result = run("--probe", "--json", "--url", self.sink.smtps, "--cafile",
                     self.ca, "--cert", self.cert, "--key", self.key)
        self.assert_status(result, 0)
        self.assertIn(b'"client_certificate":true', result.out)

    def external(self, *args, wants=True, **answers):
        ehlo = Server.EHLO.replace("250-8", "250-AUTH EXTERNAL PLAIN\r\n250-8")
        with Server(self.folder, EHLO=ehlo, **answers) as server:
            if wants:
                server.context.load_verify_locations(self.ca_pem)
                server.context.verify_mode = ssl.CERT_OPTIONAL
            result = self.send("--auth", "EXTERNAL", "--cert", self.cert,
                               "--key", self.key, *args, *ENVELOPE,
                               url=server.url)
        return result, [c for c in server.commands if c.startswith("AUTH")]

    def test_external(self):
        result, auth = self.external()
        self.assert_status(result, 0)
        self.assertEqual(auth, ["AUTH EXTERNAL ="])
        result, auth = self.external("--user", "bob")
        self.assert_status(result, 0)
        self.assertEqual(auth, ["AUTH EXTERNAL Ym9i"])

    def test_external_to_a_server_that_asks_for_no_certificate(self):
        result, auth = self.external(wants=False)
        self.assert_status(result, NOPERM, "EXTERNAL")
        self.assertEqual(auth, [])


class Protocols(sendmail.TestCase):
    def server(self, version, **more):
        server = Server(self.folder, **more)
        server.context.minimum_version = ssl.TLSVersion.TLSv1
        server.context.maximum_version = version
        server.context.set_ciphers("ALL:@SECLEVEL=0")
        return server

    def test_versions(self):
        with self.server(ssl.TLSVersion.TLSv1_2) as server:
            self.assert_status(self.send(*ENVELOPE, url=server.url), 0)
        with self.server(ssl.TLSVersion.TLSv1_2) as server:
            result = self.send("--tls-min", "1.3", *ENVELOPE, url=server.url)
        self.assert_status(result, PROTOCOL, "TLS")
        self.assertEqual(server.commands, [])

    def test_an_old_version_needs_to_be_allowed(self):
        version = ssl.TLSVersion.TLSv1_1
        with self.server(version) as server:
            result = self.send(*ENVELOPE, url=server.url)
        self.assert_status(result, PROTOCOL, "TLS")
        self.assertEqual(server.commands, [])
        with self.server(version) as server:
            result = self.send("--insecure-legacy-tls", *ENVELOPE,
                               url=server.url)
        if result.status == CONFIG:
            self.skipTest("this GnuTLS, or its policy, has no TLS 1.1")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(result.lines), 1, result)
        self.assertIn("warning: --insecure-legacy-tls", result.err)

    def test_ciphers_are_only_taken_away(self):
        with self.server(ssl.TLSVersion.TLSv1_2) as server:
            result = self.send("-v", "--ciphers", "CHACHA20-POLY1305",
                               *ENVELOPE, url=server.url)
        self.assertEqual(result.status, 0, result)
        self.assertIn("CHACHA20_POLY1305", result.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
