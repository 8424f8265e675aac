# SPDX-License-Identifier: MIT
"""
The programs: how each is asked to send a text, and what has to arrive. None of
them is told where sendmail is, unless it looks for none by itself.
"""

import shlex

from machine import ALICE, NOBODY, ROOT

A, B, C = "a@example.test", "b@example.test", "c@example.test"
S = "sender@example.test"

# What is easily damaged on the way.
LINES = ["one", ".", "..", ".dot", "From here on", "blanks  ", "", "x" * 900,
         "ümlaut €", "-- ", "last"]
TEXT = "".join(line + "\n" for line in LINES)
# For programs that end a message at a lone dot, or say nothing of UTF-8.
TAME = "".join(line + "\n" for line in LINES
               if line != "." and line.isascii())

PYTHON = r"""
import os, subprocess, sys
from email.message import EmailMessage
from email.policy import SMTP, default
def build(policy):
    message = EmailMessage(policy=policy)
    message["From"] = "Sender <sender@example.test>"
    message["To"] = "a@example.test"
    message["Cc"] = "c@example.test"
    message["Bcc"] = "b@example.test"
    message["Subject"] = "from a program"
    message.set_content(sys.stdin.read())
    return message.as_bytes()
kind = sys.argv[1]
if kind == "popen":
    pipe = os.popen("/usr/sbin/sendmail -t -i", "w")
    pipe.write(build(default).decode())
    sys.exit(pipe.close() is not None)
options = {"plain": ["-t", "-oi"],
           "smtp": ["-t", "-i", "-f", "sender@example.test"]}[kind]
subprocess.run(["/usr/sbin/sendmail", *options], check=True,
               input=build(SMTP if kind == "smtp" else default))
"""

PERL_HEAD = r"""
use strict; use warnings;
my $text = do { local $/; <STDIN> };
"""
EMAIL_SENDER = PERL_HEAD + r"""
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::Sendmail;
use Email::Simple;
my $mail = Email::Simple->create(
    header => [From => 'sender@example.test', To => 'a@example.test',
               Subject => 'from a program', 'MIME-Version' => '1.0',
               'Content-Type' => 'text/plain; charset=utf-8'],
    body => $text);
sendmail($mail, {from => 'sender@example.test',
    to => ['a@example.test', 'b@example.test'],
    transport => Email::Sender::Transport::Sendmail->new});
"""
MIME_LITE = PERL_HEAD + r"""
use MIME::Lite;
MIME::Lite->new(From => 'sender@example.test', To => 'a@example.test',
    Cc => 'c@example.test', Bcc => 'b@example.test',
    Subject => 'from a program', Type => 'text/plain; charset=utf-8',
    Encoding => '8bit', Data => $text)->send or die;
"""
MAIL_MAILER = PERL_HEAD + r"""
use Mail::Mailer;
my $mailer = Mail::Mailer->new('sendmail');
$mailer->open({From => 'sender@example.test', To => 'a@example.test',
    Cc => 'c@example.test', Subject => 'from a program'});
print $mailer $text;
$mailer->close or die;
"""
PERL_PIPE = PERL_HEAD + r"""
open(my $mail, '|-', '/usr/sbin/sendmail -t -oi') or die;
print $mail "From: sender\@example.test\nTo: a\@example.test\n",
    "Subject: from a program\n\n", $text;
close($mail) or die;
"""
PHP = r"""
$text = stream_get_contents(STDIN);
exit(mail('a@example.test', 'from a program', $text,
    "From: sender@example.test\r\nCc: c@example.test\r\n" .
    "Bcc: b@example.test\r\nMIME-Version: 1.0\r\n" .
    "Content-Type: text/plain; charset=utf-8", PARAMETERS) ? 0 : 1);
"""


class Call:
    """One call of a program, and the mail that it means."""

    def __init__(self, name, argv, recipients, text=TEXT, uid=ROOT,
                 sender=None, stdin=None, env=None):
        self.name, self.argv = name, argv
        self.recipients, self.text, self.uid = recipients, text, uid
        user = {ROOT: "root", ALICE: "alice", NOBODY: "nobody"}[uid]
        self.sender = sender if sender is not None else f"{user}@example.test"
        self.stdin = (text if stdin is None else stdin).encode()
        self.env = env


def shell(command):
    return ["/bin/sh", "-c", command]


def php(parameters):
    return ["/usr/bin/php8.2", "-r", PHP.replace("PARAMETERS", parameters)]


DRAFT = ("From: sender@example.test\nTo: a@example.test\nCc: c@example.test\n"
         "Subject: from a program\n--------\n")


def nmh(mts):
    """send wants a file, and the place of its folders said."""
    return shell("printf 'Path: Mail\\n' >$HOME/.mh_profile; "
                 "mkdir -p $HOME/Mail; cat >$HOME/draft; "
                 f"/usr/bin/mh/send -mts {mts} $HOME/draft")


MUTT = ["/usr/bin/mutt", "-n", "-e", "set copy=no", "-s", "from a program"]
HEADER = ["-s", "from a program", "-c", C, "-b", B, A]

CALLS = [
    Call("s-nail", ["/usr/bin/s-nail", "-n", *HEADER], [A, C, B], uid=ALICE),
    Call("s-nail -r", ["/usr/bin/s-nail", "-n", "-r", S, *HEADER], [A, C, B],
         sender=S),
    Call("bsd-mailx", ["/usr/bin/bsd-mailx", *HEADER], [A, C, B], text=TAME),
    Call("bsd-mailx -r", ["/usr/bin/bsd-mailx", "-r", S, *HEADER], [A, C, B],
         text=TAME, sender=S),
    Call("bsd-mailx to a local name",
         ["/usr/bin/bsd-mailx", "-s", "from a program", "root"],
         ["root@example.test"], text=TAME, uid=ALICE),
    Call("mutt", [*MUTT, "-c", C, "-b", B, "--", A], [A, C, B], uid=ALICE),
    Call("mutt with an envelope sender and DSN",
         [*MUTT, "-e", f"set envelope_from_address={S} use_envelope_from=yes",
          "-e", "set dsn_notify='failure,delay' dsn_return=hdrs", "--", A],
         [A], uid=ALICE, sender=S),
    Call("nmh by a pipe", nmh("sendmail/pipe"), [A, C], uid=ALICE,
         stdin=DRAFT + TEXT),
    Call("nmh by -bs", nmh("sendmail/smtp"), [A, C], uid=ALICE,
         stdin=DRAFT + TEXT, sender=S),
    Call("PHP mail()", php("''"), [A, C, B]),
    Call("PHP mail() with -f, as nobody", php(f"'-f{S}'"), [A, C, B],
         uid=NOBODY, sender=S, env={"PWD": "/"}),
    *(Call(f"Python, {kind}", ["/usr/bin/python3", "-c", PYTHON, kind],
           [A, C, B], sender=sender)
      for kind, sender in (("plain", None), ("smtp", S), ("popen", None))),
    Call("Email::Sender", ["/usr/bin/perl", "-e", EMAIL_SENDER], [A, B],
         sender=S),
    Call("MIME::Lite", ["/usr/bin/perl", "-e", MIME_LITE], [A, C, B],
         sender=S),
    Call("Mail::Mailer", ["/usr/bin/perl", "-e", MAIL_MAILER], [A, C],
         text=TAME),
    Call("Perl, a pipe", ["/usr/bin/perl", "-e", PERL_PIPE], [A]),
]

# git has made a patch before; what it sends is that patch.
GIT_PREPARE = " && ".join([
    "cd /home/alice", "rm -rf repository",
    "git config --global user.name Sender",
    f"git config --global user.email {S}", "git init -q repository",
    "cd repository", f"printf %s {shlex.quote(TEXT)} >file",
    "git add file", "git commit -q -m 'from a program'",
    "git format-patch -q -1 -o ..",
])
GIT_PATCH = "/home/alice/0001-from-a-program.patch"
GIT_SEND = ["/usr/bin/git", "send-email", "--quiet", "--confirm=never",
            "--suppress-cc=all",
            "--8bit-encoding=UTF-8", "--to", A, "--cc", C, GIT_PATCH]

LOGWATCH = " && ".join([
    "mkdir -p /var/cache/logwatch",
    "printf 'Nov 26 10:00:00 here CRON[1]: (root) CMD (a command)\\n'"
    " >/var/log/cron",
    f"logwatch --output mail --mailto {A} --range all --service cron "
    "--detail high --hostname here",
])

ALPINE_TEXT = "one\n.\n..\n.dot\nlast\n"
ALPINE = ["/usr/bin/alpine", "-p", "/home/alice/pinerc", "-url",
          f"mailto:{A}?cc={C}&subject=from%20a%20program&body=" +
          ALPINE_TEXT.replace("\n", "%0A")]
ALPINE_PATH = "/usr/sbin/sendmail -oem -oi -t"
PINERC = """\
smtp-server=
sendmail-path={path}
default-fcc=""
user-domain=example.test
feature-list=quit-without-confirm,send-without-confirm
last-version-used=6.26
"""
