# SPDX-License-Identifier: MIT
"""
--configure and --probe with a name service.

It answers in a network of its own, with a resolv.conf of its own; neither is
seen by anybody else. Where that cannot be made the test is skipped.
"""

import fcntl
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

import dns
import probe_schema
import sendmail
from sendmail import CONFIG, NOHOST, PROTOCOL, UNAVAILABLE, run

SKIPPED = 77
INSIDE = "STLS_TEST_INSIDE"
HOME = socket.inet_aton("127.0.0.1")
NOWHERE = socket.inet_aton("127.0.0.9")
NAMES = ["mail.example.test", "mail.usual.test", "smtp.provider.test"]
ADDRESS = "alice@example.test"

ZONE = {
    ("mail.example.test", dns.A): [HOME],
    ("dead.example.test", dns.A): [NOWHERE],
    ("wrong.example.test", dns.A): [HOME],
    ("smtp.provider.test", dns.A): [HOME],
    ("mail.usual.test", dns.A): [HOME],
    ("mail.broken.test", dns.A): [HOME],
}


def submissions(domain, *records):
    return {("_submissions._tcp." + domain, dns.SRV): list(records)}


def submission(domain, *records):
    return {("_submission._tcp." + domain, dns.SRV): list(records)}


def start_loopback():
    with socket.socket() as any_socket:
        request = struct.pack("16sH14x", b"lo", 1)  # IFF_UP
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS


def bind_over(path, text):
    """Have a file say something else, to us alone."""
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    try:
        subprocess.run(["mount", "--bind", file.name, path], check=True)
    finally:
        os.unlink(file.name)


def make_certificates(folder):
    """A CA, and a certificate for all names but one."""
    names = "\n".join(f'dns_name = "{name}"' for name in NAMES)
    (folder / "ca.tmpl").write_text(
        'cn = "DNS test CA"\nca\ncert_signing_key\nexpiration_days = 90\n')
    (folder / "cert.tmpl").write_text(
        f'cn = "server"\n{names}\ntls_www_server\nsigning_key\n'
        "expiration_days = 60\n")
    for what, how in (
            ("ca", ["--generate-self-signed"]),
            ("cert", ["--generate-certificate", "--load-ca-certificate",
                      "ca.pem", "--load-ca-privkey", "ca-key.pem"])):
        for args in (["--generate-privkey", "--key-type", "ecdsa",
                      "--outfile", what + "-key.pem"],
                     [*how, "--load-privkey", what + "-key.pem",
                      "--template", what + ".tmpl", "--outfile",
                      what + ".pem"]):
            subprocess.run(["certtool", *args], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)


class NetworkCase(unittest.TestCase):
    """A sink on the real ports of this network."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        make_certificates(cls.folder)
        cls.ca = cls.folder / "ca.pem"
        password = cls.folder / "password"
        password.write_text("hunter2\n")
        cls.sink = subprocess.Popen(
            [sendmail.SINK, "--smtp", "587", "--smtps", "465", "--cert",
             cls.folder / "cert.pem", "--key", cls.folder / "cert-key.pem",
             "--user", "alice", "--password-file", password,
             "--max-seconds", "300"],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        cls.sink.stdout.readline()

    @classmethod
    def tearDownClass(cls):
        cls.sink.terminate()
        cls.sink.wait(sendmail.PATIENCE)
        cls.sink.stdout.close()
        cls.temporary.cleanup()

    def setUp(self):
        NAMES_SERVER.zone = dict(ZONE)
        NAMES_SERVER.asked.clear()

    def know(self, *more):
        for records in more:
            NAMES_SERVER.zone.update(records)


class Configure(NetworkCase):
    def configure(self, address=ADDRESS, *args):
        return run("--configure", address, "--cafile", self.ca, *args,
                   stdin=subprocess.DEVNULL)

    def settings(self, text):
        """What stands there, and whether the parser takes it."""
        path = self.folder / "written.conf"
        path.write_bytes(text)
        path.chmod(0o600)
        result = run("--dry-run", "-f", "a@example.test", "b@example.test",
                     config=path)
        lines = [line for line in text.decode().splitlines()
                 if line and not line.startswith("#")]
        return dict(line.split(" = ", 1) for line in lines), result

    def found(self, *args):
        result = self.configure(*args)
        self.assertEqual((result.status, result.err), (0, ""), result)
        settings, tried = self.settings(result.out)
        self.assertEqual(tried.status, 0, tried)
        return settings, result.out.decode()

    def test_a_server_that_srv_names(self):
        self.know(submissions("example.test",
                              dns.srv(0, 1, 465, "mail.example.test")))
        settings, text = self.found()
        self.assertEqual(settings["url"], "smtps://mail.example.test")
        self.assertEqual(settings["user"], ADDRESS)
        self.assertEqual(settings["envelope-from"], ADDRESS)
        self.assertEqual(settings["cafile"], str(self.ca))
        self.assertIn("SRV", text)
        self.assertNotIn("hunter2", text)
        self.assertNotIn("password = ", text)
        self.assertIn("#password-command = ", text)

    def test_a_key_that_is_pinned(self):
        self.know(submissions("example.test",
                              dns.srv(0, 1, 465, "mail.example.test")))
        wrong = "sha256//d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM="
        result = self.configure(ADDRESS, "--pin", wrong)
        self.assertEqual((result.status, result.out), (PROTOCOL, b""), result)
        right = re.search(r"its pin is (sha256//\S{43}=)", result.err)[1]
        settings, _ = self.found(ADDRESS, "--pin", right)
        self.assertEqual(settings["pin"], right)

    def test_starttls_where_there_is_nothing_else(self):
        self.know(submission("example.test",
                             dns.srv(0, 1, 587, "mail.example.test")))
        settings, _ = self.found()
        self.assertEqual(settings["url"], "smtp://mail.example.test")

    def test_a_port_of_its_own(self):
        self.know(submissions("example.test",
                              dns.srv(0, 1, 587, "mail.example.test")))
        result = self.configure()
        self.assertEqual(result.status, PROTOCOL, result)
        self.assertIn("smtps://mail.example.test:587: ", result.err)
        self.assertEqual(len(result.lines), 1)

    def test_what_does_not_work_is_passed_over_and_told(self):
        self.know(submissions("example.test",
                              dns.srv(2, 1, 465, "mail.example.test"),
                              dns.srv(0, 1, 465, "dead.example.test"),
                              dns.srv(1, 1, 465, "wrong.example.test")))
        settings, text = self.found()
        self.assertEqual(settings["url"], "smtps://mail.example.test")
        dead = text.index("# Not to be used: smtps://dead.example.test: ")
        wrong = text.index("# Not to be used: smtps://wrong.example.test: ")
        self.assertLess(dead, wrong)

    def test_a_server_outside_of_the_domain_is_to_be_confirmed(self):
        self.know(submissions("example.test",
                              dns.srv(0, 1, 465, "smtp.provider.test")))
        result = self.configure()
        self.assertEqual((result.status, result.err), (0, ""))
        settings, tried = self.settings(result.out)
        self.assertNotIn("url", settings)
        self.assertEqual(tried.status, CONFIG, tried)
        self.assertIn(b"# REVIEW: ", result.out)
        settings, tried = self.settings(result.out.replace(
            b"#url = ", b"url = "))
        self.assertEqual(settings["url"], "smtps://smtp.provider.test")
        self.assertEqual(tried.status, 0, tried)

    def test_a_name_that_only_ends_alike_is_outside(self):
        self.know(submissions("ample.test",
                              dns.srv(0, 1, 465, "mail.example.test")))
        result = self.configure("alice@ample.test")
        self.assertEqual(result.status, 0, result)
        self.assertIn(b"\n#url = smtps://mail.example.test\n", result.out)

    def test_a_domain_that_offers_nothing(self):
        self.know(submissions("usual.test", dns.srv(0, 0, 0, "")))
        result = self.configure("alice@usual.test")
        self.assertEqual(result.status, UNAVAILABLE)
        self.assertIn("offers no submission", result.err)
        self.assertEqual(result.out, b"")
        self.assertNotIn("mail.usual.test",
                         [name for name, _ in NAMES_SERVER.asked])

    def test_usual_names_where_there_is_no_srv(self):
        settings, text = self.found("alice@usual.test")
        self.assertEqual(settings["url"], "smtps://mail.usual.test")
        self.assertIn("no SRV record", text)
        self.assertIn("# Not to be used: smtps://smtp.usual.test: ", text)

    def test_usual_names_are_verified_as_well(self):
        result = self.configure("alice@broken.test")
        self.assertEqual(result.status, PROTOCOL, result)
        self.assertEqual(result.out, b"")

    def test_srv_does_not_fall_back_to_guessing(self):
        self.know(submissions("usual.test",
                              dns.srv(0, 1, 465, "wrong.example.test")))
        result = self.configure("alice@usual.test")
        self.assertEqual(result.status, PROTOCOL, result)
        self.assertNotIn("smtps://mail.usual.test", result.err)

    def test_a_name_service_with_an_error(self):
        self.know({("_submissions._tcp.usual.test", dns.SRV): None})
        _, text = self.found("alice@usual.test")
        self.assertIn("does not answer", text)

    def test_an_answer_that_cannot_be_read(self):
        self.know(submissions("usual.test", b"\0\0\0\0\0\1\xc0\xff"),
                  submission("usual.test",
                             dns.srv(0, 0, 465, "wrong.example.test")))
        _, text = self.found("alice@usual.test")
        self.assertIn("cannot be read", text)

    def test_a_domain_that_is_not_there(self):
        result = self.configure("alice@nowhere.test")
        self.assertEqual(result.status, NOHOST, result)
        self.assertEqual(len(result.lines), 1)

    def test_another_user_name(self):
        settings, _ = self.found("alice@usual.test", "--user", "a17")
        self.assertEqual(settings["user"], "a17")


class Probe(NetworkCase):
    def probe(self, url, *args):
        result = run("--probe", "--json", "--url", url, "--cafile", self.ca,
                     *args, stdin=subprocess.DEVNULL)
        found = json.loads(result.out)
        self.assertEqual(probe_schema.errors(found), [])
        return result, found

    def ratings(self, found):
        return {v["point"]: v["rating"] for v in found["verdicts"]}

    def test_both_ports(self):
        for url, other in (("mail.example.test", "smtp://mail.example.test"),
                           ("smtp://mail.example.test",
                            "smtps://mail.example.test")):
            result, found = self.probe(url)
            self.assertEqual(result.status, 0, result)
            self.assertEqual(found["other_port"]["server"], other)
            self.assertIs(found["other_port"]["verified"], True)
            self.assertEqual(self.ratings(found)["other port"], "good")
        self.assertEqual(found["choice"]["url"], "smtps://mail.example.test")
        _, found = self.probe("smtp://mail.example.test:587")
        self.assertIsNone(found["other_port"])

    def test_credentials_go_where_they_were_asked_for_alone(self):
        result, found = self.probe(
            "mail.example.test", "--user", "alice", "--password-command",
            "echo hunter2", "-v")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(found["authenticated"], "PLAIN")
        self.assertIsNone(found["other_port"]["authenticated"])
        self.assertEqual(result.err.count("C: AUTH"), 1)

    def test_an_address_that_is_dead(self):
        NAMES_SERVER.zone["mail.example.test", dns.A] = [HOME, NOWHERE]
        result, found = self.probe("mail.example.test")
        self.assertEqual(result.status, 0, result)
        results = {a["address"]: a["result"] for a in found["addresses"]}
        self.assertEqual(results, {"127.0.0.1:465": "used",
                                   "127.0.0.9:465": "bad"})
        self.assertEqual(self.ratings(found)["addresses"], "weak")

    def test_srv_of_the_domain_above(self):
        self.know(submissions("example.test",
                              dns.srv(5, 7, 465, "mail.example.test")))
        _, found = self.probe("mail.example.test")
        self.assertEqual(found["srv"], {
            "domain": "example.test", "error": None, "denied": False,
            "records": [{"target": "mail.example.test", "port": 465,
                         "priority": 5, "weight": 7, "implicit_tls": True}]})
        self.assertEqual(self.ratings(found)["srv"], "good")

    def test_srv_of_the_user(self):
        self.know(submissions("usual.test",
                              dns.srv(0, 0, 465, "mail.usual.test")))
        _, found = self.probe("mail.example.test", "-f", "a@usual.test")
        self.assertEqual(found["srv"]["domain"], "usual.test")
        self.assertEqual(self.ratings(found)["srv"], "weak")

    def test_no_srv(self):
        _, found = self.probe("mail.example.test")
        self.assertEqual(found["srv"]["records"], [])
        self.assertEqual(self.ratings(found)["srv"], "weak")

    def test_a_host_that_is_not_there(self):
        result, found = self.probe("nowhere.example.test")
        self.assertEqual(result.status, NOHOST)
        self.assertEqual(self.ratings(found), {"addresses": "bad"})

    def test_sending_asks_for_no_srv(self):
        result = run("--url", "mail.example.test", "--cafile", self.ca,
                     "--user", "alice", "--password-command", "echo hunter2",
                     "-f", ADDRESS, "b@example.test")
        self.assertEqual(result.status, 0, result)
        self.assertNotIn(dns.SRV, [kind for _, kind in NAMES_SERVER.asked])


def run_inside():
    """Again, where there is no network but our own."""
    unshare = ["unshare", "--mount", "--net"]
    if os.getuid() != 0:
        unshare.append("--map-root-user")
    try:
        possible = subprocess.run(
            [*unshare, "mount", "--bind", "/etc/resolv.conf",
             "/etc/resolv.conf"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, check=False).returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        print("skipped: no private network with a name service can be made")
        return SKIPPED
    return subprocess.run([*unshare, sys.executable, "-B", "-W", "ignore",
                           __file__], env={**os.environ, INSIDE: "yes"},
                          check=False).returncode


if __name__ == "__main__":
    if INSIDE not in os.environ:
        sys.exit(run_inside())
    start_loopback()
    bind_over("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    if os.path.exists("/etc/nsswitch.conf"):
        bind_over("/etc/nsswitch.conf", "hosts: dns\n")
    NAMES_SERVER = dns.Server(ZONE)
    unittest.main(verbosity=2)
