#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What befell other commands and servers, done to sendmail-tls and the sink."""

import os
import pathlib
import socket
import ssl
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent
                       / "tools/sendmail-tls"))
import sendmail
from sendmail import DATAERR, HOST, MAIL, USAGE, Server, run

FROM = ("-f", "a@example.org")
B = "b@example.org"
PATIENCE = sendmail.PATIENCE


class TestCase(sendmail.TestCase):
    def setUp(self):
        # Whatever an attack writes or runs, it writes here.
        self.there = self.folder / "there"
        self.there.mkdir(exist_ok=True)

    def assert_nothing_was_written(self):
        self.assertEqual(list(self.there.iterdir()), [])

    def refused(self, *args, status=None, **more):
        """No mail comes of it, and nothing is written."""
        result = self.send(*args, **more)
        self.assertIn(result.status, (DATAERR, USAGE) if status is None
                      else (status,), result)
        self.assertEqual(len(result.lines), 1, result)
        self.assertTrue(result.lines[0].isprintable(), result)
        self.assertEqual(self.sink.take(), [])
        self.assert_nothing_was_written()
        return result


class Options(TestCase):
    """An address becomes an option, or a part of a shell's command."""

    def only_an_address(self, address):
        mail = self.sent(*FROM, "--", address, B)
        self.assertEqual(mail.recipients, [address, B])
        self.assert_nothing_was_written()

    def test_cve_2020_28247_recipient_with_a_dash_is_no_option(self):
        self.only_an_address(f"-X{self.there}/log@example.org")
        self.only_an_address("-be@example.org")

    def test_cve_2020_7769_recipient_as_a_long_option_is_no_option(self):
        self.only_an_address("--config=x@example.org")
        self.only_an_address("--insecure-cleartext@example.org")

    def test_msmtpd_1_8_19_sender_with_a_dash_is_no_option(self):
        for args in (("-f", "-C/dev/null@example.org"),
                     ("-f-C/dev/null@example.org",)):
            mail = self.sent(*args, "--", B)
            self.assertEqual(mail.sender, "-C/dev/null@example.org")

    def test_msmtpd_1_8_19_field_with_a_dash_is_no_option(self):
        text = f"To: -X{self.there}/log@example.org\n\nx\n".encode()
        mail = self.sent("-t", *FROM, stdin=text)
        self.assertEqual(mail.recipients, [f"-X{self.there}/log@example.org"])
        self.assert_nothing_was_written()

    # What PHP's mail() makes of the sender "attacker\" -oQ... ..."@x.
    SMUGGLED = ('-fattacker\\', "-oQ{0}", "-X{0}/shell.php", '"@example.org')

    def smuggled(self, *args):
        return [arg.format(self.there) for arg in args]

    def test_cve_2016_10033_options_behind_a_sender_write_nothing(self):
        self.refused("-t", "-i", *self.smuggled(*self.SMUGGLED),
                     stdin=b"To: b@example.org\n\n<?php x ?>\n")

    def test_cve_2016_10045_escaped_twice_they_write_nothing(self):
        self.refused("-t", "-i", *self.smuggled(
            "-f\\", "-oQ{0}", "-X{0}/shell.php", "\\@example.org"),
            stdin=b"To: b@example.org\n\n<?php x ?>\n")

    def test_cve_2016_10074_log_file_of_sendmail_is_not_written(self):
        mail = self.sent("-t", "-i", *FROM, *self.smuggled(
            "-oQ{0}", "-X{0}/shell.php", "-OQueueDirectory={0}"),
            stdin=b"To: b@example.org\n\n<?php x ?>\n")
        self.assertEqual(mail.recipients, [B])
        self.assert_nothing_was_written()

    def test_cve_2016_9920_commands_of_exim_are_not_run(self):
        self.refused("-be", f"${{run{{/usr/bin/touch {self.there}/x}}}}")

    def test_cve_2017_7692_configuration_of_sendmail_is_not_obeyed(self):
        file = self.folder / "attachment"
        file.write_text(f"Mlocal, P=/usr/bin/touch, A=touch {self.there}/x\n")
        self.refused(*FROM, f"-C{file}", "--", B, status=sendmail.CONFIG,
                     config=None)


class Shells(TestCase):
    """Nothing of a message is ever given to a shell."""

    def test_cve_2011_0739_address_is_no_shell_command(self):
        for text in ("`touch$IFS{}/x`@example.org", "|touch$IFS{}/x@example.org"):
            address = text.format(self.there)
            self.assertEqual(self.sent(*FROM, address).recipients, [address])
        self.assert_nothing_was_written()

    def test_cve_2020_7247_sender_is_no_shell_command(self):
        self.refused("-f", f";touch {self.there}/x;", B)
        sender = f"|touch$IFS{self.there}/x@example.org"
        self.assertEqual(self.sent("-f", sender, B).sender, sender)
        self.assert_nothing_was_written()

    def test_cve_2019_10149_recipient_is_not_expanded(self):
        address = f"${{run{{/usr/bin/touch$IFS{self.there}/x}}}}@example.org"
        self.assertEqual(self.sent(*FROM, address).recipients, [address])
        self.assert_nothing_was_written()

    def test_ghsa_wqvq_jvpq_h66f_no_field_opens_a_file_or_an_address(self):
        secret = self.folder / "secret"
        secret.write_text("known to nobody\n")
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        text = (f"To: {B}\nX-Path: file://{secret}\nX-Href: {url}\n"
                f"Content-Type: message/external-body; access-type=local-file;"
                f"\n name=\"{secret}\"\nContent-Location: {url}\n\n"
                f"<file://{secret}> <{url}>\n@{secret}\n~r {secret}\n").encode()
        mail = self.sent("-t", *FROM, stdin=text)
        self.assertIn(f"X-Path: file://{secret}".encode(), mail.data)
        self.assertNotIn(b"known to nobody", mail.data)
        with self.assertRaises(BlockingIOError):
            listener.accept()

    def test_ghsa_p6gq_j5cr_w38f_raw_text_opens_no_file(self):
        secret = self.folder / "secret"
        secret.write_text("known to nobody\n")
        for recipient in (f":include:{secret}", f"@{secret}"):
            self.refused(*FROM, "--", recipient)
        mail = self.sent(*FROM, "--domain", "example.org", "--", str(secret))
        self.assertEqual(mail.recipients, [f"{secret}@example.org"])
        self.assertNotIn(b"known to nobody", mail.data)


class Header(TestCase):
    """A line of the header that was not meant to be one."""

    def test_cve_2024_6923_line_end_in_a_name_is_refused(self):
        for end in ("\n", "\r\n", "\r"):
            self.refused(*FROM, "-F", f"Alice{end}Bcc: evil@example.net", B)

    def test_cve_2021_23400_line_end_in_an_address_is_refused(self):
        for end in ("\n", "\r\n", "\r"):
            self.refused("-f", f"a@example.org{end}Bcc: evil@example.net", B)
            self.refused(*FROM, f"{B}{end}Bcc: evil@example.net")

    def test_nodemailer_9_0_5_del_and_halves_of_characters_are_refused(self):
        for name in (b"Al\x7fice", b"\xed\xa0\x80", b"\xff", b"\xc0\x8a"):
            self.refused(*FROM, "-F", os.fsdecode(name), B, stdin=b"\nx\n")

    def test_ghsa_268h_hp4c_crq3_comment_adds_no_recipient(self):
        text = (b"To: b@example.org (x\r\n Bcc: evil@example.net\r\n"
                b" ), c@example.org\r\n"
                b"List-Help: <x> (y\r\n Bcc: evil@example.net)\r\n\r\nx\r\n")
        mail = self.sent("-t", *FROM, stdin=text)
        self.assertEqual(mail.recipients, [B, "c@example.org"])

    def test_cve_2021_23400_encoded_word_adds_no_recipient(self):
        text = (b"To: =?utf-8?q?x=0D=0ABcc=3A_evil=40example.net?= "
                b"<b@example.org>\n\nx\n")
        mail = self.sent("-t", *FROM, stdin=text)
        self.assertEqual(mail.recipients, [B])
        self.assertEqual(mail.field("Bcc"), [])

    def test_cve_2023_27043_field_with_two_readings_is_refused(self):
        for text in ("alice@example.org)b@example.net",
                     "alice@example.org]b@example.net",
                     "<alice@example.org>b@example.net",
                     "alice@example.org b@example.net"):
            self.refused("-t", *FROM, stdin=f"To: {text}\n\nx\n".encode())

    def test_ghsa_mm7p_fcc7_pg87_quoted_address_gets_nothing(self):
        text = b'To: "evil@example.net x"@example.org\n\nx\n'
        mail = self.sent("-t", *FROM, stdin=text)
        self.assertEqual(mail.recipients, ['"evil@example.net x"@example.org'])
        text = b'To: "evil@example.net, x" <b@example.org>\n\nx\n'
        mail = self.sent("-t", *FROM, stdin=text)
        self.assertEqual(mail.recipients, [B])

    def quickly(self, field):
        """However it ends, it does soon."""
        began = time.monotonic()
        self.send("-t", *FROM, stdin=b"To: " + field + b"\n\nx\n")
        self.assertLess(time.monotonic() - began, PATIENCE / 3)

    def test_ghsa_2x7j_588g_ccc2_list_does_not_take_its_square(self):
        self.quickly(b"<" * 200000)
        self.quickly(b"a," * 100000)
        self.quickly(b'"' + b"\\a" * 100000)
        self.quickly(b"b@example.org " * 20000)

    def test_ghsa_rcmh_qjqh_p98v_nesting_does_not_end_the_stack(self):
        for text in (b"(" * 200000, b"g:" * 100000,
                     b"(" * 200000 + b")" * 200000 + b"b@example.org"):
            result = self.send("-t", *FROM, stdin=b"To: " + text + b"\n\nx\n")
            self.assertIn(result.status, (0, DATAERR), result)


class Spool(TestCase):
    """What a server says is noted, and read again."""

    def test_cve_2020_8794_reply_becomes_no_line_of_the_spool(self):
        spool = self.folder / "spool"
        answers = ("451-4.7.1 x\r\n451-\r\n451 4.7.1 to evil@example.net\r\n",
                   "451 \x1b[2J\x07\r\n", "451\r\n", "451-\n451 x\r\n",
                   "451-4.7.1 x\n\nrcpt evil@example.net\n\r\n451 x\r\n")
        for answer in answers:
            with self.subTest(answer=answer), \
                    Server(self.folder, RCPT=answer) as server:
                result = self.send("--spool", spool, *FROM, B, url=server.url)
                self.assertEqual(result.status, 0, result)
            listing = run("-bp", "--spool", spool)
            self.assertEqual(listing.status, 0, listing)
            text = listing.out.decode()
            self.assertTrue(text.replace("\n", "").isprintable(), text)
            waiting = list((spool / "queue").glob("[0-9a-f]*"))
            self.assertEqual(len(waiting), 1)
            result = self.send("-q", "--spool", spool)
            self.assertEqual(result.status, 0, result)
            mail, = self.sink.take()
            self.assertEqual(mail.recipients, [B])
            self.assertEqual(mail.data, MAIL.replace(b"\n", b"\r\n"))


class Servers(TestCase):
    """The sink, and the server that -bs is, attacked by a client."""

    def raw(self):
        port = int(self.sink.smtp.rpartition(":")[2])
        connection = socket.create_connection((HOST, port), PATIENCE)
        self.addCleanup(connection.close)
        stream = connection.makefile("rb")
        stream.readline()
        return connection, stream

    def inside(self):
        context = ssl.create_default_context(cafile=self.ca)
        raw = socket.create_connection((HOST, self.sink.smtps_port), PATIENCE)
        tls = context.wrap_socket(raw, server_hostname=HOST)
        self.addCleanup(tls.close)
        stream = tls.makefile("rwb")
        stream.readline()
        stream.write(b"EHLO c.example.org\r\n")
        stream.flush()
        while stream.readline()[3:4] != b" ":
            pass
        return stream

    def test_cve_2011_0411_sink_refuses_what_follows_starttls(self):
        connection, stream = self.raw()
        connection.sendall(b"EHLO c.example.org\r\n")
        while stream.readline()[3:4] != b" ":
            pass
        connection.sendall(b"STARTTLS\r\nEHLO evil.example.net\r\n"
                           b"MAIL FROM:<evil@example.net>\r\n")
        line = stream.readline()
        self.assertFalse(line.startswith(b"220"), line)
        self.assertEqual(stream.read(), b"")

    def test_cve_2026_23829_sink_refuses_line_ends_in_addresses(self):
        for text in (b"<a@example.org\r>", b"<a\r@example.org>",
                     b"<\"a\r\"@example.org>", b"<a@example.org>\rx"):
            stream = self.inside()
            stream.write(b"MAIL FROM:" + text + b"\r\n")
            stream.flush()
            self.assertEqual(stream.readline()[:1], b"5", text)

    ENDS = (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n")
    HIDDEN = (b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<b@example.org>\r\n"
              b"DATA\r\nhidden\r\n.\r\n")

    def test_cve_2023_51764_sink_ends_a_message_in_one_way(self):
        for end in self.ENDS:
            stream = self.inside()
            stream.write(b"MAIL FROM:<a@example.org>\r\n"
                         b"RCPT TO:<b@example.org>\r\nDATA\r\n")
            stream.flush()
            for _ in range(3):
                stream.readline()
            stream.write(b"x" + end + self.HIDDEN)
            stream.flush()
            self.assertEqual(stream.readline()[:1], b"5", end)
            self.assertEqual(self.sink.take(), [])

    def test_cve_2023_51766_bs_ends_a_message_in_one_way(self):
        for end in self.ENDS:
            result = self.send(
                "-bs", stdin=b"EHLO x\r\nMAIL FROM:<a@example.org>\r\n"
                b"RCPT TO:<b@example.org>\r\nDATA\r\nx" + end + self.HIDDEN)
            self.assertNotIn(b"queued", result.out, end)
            self.assertEqual(self.sink.take(), [])


if __name__ == "__main__":
    unittest.main()
