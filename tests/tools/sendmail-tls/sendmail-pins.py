#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sendmail-tls and keys of servers that are pinned: --pin, and the key `pin`."""

import json
import subprocess
import unittest

import probe_schema
import sendmail
from sendmail import CONFIG, HOST, PROTOCOL, USAGE, Server, run

ENVELOPE = ("-f", "a@example.org", "b@example.org")
# Those of RFC 7469 section 2.1.5; nobody here has their keys.
FOREIGN = "sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM="
ANOTHER = "sha256//E9CZ9INDbd+2eRQozYqqbQ2yXLVKB9+xcprMF+44U1g="

MALFORMED = {
    "nothing": "",
    "a blank": " ",
    "no prefix": FOREIGN[8:],
    "another hash": "sha1//qvTGHdzF6KLavt4PO0gs2a6pQ00=",
    "another hash said": "sha1//" + FOREIGN[8:],
    "nothing behind the prefix": "sha256//",
    "short": FOREIGN[:-8] + "ZWg==",
    "long": FOREIGN[:-1] + "A",
    "bad base64": FOREIGN[:-2] + "!=",
    "no padding": FOREIGN[:-1],
    "a blank inside": FOREIGN[:20] + " " + FOREIGN[20:],
    "two with a semicolon": FOREIGN + ";" + ANOTHER,
    "two with a comma": FOREIGN + "," + ANOTHER,
    "a good one and a bad one": FOREIGN + " " + ANOTHER[:-1],
    "a bad one and a good one": ANOTHER[:-1] + " " + FOREIGN,
    "hexadecimal, as msmtp has it": "77:AA:B3:46:EF:73:38:40",
    "very long": "sha256//" + 10000 * "A",
}


class PinCase(sendmail.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pin = cls.probe()[1]["certificates"][0]["pin"]

    @classmethod
    def probe(cls, *args):
        result = run("--probe", "--json", "--url", cls.sink.smtps,
                     "--cafile", cls.ca, *args, stdin=subprocess.DEVNULL)
        return result, json.loads(result.out)

    def assert_sent(self, result):
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertEqual(len(self.sink.take()), 1)

    def assert_not_pinned(self, result):
        self.assert_status(
            result, PROTOCOL,
            f"certificate of {HOST} has a key that is not pinned "
            f"(its pin is {self.pin})")
        self.assertEqual(self.sink.take(), [])


class CommandLine(PinCase):
    def test_the_key_is_one_of_the_pinned_ones(self):
        for url in (self.sink.smtps, self.sink.smtp):
            for pins in ([self.pin], [FOREIGN, self.pin],
                         [self.pin, FOREIGN, ANOTHER],
                         [f"{FOREIGN} {self.pin}"]):
                args = [arg for pin in pins for arg in ("--pin", pin)]
                with self.subTest(url=url, pins=pins):
                    self.assert_sent(self.send(*args, *ENVELOPE, url=url))

    def test_the_key_is_another_one(self):
        for url in (self.sink.smtps, self.sink.smtp):
            for args in (["--pin", FOREIGN], [f"--pin={FOREIGN}"],
                         ["--pin", FOREIGN, "--pin", ANOTHER]):
                with self.subTest(url=url, args=args):
                    result = self.send(*args, *ENVELOPE, url=url)
                    self.assertEqual(result.status, 76)
                    self.assert_not_pinned(result)

    def test_nothing_is_said_to_another_one(self):
        with Server(self.folder) as server:
            result = self.send("--pin", FOREIGN, *ENVELOPE, url=server.url)
        self.assert_not_pinned(result)
        self.assertEqual(server.commands, [])

    def test_no_password_goes_to_another_one(self):
        password = self.folder / "password"
        password.write_text("hunter2\n")
        password.chmod(0o600)
        ehlo = Server.EHLO.replace("250-8", "250-AUTH PLAIN\r\n250-8")
        for pin, status in ((FOREIGN, PROTOCOL), (self.pin, 0)):
            with Server(self.folder, EHLO=ehlo) as server:
                result = self.send("--pin", pin, "--user", "u",
                                   "--password-file", password, *ENVELOPE,
                                   url=server.url)
            self.assert_status(result, status)
            self.assertEqual(
                len([c for c in server.commands if c.startswith("AUTH")]),
                status == 0)

    def test_the_right_pin_makes_up_for_no_name(self):
        result = self.send("--pin", self.pin, *ENVELOPE, "--connect-to",
                           self.sink.smtps.partition("//")[2],
                           url="smtps://mail.example.org")
        self.assert_status(result, PROTOCOL, "the certificate names",
                           "not mail.example.org")
        self.assertEqual(self.sink.take(), [])

    def test_the_right_pin_makes_up_for_no_ca(self):
        folder = self.folder / "other"
        folder.mkdir()
        sendmail.Sink(folder).close()
        result = run("--url", self.sink.smtps, "--cafile", folder / "ca.pem",
                     "--pin", self.pin, *ENVELOPE)
        self.assert_status(result, PROTOCOL, f"certificate of {HOST}")
        self.assertNotIn("pin", result.err)
        self.assertEqual(self.sink.take(), [])

    def test_what_is_no_pin(self):
        for what, pin in MALFORMED.items():
            with self.subTest(what):
                result = self.send("--pin", pin, *ENVELOPE)
                self.assert_status(result, USAGE,
                                   "--pin: a pin is sha256// and the 44 "
                                   "characters of base64")
                # A good one beside it changes nothing.
                result = self.send("--pin", self.pin, "--pin", pin, *ENVELOPE)
                self.assert_status(result, USAGE)
        self.assertEqual(self.sink.take(), [])

    def test_there_is_a_limit(self):
        most = ["--pin", FOREIGN] * 15 + ["--pin", self.pin]
        self.assert_sent(self.send(*most, *ENVELOPE))
        result = self.send(*most, "--pin", ANOTHER, *ENVELOPE)
        self.assert_status(result, USAGE, "--pin", "16 pins at most")

    def test_a_server_that_is_not_verified_has_the_key_too(self):
        insecure = ("--url", self.sink.smtps, "--insecure-no-verify")
        result = run(*insecure, "--pin", self.pin, *ENVELOPE)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(result.lines), 1)
        self.assertIn("not verified, only its key is looked at", result.err)
        self.assertEqual(len(self.sink.take()), 1)
        result = run(*insecure, "--pin", FOREIGN, *ENVELOPE)
        self.assertEqual(result.status, PROTOCOL, result)
        self.assertEqual(len(result.lines), 2)
        self.assertIn(f"not pinned (its pin is {self.pin})", result.err)
        self.assertEqual(self.sink.take(), [])

    def test_without_tls_there_is_no_key(self):
        result = run("--url", self.sink.smtp, "--insecure-cleartext", "--pin",
                     self.pin, *ENVELOPE)
        self.assert_status(result, USAGE, "--pin", "--insecure-cleartext")


class Files(PinCase):
    def with_config(self, text, *args, **more):
        path = self.folder / "test.conf"
        path.write_text(text)
        path.chmod(0o600)
        return run(*args, *ENVELOPE, config=path, **more)

    def server(self, more=""):
        return f"url = {self.sink.smtps}\ncafile = {self.ca}\n{more}"

    def test_one_or_several_lines_or_one_line_with_blanks(self):
        for text in (f"pin = {self.pin}\n",
                     f"pin = {FOREIGN}\npin = {self.pin}\n",
                     f"pin = {self.pin}\ndomain = x.test\npin = {FOREIGN}\n",
                     f"pin = {FOREIGN} {self.pin}\n",
                     f"pin = {FOREIGN}\t  {self.pin}  {ANOTHER}\n"):
            with self.subTest(text):
                self.assert_sent(self.with_config(self.server(text)))

    def test_the_key_is_another_one(self):
        for text in (f"pin = {FOREIGN}\n", f"pin = {FOREIGN} {ANOTHER}\n",
                     f"pin = {FOREIGN}\npin = {ANOTHER}\n"):
            with self.subTest(text):
                self.assert_not_pinned(self.with_config(self.server(text)))

    def test_what_is_no_pin_is_told_with_its_line(self):
        for what, pin in MALFORMED.items():
            if len(pin) > 8000:
                continue
            for text in (f"pin = {pin}\n", f"domain = x.test\npin={pin}\n",
                         f"pin = {self.pin}\npin = {pin}\n"):
                with self.subTest(what, text=text):
                    result = self.with_config(self.server(text))
                    line = 2 + text.count("\n")
                    self.assert_status(result, CONFIG, f"test.conf:{line}: ",
                                       "pin")
        self.assertEqual(self.sink.take(), [])

    def test_also_in_an_account_that_is_not_used(self):
        result = self.with_config(self.server("[other]\npin = x\n"))
        self.assert_status(result, CONFIG, "test.conf:4: ", "pin")

    def test_an_account_has_its_own(self):
        for of_all, own, sent in ((FOREIGN, self.pin, True),
                                  (self.pin, FOREIGN, False)):
            text = self.server(f"pin = {of_all}\n[own]\npin = {own}\n")
            result = self.with_config(text, "--account", "own")
            if sent:
                self.assert_sent(result)
            else:
                self.assert_not_pinned(result)
        text = self.server(f"pin = {FOREIGN}\n[own]\ndomain = x.test\n")
        self.assert_not_pinned(self.with_config(text, "--account", "own"))

    def test_those_of_the_command_line_take_their_place(self):
        self.assert_sent(self.with_config(
            self.server(f"pin = {FOREIGN}\n"), "--pin", self.pin))
        self.assert_not_pinned(self.with_config(
            self.server(f"pin = {self.pin}\n"), "--pin", FOREIGN))

    def test_without_tls_there_is_no_key(self):
        result = self.with_config(
            f"url = smtp://{HOST}:9\ninsecure-cleartext = yes\n"
            f"pin = {self.pin}\n")
        self.assert_status(result, CONFIG, "pin", "--insecure-cleartext")


class Probe(PinCase):
    def verdicts(self, *args):
        result, found = self.probe(*args)
        self.assertEqual(probe_schema.errors(found), [])
        return result, [(v["rating"], v["text"]) for v in found["verdicts"]
                        if v["point"] == "pin"]

    def test_without_pins_nothing_is_said_about_them(self):
        self.assertEqual(self.verdicts()[1], [])

    def test_a_key_that_is_pinned(self):
        result, verdicts = self.verdicts("--pin", FOREIGN, "--pin", self.pin)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(verdicts, [
            ("good", "the key is one of those that are pinned")])

    def test_a_key_that_is_not_pinned_can_be_pasted(self):
        result, (verdict,) = self.verdicts("--pin", FOREIGN)
        self.assertEqual(result.status, PROTOCOL, result)
        self.assertEqual(verdict[0], "bad")
        self.assert_sent(self.send("--pin", verdict[1].split()[-1], *ENVELOPE))

    def test_what_the_text_shows_can_be_pasted(self):
        result = run("--probe", "--url", self.sink.smtps, "--cafile", self.ca,
                     stdin=subprocess.DEVNULL)
        words = [line.split() for line in result.out.decode().splitlines()]
        pins = [line[1] for line in words if line[:1] == ["pin:"]]
        self.assertEqual(pins[0], self.pin)
        self.assert_sent(self.send("--pin", pins[0], *ENVELOPE))


if __name__ == "__main__":
    unittest.main(verbosity=2)
