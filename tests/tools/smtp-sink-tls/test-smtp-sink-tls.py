# SPDX-License-Identifier: MIT
"""smtp-sink-tls from outside, by clients that share no code with it."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
SANITIZER = sys.argv.pop(1)
TIMEOUT = 30
FROM, TO = "a@example.org", "b@example.org"
ENVELOPE = f"X-Envelope-From: <{FROM}>\r\nX-Envelope-To: <{TO}>\r\n".encode()
GROUP = f"MAIL FROM:<{FROM}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n".encode()


class Sink:
    """A running sink in a folder of its own."""

    def __init__(self, folder, *options, make_ca=True, **popen):
        self.folder = pathlib.Path(folder)
        self.maildir = self.folder / "mail"
        command = [PROGRAM, "--max-seconds", "60", "--stats", self.stats_file,
                   "--maildir", self.maildir]
        if make_ca:
            command += ["--make-ca", self.folder / "ca"]
        self.process = subprocess.Popen(
            [str(word) for word in (*command, *options)],
            stdout=subprocess.PIPE, text=True, **popen)
        self.line = self.process.stdout.readline()
        self.ports = {name: int(port) for name, port in
                      (word.split("=") for word in self.line.split())}

    @property
    def stats_file(self):
        return self.folder / "stats.json"

    def context(self):
        return ssl.create_default_context(cafile=self.folder / "ca/ca.pem")

    def smtp(self):
        """Greeted, over STARTTLS."""
        client = smtplib.SMTP("127.0.0.1", self.ports["smtp"],
                              local_hostname="c.example.org", timeout=TIMEOUT)
        client.starttls(context=self.context())
        client.ehlo()
        return client

    def smtps(self, context=None):
        client = smtplib.SMTP_SSL(
            "127.0.0.1", self.ports["smtps"], local_hostname="c.example.org",
            timeout=TIMEOUT, context=context or self.context())
        client.ehlo()
        return client

    def raw(self):
        """A socket before STARTTLS, and its stream; the greeting is read."""
        s = socket.create_connection(("127.0.0.1", self.ports["smtp"]), TIMEOUT)
        stream = s.makefile("rwb")
        read_reply(stream)
        return s, stream

    def tls(self, session=None, context=None):
        """A TLS socket on the smtps port, and its stream, greeted."""
        s = socket.create_connection(("127.0.0.1", self.ports["smtps"]), TIMEOUT)
        s = (context or self.context()).wrap_socket(
            s, server_hostname="localhost", session=session)
        stream = s.makefile("rwb")
        read_reply(stream)
        talk(stream, b"EHLO c.example.org\r\n")
        return s, stream

    def stored(self):
        return [path.read_bytes() for path in
                sorted((self.maildir / "new").iterdir())]

    def half_written(self):
        return list((self.maildir / "tmp").iterdir())

    def wait(self):
        status = self.process.wait(TIMEOUT)
        self.process.stdout.close()
        return status

    def stop(self):
        """End it and return what it counted."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self):
        status = self.wait()
        assert status == 0, f"ended with {status}"
        return json.loads(self.stats_file.read_text())

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.wait()


def read_reply(stream):
    """The code of one reply, None at the end of the connection."""
    while True:
        line = stream.readline()
        if not line:
            return None
        if line[3:4] == b" ":
            return int(line[:3])


def talk(stream, data, replies=1):
    stream.write(data)
    stream.flush()
    codes = [read_reply(stream) for _ in range(replies)]
    return codes[0] if replies == 1 else codes


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def sink(self, *options, **more):
        sink = Sink(self.folder, *options, **more)
        self.addCleanup(sink.kill)
        return sink

    def run_program(self, *options):
        return subprocess.run([PROGRAM, *map(str, options)], text=True,
                              capture_output=True, timeout=TIMEOUT)


class CommandLine(Case):
    def test_mistakes_end_with_64_and_a_sentence(self):
        ca = ("--make-ca", self.folder / "ca")
        for options in (
                (), ("x",), (*ca, "x"), ("--smtp",), (*ca, "--smtp", "x"),
                (*ca, "--smtp", "65536"), (*ca, "--smtp", "-1"),
                (*ca, "--smtp", ""), (*ca, "--no", "XYZ"),
                (*ca, "--no", "SIZE,"), (*ca, "--wat"), ("--cert", "x"),
                ("--key", "x"), (*ca, "--cert", "x", "--key", "x"),
                (*ca, "--user", "x"), (*ca, "--password-file", "x"),
                (*ca, "--token-file", "x"),
                (*ca, "--user", "", "--password-file", "x"),
                (*ca, "--delay-ms", "x"), (*ca, "--max-seconds", "0"),
                (*ca, "--max-messages", "0"), (*ca, "--misbehave", "wat"),
                (*ca, "--misbehave", "421-at:wat"),
                (*ca, "--misbehave", "421-at:auth"),
                (*ca, "--misbehave", "reversed", "--misbehave", "always-250"),
                (*ca, "--smtp", "1 ")):
            with self.subTest(options=options):
                done = self.run_program(*options)
                self.assertEqual(done.returncode, 64, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertRegex(done.stderr, r"^smtp-sink-tls: .+\n$")
        self.assertFalse((self.folder / "ca").exists())

    def test_help_and_version_are_printed(self):
        self.assertIn("--make-ca DIR", self.run_program("--help").stdout)
        self.assertRegex(self.run_program("--version").stdout,
                         r"^smtp-sink-tls \d+\.\d+\.\d+\n$")

    def test_files_that_cannot_be_used_are_named(self):
        ca = ("--make-ca", self.folder / "ca")
        empty = self.folder / "empty"
        empty.write_text("\n")
        for status, name, options in (
                (66, "no.pem", ("--cert", "no.pem", "--key", "no.pem")),
                (66, "no.txt", (*ca, "--user", "u", "--password-file", "no.txt")),
                (66, "empty", (*ca, "--user", "u", "--password-file", empty)),
                (66, "no token", (*ca, "--user", "u", "--token-file", empty)),
                (66, "no-ca.pem", (*ca, "--client-ca", "no-ca.pem")),
                (73, "none/mail", (*ca, "--maildir", "none/mail")),
                (73, "none/ca", ("--make-ca", "none/ca"))):
            with self.subTest(name=name):
                done = self.run_program(*options)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn(name, done.stderr)

    def test_the_first_line_names_the_ports_that_were_asked_for(self):
        for options, line in (
                ((), r"^smtp=\d+ smtps=\d+\n$"),
                (("--smtp", "0"), r"^smtp=\d+\n$"),
                (("--smtps", "0"), r"^smtps=\d+\n$"),
                (("--smtps", "0", "--smtp", "0"), r"^smtp=\d+ smtps=\d+\n$")):
            with self.subTest(options=options):
                sink = self.sink(*options)
                self.assertRegex(sink.line, line)
                sink.stop()

    def test_a_port_that_is_taken_is_an_error(self):
        port = self.sink().ports["smtp"]
        done = self.run_program("--make-ca", self.folder / "ca", "--smtp", port)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"127.0.0.1:{port}", done.stderr)

    def test_a_given_port_is_used(self):
        sink = self.sink()
        port = sink.ports["smtp"]
        sink.smtp().close()
        sink.stop()
        self.assertEqual(self.sink("--smtp", port).ports, {"smtp": port})

    def test_it_works_without_standard_descriptors(self):
        stats = self.folder / "stats.json"
        # Through /dev/null the ports are lost: only that it serves counts.
        subprocess.run(
            ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", PROGRAM, "--make-ca",
             str(self.folder / "ca"), "--max-seconds", "1", "--stats",
             str(stats)], check=True, timeout=TIMEOUT)
        self.assertEqual(json.loads(stats.read_text())["connections"], 0)

    def test_statistics_that_cannot_be_written_are_an_error(self):
        for name in ("none/stats.json", "/dev/full"):
            done = self.run_program("--make-ca", self.folder / "ca",
                                    "--max-seconds", "1", "--stats", name)
            self.assertEqual(done.returncode, 73)
            self.assertIn(name, done.stderr)


class ThrowawayCA(Case):
    def files(self):
        return {path.name: path.read_bytes()
                for path in (self.folder / "ca").iterdir()}

    def test_files_are_made_once_and_used_again(self):
        self.sink().stop()
        before = self.files()
        self.assertEqual(sorted(before), [
            "ca.pem", "cert.pem", "expired.pem", "key.pem",
            "not-yet-valid.pem", "other-ca.pem", "other-name.pem",
            "self-signed.pem"])
        self.sink().stop()
        self.assertEqual(self.files(), before)

    def test_nobody_else_may_read_the_key(self):
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        self.sink().stop()
        self.assertEqual((self.folder / "ca/key.pem").stat().st_mode & 0o777,
                         0o600)

    def test_files_that_do_not_fit_are_made_anew(self):
        for name in ("ca.pem", "cert.pem", "key.pem"):
            for content in (None, b"", b"garbage\n", "other"):
                with self.subTest(name=name, content=content):
                    self.sink().stop()
                    before = self.files()
                    path = self.folder / "ca" / name
                    if content is None:
                        path.unlink()
                    elif content == "other":
                        other = self.folder / "other"
                        shutil.rmtree(other, ignore_errors=True)
                        self.run_program("--make-ca", other, "--maildir",
                                         "none/mail")
                        shutil.copy(other / name, path)
                    else:
                        path.write_bytes(content)
                    sink = self.sink()
                    sink.smtps().quit()
                    sink.stop()
                    self.assertNotEqual(self.files()["ca.pem"],
                                        before["ca.pem"])

    # Both want to be the first library of the process.
    @unittest.skipIf(SANITIZER != "none", "not with a sanitizer")
    @unittest.skipUnless(shutil.which("faketime"), "needs faketime")
    def test_files_that_expire_soon_are_made_anew(self):
        def make(offset):
            subprocess.run(["faketime", "-f", offset, PROGRAM, "--make-ca",
                            self.folder / "ca", "--maildir", "none/mail"],
                           stderr=subprocess.DEVNULL, timeout=TIMEOUT)
            return self.files()

        then = make("-28d")
        self.assertEqual(make("+0d"), then)
        self.assertNotEqual(make("+2d"), then)

    @unittest.skipUnless(shutil.which("openssl"), "needs openssl")
    def test_what_is_not_valid_yet_is_not_while_the_files_are_used(self):
        def date(which, name):
            text = subprocess.run(
                ["openssl", "x509", "-noout", which, "-in",
                 self.folder / "ca" / name], check=True,
                stdout=subprocess.PIPE, text=True).stdout
            return ssl.cert_time_to_seconds(text.split("=", 1)[1].strip())

        self.sink().stop()
        self.assertGreaterEqual(date("-startdate", "not-yet-valid.pem"),
                                date("-enddate", "cert.pem"))

    @unittest.skipUnless(shutil.which("openssl"), "needs openssl")
    def test_a_strict_verifier_accepts_the_certificate(self):
        self.sink().stop()
        ca = self.folder / "ca"
        for name in (("-verify_hostname", "localhost"),
                     ("-verify_ip", "127.0.0.1"), ("-verify_ip", "::1")):
            subprocess.run(
                ["openssl", "verify", "-x509_strict", "-purpose", "sslserver",
                 *name, "-CAfile", ca / "ca.pem", ca / "cert.pem"], check=True,
                stdout=subprocess.DEVNULL)
        self.assertNotEqual(subprocess.run(
            ["openssl", "verify", "-verify_hostname", "example.org", "-CAfile",
             ca / "ca.pem", ca / "cert.pem"], capture_output=True).returncode, 0)


class Delivery(Case):
    def test_a_mail_arrives_byte_for_byte_by_both_ports(self):
        message = (b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n" +
                   b"x" * 2000 + b"\r\n\xc3\xa4\r\n")
        sink = self.sink()
        for client in (sink.smtp(), sink.smtps()):
            client.sendmail(FROM, TO, message, mail_options=["BODY=8BITMIME"])
            client.quit()
        self.assertEqual(sink.stored(), [ENVELOPE + message] * 2)
        self.assertEqual(sink.half_written(), [])
        stats = sink.stop()
        expected = {"connections": 2, "handshakes": 2, "messages": 2,
                    "recipients": 2, "bytes": 2 * len(message),
                    "long_lines": 2, "errors": 0, "pipelining_violations": 0,
                    "eightbit_violations": 0, "handshake_failures": 0}
        self.assertEqual({name: stats[name] for name in expected}, expected)

    def test_a_large_message_arrives_whole(self):
        message = b"Subject: large\r\n\r\n" + b"".join(
            b".%07d a line that begins with a dot\r\n" % n
            for n in range(100000))
        sink = self.sink()
        client = sink.smtp()
        client.sendmail(FROM, TO, message)
        client.quit()
        self.assertEqual(sink.stored(), [ENVELOPE + message])

    def test_chunks_arrive_as_they_are(self):
        body = b".\r\n.\r\n..\r\nno end"
        sink = self.sink()
        _, stream = sink.tls()
        self.assertEqual(talk(stream, GROUP[:-6], 2), [250, 250])
        self.assertEqual(talk(stream, b"BDAT 3\r\n" + body[:3]), 250)
        self.assertEqual(talk(stream, b"BDAT %d LAST\r\n" % (len(body) - 3) +
                              body[3:]), 250)
        self.assertEqual(sink.stored(), [ENVELOPE + body])

    def test_the_envelope_is_kept_verbatim(self):
        sink = self.sink()
        _, stream = sink.tls()
        codes = talk(stream, b"MAIL FROM:<> RET=HDRS ENVID=x+3D\r\n"
                     b"RCPT TO:<\"a b\"@Example.ORG> NOTIFY=SUCCESS,DELAY\r\n"
                     b"RCPT TO:<Postmaster>\r\nDATA\r\n", 4)
        self.assertEqual(codes, [250, 250, 250, 354])
        self.assertEqual(talk(stream, b".\r\n"), 250)
        self.assertEqual(sink.stored(), [
            b"X-Envelope-From: <> RET=HDRS ENVID=x+3D\r\n"
            b"X-Envelope-To: <\"a b\"@Example.ORG> NOTIFY=SUCCESS,DELAY\r\n"
            b"X-Envelope-To: <Postmaster>\r\n"])

    def test_what_was_asked_for_is_kept_with_the_envelope(self):
        sink = self.sink()
        _, stream = sink.tls()
        asked = (b" REQUIRETLS HOLDUNTIL=2026-11-27T08:00:00Z "
                 b"MT-PRIORITY=-3 BY=120;R")
        codes = talk(stream, b"MAIL FROM:<a@b>" + asked +
                     b"\r\nRCPT TO:<c@d>\r\nDATA\r\n", 3)
        self.assertEqual(codes, [250, 250, 354])
        self.assertEqual(talk(stream, b".\r\n"), 250)
        self.assertEqual(sink.stored(), [
            b"X-Envelope-From: <a@b>" + asked + b"\r\n"
            b"X-Envelope-To: <c@d>\r\n"])

    def test_without_a_maildir_nothing_is_kept(self):
        sink = self.sink("--maildir", self.folder / "other")
        sink.smtp().sendmail(FROM, TO, "x")
        self.assertFalse(sink.maildir.exists())
        self.assertEqual(len(list((self.folder / "other/new").iterdir())), 1)

    def test_many_messages_on_one_connection(self):
        sink = self.sink()
        _, stream = sink.tls()
        one = GROUP[:-6] + b"BDAT 7 LAST\r\nhello\r\n"
        stream.write(one * 500)
        stream.flush()
        self.assertEqual([read_reply(stream) for _ in range(1500)],
                         [250] * 1500)
        self.assertEqual(sink.stored(), [ENVELOPE + b"hello\r\n"] * 500)
        self.assertEqual(sink.stop()["messages"], 500)

    def test_many_connections_at_once(self):
        sink = self.sink()
        context = sink.context()
        clients = [sink.smtps(context) for _ in range(150)]
        for client in clients:
            client.sendmail(FROM, TO, "x\r\n")
        for client in clients:
            client.quit()
        self.assertEqual(sink.stored(), [ENVELOPE + b"x\r\n"] * 150)
        self.assertEqual(sink.stop()["messages"], 150)

    def test_a_message_that_breaks_off_leaves_nothing(self):
        sink = self.sink()
        _, stream = sink.tls()
        talk(stream, GROUP, 3)
        stream.write(b"half a message\r\n")
        stream.flush()
        while not sink.half_written():
            time.sleep(0.001)
        stats = sink.stop()
        self.assertEqual((sink.stored(), sink.half_written()), ([], []))
        self.assertEqual(stats["messages"], 0)

    def test_a_full_disk_is_told_and_leaves_nothing(self):
        limit = (100000, 100000)
        sink = self.sink(preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, limit))
        client = sink.smtps()
        with self.assertRaises(smtplib.SMTPDataError) as caught:
            client.sendmail(FROM, TO, b"x\r\n" * 50000)
        self.assertEqual(caught.exception.smtp_code, 452)
        client.sendmail(FROM, TO, b"small\r\n")
        self.assertEqual(sink.stored(), [ENVELOPE + b"small\r\n"])
        self.assertEqual(sink.half_written(), [])

    def test_a_bare_line_end_is_refused(self):
        sink = self.sink()
        _, stream = sink.tls()
        talk(stream, GROUP, 3)
        self.assertEqual(talk(stream, b"x\n.\nMAIL FROM:<c@d>\r\n.\r\n"), 554)
        self.assertEqual(talk(stream, b"NOOP\n"), 500)
        self.assertEqual(sink.stored(), [])
        self.assertEqual(sink.stop()["bare_line_ends"], 2)


class Security(Case):
    def test_nothing_is_taken_before_tls(self):
        _, stream = self.sink().raw()
        self.assertEqual(talk(stream, b"EHLO c\r\n"), 250)
        self.assertEqual(talk(stream, GROUP, 3), [530, 530, 530])
        self.assertEqual(talk(stream, b"AUTH PLAIN AGEAYg==\r\n"), 530)

    def test_what_is_injected_behind_starttls_is_refused_and_counted(self):
        sink = self.sink()
        _, stream = sink.raw()
        talk(stream, b"EHLO c\r\n")
        self.assertEqual(talk(stream, b"STARTTLS\r\nEHLO x\r\n", 2),
                         [554, None])
        stats = sink.stop()
        self.assertEqual((stats["starttls_injected"], stats["handshakes"]),
                         (1, 0))

    def test_tls_forgets_what_was_before(self):
        sink = self.sink()
        s, stream = sink.raw()
        talk(stream, b"EHLO c\r\n")
        self.assertEqual(talk(stream, b"STARTTLS\r\n"), 220)
        with sink.context().wrap_socket(s, server_hostname="localhost") as tls:
            with tls.makefile("rwb") as stream:
                self.assertEqual(talk(stream, b"MAIL FROM:<>\r\n"), 503)

    def test_a_client_that_does_not_trust_it_gets_nothing(self):
        sink = self.sink()
        with self.assertRaises(ssl.SSLCertVerificationError):
            sink.smtps(ssl.create_default_context())
        # The next one is served.
        sink.smtps().quit()
        self.assertEqual(sink.stop()["handshakes"], 1)

    def test_old_tls_is_refused(self):
        sink = self.sink()
        context = sink.context()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            sink.smtps(context)
        self.assertEqual(sink.stop()["handshake_failures"], 1)

    def test_both_versions_of_tls_are_spoken_and_resumed(self):
        sink = self.sink()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = sink.context()
            context.minimum_version = context.maximum_version = version
            first, stream = sink.tls(context=context)
            self.assertEqual(talk(stream, b"NOOP\r\n"), 250)
            again, _ = sink.tls(session=first.session, context=context)
            self.assertEqual(again.version(), version.name.replace("_", "."))
            self.assertTrue(again.session_reused)
            stream.close()
            first.close()
            again.close()
        self.assertEqual(sink.stop()["resumed"], 2)

    def password(self, text="geheim\n"):
        path = self.folder / "password"
        path.write_text(text)
        return ("--user", "alice", "--password-file", path)

    def test_credentials_are_required_and_checked(self):
        sink = self.sink(*self.password())
        client = sink.smtp()
        self.assertEqual(client.esmtp_features["auth"].split(),
                         ["PLAIN", "LOGIN"])
        self.assertEqual(client.mail(FROM)[0], 530)
        for user, password in (("alice", "falsch"), ("bob", "geheim"),
                               ("alice", "geheim\n"), ("alice", "geheimer")):
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.user, client.password = user, password
                client.auth("PLAIN", client.auth_plain)
        client.login("alice", "geheim")
        client.sendmail(FROM, TO, "x")
        stats = sink.stop()
        self.assertEqual((stats["authentications"],
                          stats["authentication_failures"]), (1, 4))

    def test_both_mechanisms_work_with_and_without_initial_response(self):
        sink = self.sink(*self.password())
        for mechanism in ("plain", "login"):
            for initial in (True, False):
                client = sink.smtps()
                client.user, client.password = "alice", "geheim"
                client.auth(mechanism, getattr(client, f"auth_{mechanism}"),
                            initial_response_ok=initial)
                client.quit()
        self.assertEqual(sink.stop()["authentications"], 4)

    def client_certificate(self):
        """A CA of clients and a certificate of it, by openssl."""
        folder = self.folder
        (folder / "ext").write_text("basicConstraints=critical,CA:FALSE\n"
                                    "keyUsage=critical,digitalSignature\n"
                                    "extendedKeyUsage=clientAuth\n"
                                    "subjectKeyIdentifier=hash\n"
                                    "authorityKeyIdentifier=keyid\n")
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        for command in (
                ("req", "-x509", *key, "-keyout", "cca.key", "-out", "cca.pem",
                 "-subj", "/CN=clients", "-days", "2", "-addext",
                 "keyUsage=critical,keyCertSign,cRLSign"),
                ("req", *key, "-keyout", "c.key", "-out", "c.csr", "-subj",
                 "/CN=client"),
                ("x509", "-req", "-in", "c.csr", "-CA", "cca.pem", "-CAkey",
                 "cca.key", "-CAcreateserial", "-out", "c.pem", "-days", "2",
                 "-extfile", "ext")):
            subprocess.run(("openssl", *command), cwd=folder, check=True,
                           capture_output=True)
        return folder / "cca.pem"

    @unittest.skipUnless(shutil.which("openssl"), "needs openssl")
    def test_client_certificates_are_required_where_asked_for(self):
        sink = self.sink("--client-ca", self.client_certificate())
        with self.assertRaises((ssl.SSLError, smtplib.SMTPServerDisconnected,
                                ConnectionError)):
            sink.smtps()
        context = sink.context()
        context.load_cert_chain(self.folder / "c.pem", self.folder / "c.key")
        client = sink.smtps(context)
        client.sendmail(FROM, TO, "x")
        client.quit()
        stats = sink.stop()
        self.assertEqual((stats["handshakes"], stats["handshake_failures"],
                          stats["messages"]), (1, 1, 1))

    @unittest.skipUnless(shutil.which("openssl"), "needs openssl")
    def test_client_certificates_of_others_are_refused(self):
        self.client_certificate()
        other = self.folder / "other"
        other.mkdir()
        self.run_program("--make-ca", other, "--maildir", "none/mail")
        sink = self.sink("--client-ca", other / "ca.pem")
        context = sink.context()
        context.load_cert_chain(self.folder / "c.pem", self.folder / "c.key")
        with self.assertRaises((ssl.SSLError, smtplib.SMTPServerDisconnected,
                                ConnectionError)):
            sink.smtps(context)
        self.assertEqual(sink.stop()["handshakes"], 0)


class Extensions(Case):
    def offered(self, *options):
        sink = self.sink("--smtps", "0", *options)
        features = set(sink.smtps().esmtp_features)
        sink.kill()
        return features

    def test_all_are_offered_and_each_can_be_taken_away(self):
        everything = {"pipelining", "size", "enhancedstatuscodes", "8bitmime",
                      "dsn", "smtputf8", "chunking", "requiretls",
                      "mt-priority", "futurerelease", "deliverby"}
        self.assertEqual(self.offered(), everything)
        for name in everything:
            self.assertEqual(self.offered("--no", name), everything - {name})
        self.assertEqual(self.offered("--no", "SIZE,dsn", "--no", "Chunking"),
                         everything - {"size", "dsn", "chunking"})

    def test_starttls_can_be_taken_away(self):
        client = smtplib.SMTP("127.0.0.1",
                              self.sink("--no", "STARTTLS").ports["smtp"],
                              timeout=TIMEOUT)
        with self.assertRaises(smtplib.SMTPNotSupportedError):
            client.starttls()
        client.close()

    def test_groups_without_pipelining_are_counted(self):
        sink = self.sink("--no", "pipelining")
        _, stream = sink.tls()
        talk(stream, GROUP, 3)
        self.assertGreaterEqual(sink.stop()["pipelining_violations"], 2)


class Time(Case):
    def test_it_ends_by_itself_after_max_seconds(self):
        sink = self.sink("--max-seconds", "1")
        client = sink.smtps()
        self.assertEqual(sink.ended()["connections"], 1)
        # A goodbye for who is still there (RFC 5321 section 3.8).
        self.assertEqual(client.getreply()[0], 421)
        client.close()

    def test_it_ends_by_itself_after_max_messages(self):
        sink = self.sink("--max-messages", "2")
        client = sink.smtps()
        client.sendmail(FROM, TO, "1")
        client.sendmail(FROM, TO, "2")
        self.assertEqual(client.mail(FROM)[0], 421)
        client.close()
        self.assertEqual(sink.ended()["messages"], 2)

    def test_the_last_client_may_say_goodbye(self):
        sink = self.sink("--max-messages", "1")
        client = sink.smtps()
        client.sendmail(FROM, TO, "1")
        self.assertEqual(client.quit()[0], 221)
        self.assertEqual(sink.ended()["messages"], 1)

    def test_signals_end_it_cleanly(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            sink = self.sink()
            sink.process.send_signal(number)
            self.assertEqual(sink.ended()["connections"], 0)

    def test_who_says_nothing_is_dropped(self):
        sink = self.sink("--idle-seconds", "1")
        _, silent = sink.raw()
        handshake = socket.create_connection(
            ("127.0.0.1", sink.ports["smtps"]), TIMEOUT)
        self.addCleanup(handshake.close)
        self.assertEqual(read_reply(silent), 421)
        self.assertIsNone(read_reply(silent))
        self.assertEqual(handshake.recv(1), b"")
        self.assertEqual(sink.stop()["timeouts"], 2)

    def test_a_line_that_drips_does_not_keep_the_connection(self):
        sink = self.sink("--idle-seconds", "1")
        s, _ = sink.raw()
        start = time.monotonic()
        s.settimeout(0.1)
        reply = b""
        while not reply:
            s.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                reply = s.recv(100)
        self.assertTrue(reply.startswith(b"421 "))
        self.assertLess(time.monotonic() - start, 5)

    def test_answers_are_delayed_once_for_each_flight(self):
        delay = 0.3
        sink = self.sink("--delay-ms", int(delay * 1000))
        start = time.monotonic()
        s, stream = sink.tls()
        # ClientHello, Finished, EHLO.
        self.assertGreaterEqual(time.monotonic() - start, 3 * delay)
        start = time.monotonic()
        self.assertEqual(talk(stream, GROUP, 3), [250, 250, 354])
        self.assertEqual(talk(stream, b".\r\nQUIT\r\n", 2), [250, 221])
        spent = time.monotonic() - start
        self.assertGreaterEqual(spent, 2 * delay)
        self.assertLess(spent, 5 * delay)  # not for each reply
        s.close()
        # The two of TLS, EHLO, the envelope, the content with QUIT.
        stats = sink.stop()
        self.assertEqual((stats["flights"], stats["flights_accepted"]), (5, 5))

    def test_a_close_without_notice_is_counted(self):
        sink = self.sink()
        s, stream = sink.tls()
        talk(stream, b"QUIT\r\n")
        s.unwrap().close()
        s, stream = sink.tls()
        talk(stream, b"NOOP\r\n")
        stream.close()
        s.close()
        # Once another one was served, the close before it was seen.
        other = sink.smtps()
        self.assertEqual(sink.stop()["unclean_closes"], 1)
        other.close()


class Resources(Case):
    def test_it_lives_with_few_descriptors(self):
        sink = self.sink(preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (24, 24)))
        streams = []
        sockets = [socket.create_connection(
            ("127.0.0.1", sink.ports["smtp"]), TIMEOUT) for _ in range(40)]
        for s in sockets:
            streams.append(s.makefile("rwb"))
        # All are served in the end, when those before have gone.
        for s, stream in zip(sockets, streams):
            self.assertEqual(read_reply(stream), 220)
            self.assertEqual(talk(stream, b"QUIT\r\n"), 221)
            stream.close()
            s.close()
        self.assertEqual(sink.stop()["connections"], 40)

    def test_who_reads_nothing_stops_nobody_else(self):
        sink = self.sink()
        deaf, _ = sink.raw()
        deaf.settimeout(1)
        with self.assertRaises(TimeoutError):
            while True:
                deaf.sendall(b"HELP\r\n" * 10000)
        client = sink.smtps()
        client.sendmail(FROM, TO, "x")
        self.assertEqual(len(sink.stored()), 1)
        status = pathlib.Path(f"/proc/{sink.process.pid}/status")
        if status.exists():
            peak = [line for line in status.read_text().splitlines()
                    if line.startswith("VmHWM")]
            self.assertLess(int(peak[0].split()[1]), 400000)


if __name__ == "__main__":
    unittest.main()
