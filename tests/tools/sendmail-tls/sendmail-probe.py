# SPDX-License-Identifier: MIT
"""--probe as a diagnosis: what it finds, and what it thinks of it."""

import json
import os
import socket
import subprocess
import tempfile
import threading
import unittest

import probe_schema
import sendmail
from sendmail import HOST, NOPERM, PROTOCOL, TEMPFAIL, USAGE, Server, run

SIZE = "250-SIZE 20000000\r\n"
GOOD_EHLO = ("250-localhost\r\n250-PIPELINING\r\n" + SIZE +
             "250-CHUNKING\r\n250-LIMITS RCPTMAX=20 MAILMAX=5\r\n"
             "250-AUTH LOGIN PLAIN SCRAM-SHA-256\r\n250 8BITMIME\r\n")


class Probe(sendmail.TestCase):
    def probe(self, *args, url=None):
        result = run("--probe", "--json", "--url", url or self.sink.smtps,
                     "--cafile", self.ca, *args, stdin=subprocess.DEVNULL)
        found = json.loads(result.out)
        self.assertEqual(probe_schema.errors(found), [])
        self.assertEqual(found["status"], result.status)
        return result, found

    def probe_script(self, *args, **answers):
        with Server(self.folder, **answers) as server:
            url = server.clear_url if server.clear else server.url
            return self.probe(*args, url=url)

    def verdicts(self, found, point):
        return [(v["rating"], v["text"]) for v in found["verdicts"]
                if v["point"] == point]

    def assert_verdict(self, found, point, rating, *words):
        verdicts = self.verdicts(found, point)
        self.assertEqual(len(verdicts), 1, found["verdicts"])
        self.assertEqual(verdicts[0][0], rating, verdicts)
        for word in words:
            self.assertIn(word, verdicts[0][1])


class Facts(Probe):
    def test_the_schema_notices_what_it_does_not_know(self):
        _, found = self.probe()
        for change in ({"new": 1}, {"verified": "yes"}, {"schema": 2},
                       {"verdicts": [{"point": "x", "rating": "fine",
                                      "text": "y"}]}):
            self.assertEqual(len(probe_schema.errors({**found, **change})), 1)
        del found["verified"]
        self.assertEqual(len(probe_schema.errors(found)), 1)

    def test_tls_and_the_certificate(self):
        _, found = self.probe()
        self.assertIn("SHA", found["tls"]["signature"])
        self.assertTrue(found["tls"]["group"])
        certificate = found["certificates"][0]
        self.assertEqual(certificate["pin"],
                         "sha256//" + certificate["spki_sha256"])
        self.assertIn(certificate["days_left"], (29, 30))
        self.assertGreaterEqual(certificate["key_bits"], 256)
        for point in ("version", "group", "verified", "expiry", "key",
                      "ocsp", "limits"):
            self.assert_verdict(found, point, "good")

    def test_the_pin_is_that_of_the_key(self):
        _, found = self.probe()
        pem = (self.folder / "cert.pem").read_bytes()
        key = subprocess.run(
            ["openssl", "x509", "-pubkey", "-noout"], input=pem,
            stdout=subprocess.PIPE, check=True).stdout
        der = subprocess.run(
            ["openssl", "pkey", "-pubin", "-outform", "DER"], input=key,
            stdout=subprocess.PIPE, check=True).stdout
        digest = subprocess.run(
            ["openssl", "dgst", "-sha256", "-binary"], input=der,
            stdout=subprocess.PIPE, check=True).stdout
        wanted = subprocess.run(
            ["openssl", "base64"], input=digest, stdout=subprocess.PIPE,
            check=True).stdout.decode().strip()
        self.assertEqual(found["certificates"][0]["pin"],
                         "sha256//" + wanted)

    def test_ehlo_before_and_after_tls(self):
        _, found = self.probe(url=self.sink.smtp)
        before = found["capabilities_before_tls"]
        self.assertIn("STARTTLS", before)
        self.assertEqual(len(set(before)), len(before))
        self.assertNotIn("STARTTLS", found["capabilities"])
        self.assertTrue(found["greeting"].startswith("220 "))
        _, found = self.probe()
        self.assertIsNone(found["capabilities_before_tls"])
        self.assertTrue(found["greeting"].startswith("220 "))

    def test_ehlo_before_and_after_tls_as_text(self):
        result = run("--probe", "--url", self.sink.smtp, "--cafile", self.ca)
        lines = result.out.decode().splitlines()
        self.assertIn("offered:      STARTTLS (before TLS only)", lines)
        self.assertIn("offers:       8BITMIME", lines)

    def test_limits_and_what_would_be_chosen(self):
        result, found = self.probe_script(EHLO=GOOD_EHLO)
        self.assert_status(result, 0)
        self.assertEqual(found["limits"], {
            "size": 20000000, "recipients": 20, "messages": 5,
            "hold_seconds": None})
        self.assertEqual(found["choice"], {
            "url": found["server"], "pipelining": "standard",
            "chunking": False, "mechanism": "PLAIN"})
        _, found = self.probe_script("--pipelining", "one-flight",
                                     EHLO=GOOD_EHLO)
        self.assertEqual(found["choice"]["pipelining"], "one-flight")
        self.assertIs(found["choice"]["chunking"], True)
        _, found = self.probe_script("--pipelining", "one-flight",
                                     "--no-chunking", EHLO=GOOD_EHLO)
        self.assertEqual(found["choice"]["pipelining"], "standard")
        self.assertIs(found["choice"]["chunking"], False)

    def test_limits_that_are_none(self):
        for size in ("SIZE", "SIZE 0", "SIZE x", "SIZE 12x", "SIZE -1",
                     "SIZE 99999999999999999999999"):
            _, found = self.probe_script(
                EHLO="250-localhost\r\n250 " + size + "\r\n")
            self.assertIsNone(found["limits"]["size"], size)

    def test_the_addresses_of_the_host(self):
        _, found = self.probe()
        used = [a for a in found["addresses"] if a["result"] == "used"]
        self.assertEqual([a["address"] for a in used], [found["address"]])
        self.assertIsNone(found["srv"])
        self.assertIsNone(found["other_port"])

    def test_nothing_is_looked_up_for_another_place(self):
        result, found = self.probe(
            "--connect-to", f"127.0.0.1:{self.sink.smtps_port}",
            url="smtps://localhost")
        self.assert_status(result, 0)
        self.assertEqual(found["addresses"], [])
        self.assertIsNone(found["other_port"])
        self.assertIsNone(found["srv"])


class Verdicts(Probe):
    def test_what_a_weak_server_lacks(self):
        result, found = self.probe_script(EHLO="250 localhost\r\n")
        self.assert_status(result, 0)
        texts = " ".join(text for _, text in self.verdicts(found, "ehlo"))
        self.assertIn("PIPELINING", texts)
        self.assertIn("8BITMIME", texts)
        self.assert_verdict(found, "limits", "weak")
        self.assert_verdict(found, "authentication", "weak", "none")
        self.assertEqual(found["choice"]["pipelining"], "none")

    def test_auth_before_tls_invites(self):
        with_auth = GOOD_EHLO.replace("250 ", "250-STARTTLS\r\n250 ")
        answers = {"EHLO": with_auth, "STARTTLS": "220 go\r\n"}
        _, found = self.probe_script(clear=True, **answers)
        texts = [text for _, text in self.verdicts(found, "ehlo")]
        self.assertTrue(any("before TLS" in text for text in texts), texts)
        self.assertTrue(any("inside of TLS" in text for text in texts), texts)

    def test_a_mechanism_that_is_not_spoken(self):
        _, found = self.probe_script(
            EHLO="250-localhost\r\n250 AUTH CRAM-MD5\r\n")
        self.assert_verdict(found, "authentication", "weak", "CRAM-MD5")
        self.assertIsNone(found["choice"]["mechanism"])

    def test_a_mechanism_for_a_token(self):
        both = GOOD_EHLO.replace("LOGIN PLAIN", "LOGIN XOAUTH2 PLAIN")
        only = GOOD_EHLO.replace("LOGIN PLAIN", "XOAUTH2 OAUTHBEARER")
        token = ("--user", "alice", "--token-command", "echo t0ken")
        for args, ehlo, choice in (((), both, "PLAIN"),
                                   ((), only, "OAUTHBEARER"),
                                   (token, both, "XOAUTH2"),
                                   (token, only, "OAUTHBEARER")):
            result, found = self.probe_script(*args, EHLO=ehlo)
            self.assert_status(result, 0)
            self.assert_verdict(found, "authentication", "good", choice)
            self.assertEqual(found["choice"]["mechanism"], choice)
            self.assertNotIn("t0ken", result.out.decode() + result.err)
        result, found = self.probe_script(
            *token, EHLO=both, AUTH="535 5.7.8 no\r\n")
        self.assert_status(result, NOPERM, "535 5.7.8 no")
        self.assert_verdict(found, "authentication", "bad", "expired")

    def test_a_login(self):
        args = ("--user", "alice", "--password-command", "echo hunter2")
        result, found = self.probe_script(*args, EHLO=GOOD_EHLO)
        self.assert_status(result, 0)
        self.assert_verdict(found, "authentication", "good", "PLAIN")
        result, found = self.probe_script(*args, EHLO=GOOD_EHLO,
                                          AUTH="535 5.7.8 no\r\n")
        self.assert_status(result, NOPERM, "535 5.7.8 no")
        self.assert_verdict(found, "authentication", "bad")
        self.assertEqual(found["choice"]["url"], found["server"])
        self.assertNotIn("hunter2", result.out.decode() + result.err)

    def test_no_starttls(self):
        result, found = self.probe_script(clear=True,
                                          EHLO="250 localhost\r\n")
        self.assert_status(result, PROTOCOL)
        self.assert_verdict(found, "connection", "bad", "STARTTLS")
        self.assertEqual(found["capabilities_before_tls"], [])
        self.assertIsNone(found["choice"])

    def test_a_wrong_port(self):
        with Server(self.folder, clear=True) as server:
            result, found = self.probe(url=f"smtps://{HOST}:{server.port}")
        self.assert_status(result, PROTOCOL)
        self.assert_verdict(found, "connection", "bad", "port")

    def test_a_port_where_the_server_waits_for_us(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            silent = threading.Thread(
                target=lambda: listener.accept()[0].close(), daemon=True)
            silent.start()
            result, found = self.probe(url=f"smtp://{HOST}:{port}")
            silent.join()
        self.assert_status(result, TEMPFAIL)
        self.assert_verdict(found, "connection", "bad", "smtps://")

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        result, found = self.probe(url=f"smtps://{HOST}:{port}")
        self.assert_status(result, TEMPFAIL)
        self.assert_verdict(found, "connection", "bad", str(port))
        self.assertIsNone(found["choice"])

    def test_the_host_does_not_greet(self):
        result, found = self.probe_script(GREETING="554 5.7.1 go away\r\n")
        self.assertNotEqual(result.status, 0)
        self.assertIsNone(found["choice"])

    def test_a_refused_certificate(self):
        result, found = self.probe(
            "--connect-to", f"127.0.0.1:{self.sink.smtps_port}",
            url="smtps://mail.example.org")
        self.assert_status(result, PROTOCOL)
        self.assert_verdict(found, "verified", "bad", "--cafile")
        self.assertEqual(self.verdicts(found, "version"), [])
        self.assertIsNone(found["choice"])
        self.assertTrue(found["certificates"][0]["pin"])

    def test_not_verified_is_bad(self):
        result = run("--probe", "--json", "--insecure-no-verify", "--url",
                     self.sink.smtps)
        found = json.loads(result.out)
        self.assertEqual(result.status, PROTOCOL)
        self.assert_verdict(found, "verified", "bad", "--insecure")
        self.assertIsNone(found["choice"])


class Reason(sendmail.TestCase):
    """A reason is long, and is read once."""

    def refused(self, **more):
        return ["--probe", "--url", "smtps://mail.example.org", "--cafile",
                self.ca, "--connect-to",
                f"127.0.0.1:{self.sink.smtps_port}"]

    def test_it_comes_once_where_both_are_read_together(self):
        with tempfile.TemporaryFile() as file:
            status = subprocess.run(
                [sendmail.PROGRAM, *map(str, self.refused())], stdout=file,
                stderr=file, timeout=sendmail.PATIENCE, check=False).returncode
            file.seek(0)
            text = file.read().decode()
        self.assertEqual(status, PROTOCOL)
        self.assertEqual(text.count("the certificate names"), 1, text)

    def test_it_is_in_each_where_they_are_apart(self):
        result = run(*self.refused())
        self.assert_status(result, PROTOCOL, "the certificate names")
        self.assertEqual(
            result.out.decode().count("the certificate names"), 1)


class Configure(sendmail.TestCase):
    """--configure with a server that is given; sendmail-dns.py has others."""

    def configure(self, address="Alice@example.org", *args):
        return run("--configure", address, *args, stdin=subprocess.DEVNULL)

    def test_what_it_writes_is_taken_as_it_is(self):
        ca = os.path.relpath(self.ca)
        result = self.configure("Alice@example.org", "--url", self.sink.smtps,
                                "--cafile", ca)
        self.assert_status(result, 0)
        path = self.folder / "written.conf"
        path.write_bytes(result.out)
        path.chmod(0o600)
        sent = run("-f", "a@example.org", "b@example.org", config=path,
                   cwd="/")
        self.assertEqual((sent.status, sent.err), (0, ""))
        self.assertEqual(len(self.sink.take()), 1)

    def test_the_user_is_written_where_there_is_a_login(self):
        for address, local in (("Alice@example.org", "Alice"),
                               ('"a b"@example.org', "a b")):
            with Server(self.folder, EHLO=GOOD_EHLO) as server:
                result = self.configure(address, "--url", server.url,
                                        "--cafile", self.ca)
            self.assert_status(result, 0)
            lines = result.out.decode().splitlines()
            self.assertIn("user = " + address, lines)
            self.assertIn(f"# Some servers want {local} alone.", lines)
            self.assertFalse(
                [line for line in lines if line.startswith("password")])
            self.assertNotIn("AUTH", " ".join(server.commands))

    def test_a_token_is_thought_of_where_the_server_takes_one(self):
        for mechanisms, wanted in (("LOGIN XOAUTH2", True),
                                   ("LOGIN PLAIN", False)):
            ehlo = GOOD_EHLO.replace("LOGIN PLAIN", mechanisms)
            with Server(self.folder, EHLO=ehlo) as server:
                result = self.configure("alice@example.org", "--url",
                                        server.url, "--cafile", self.ca)
            self.assert_status(result, 0)
            self.assertEqual(b"#token-command = " in result.out, wanted)

    def test_a_server_that_is_not_verified_is_none(self):
        result = self.configure("Alice@example.org", "--url",
                                self.sink.smtps)
        self.assert_status(result, PROTOCOL, self.sink.smtps,
                           "Alice@example.org")
        self.assertEqual(result.out, b"")

    def test_what_cannot_be_asked_for(self):
        for args in (["alice"], ["alice@"], ["a@[127.0.0.1]"], [""],
                     ["a@example.org", "b@example.org"],
                     ["a@example.org", "--insecure-no-verify"],
                     ["a@example.org", "--insecure-legacy-tls"]):
            result = self.configure(*args)
            self.assert_status(result, USAGE, "--configure")
            self.assertEqual(result.out, b"")


if __name__ == "__main__":
    unittest.main(verbosity=2)
