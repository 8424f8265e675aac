# SPDX-License-Identifier: MIT
"""Real mail servers, each in a private root and on ports of the moment.

The root comes from unpack.sh. Nothing of the machine's own configuration is
read, and a server that was started is ended by its process id.
"""

import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from localhost import HOST

USER = "box@example.org"
# Blanks, quotes, a backslash and UTF-8: whoever quotes or codes it wrongly
# is not let in.
PASSWORD = 'p a"ss\\w\u00f6rd{}$'
START_SECONDS = 20
DELIVERY_SECONDS = 30

POSTFIX_MAIN = """
compatibility_level = 3.7
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /var/log/postfix.log
maillog_file_prefixes = /var
myhostname = mail.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
local_header_rewrite_clients =
alias_maps =
alias_database =
local_recipient_maps =
smtpd_error_sleep_time = 0
message_size_limit = 20000000
mailbox_size_limit = 0
virtual_mailbox_domains = example.org
virtual_mailbox_base = /var/mailboxes
virtual_mailbox_maps = static:postfix/
virtual_mailbox_limit = 0
virtual_uid_maps = static:64906
virtual_gid_maps = static:64906
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_tls_chain_files = /etc/tls/good.pem
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_authenticated_header = yes
"""

POSTFIX_SERVICES = """
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""

# Name of a port -> what its smtpd does otherwise than main.cf.
AUTH = {"smtpd_sasl_auth_enable": "yes",
        "smtpd_recipient_restrictions": "permit_sasl_authenticated,reject"}
WRAPPED = {"smtpd_tls_wrappermode": "yes"}
POSTFIX_PORTS = {
    "submission": AUTH,
    "smtps": {**AUTH, **WRAPPED},
    "open": {},
    "open-smtps": WRAPPED,
    "tls-1.2": {"smtpd_tls_protocols": "TLSv1.2"},
    "cleartext": {"smtpd_tls_security_level": "none"},
    "wrong-name": {**AUTH, "smtpd_tls_chain_files": "/etc/tls/wrong-name.pem"},
    "wrong-name-smtps": {
        **AUTH, **WRAPPED, "smtpd_tls_chain_files": "/etc/tls/wrong-name.pem"},
    "expired": {**AUTH, "smtpd_tls_chain_files": "/etc/tls/expired.pem"},
    "expired-smtps": {
        **AUTH, **WRAPPED, "smtpd_tls_chain_files": "/etc/tls/expired.pem"},
}

DOVECOT = """
protocols = lmtp
base_dir = /run/dovecot
log_path = /var/log/dovecot.log
mail_location = maildir:~/Maildir
auth_mechanisms = plain login
auth_failure_delay = 0
auth_username_format = %Lu
ssl = yes
ssl_cert = </etc/tls/good.pem
ssl_key = </etc/tls/good.pem
passdb {{
  driver = passwd-file
  args = scheme=plain username_format=%u /etc/dovecot/users
}}
userdb {{
  driver = static
  args = uid=64906 gid=64906 home=/var/mailboxes/dovecot allow_all_users=yes
}}
service auth {{
  unix_listener /var/spool/postfix/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
"""

EXIM = r"""
primary_hostname = mail.example.org
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
pid_file_path = /run/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {smtp} : {smtps}
tls_on_connect_ports = {smtps}
tls_advertise_hosts = *
tls_certificate = /etc/tls/good.pem
tls_privatekey = /etc/tls/good.pem
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
smtputf8_advertise_hosts = *
host_lookup =
rfc1413_query_timeout = 0s
message_size_limit = 20M
smtp_accept_queue_per_connection = 0
keep_environment =
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  accept domains = example.org
begin routers
box:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = /var/mailboxes/exim
  create_directory
  user = mailbox
  group = mailbox
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}\
    {{eq{{${{sha256:$auth3}}}}{{{digest}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and{{{{eq{{$auth1}}{{{user}}}}}\
    {{eq{{${{sha256:$auth2}}}}{{{digest}}}}}}}}}
  server_set_id = $auth1
"""


def free_ports(count):
    """Ports of the kernel's choice: free a moment ago, which has to do."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def poll(what, seconds, probe):
    """Ask again and again until there is an answer, or the time is over."""
    end = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Server:
    """One daemon in the private root."""

    name = ""
    log = ""
    # What it appends to a message of messages.py of its own accord.
    appends = {}
    keeps_crlf = False
    # Its Received line says whether there was authentication (RFC 3848).
    tells_auth = True

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.ports = {}
        self.process = None

    def path(self, inside):
        return self.root / inside.lstrip("/")

    def write(self, inside, text, mode=0o644):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def folder(self, inside, owner=0, group=0, mode=0o755):
        path = self.path(inside)
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, owner, group)
        path.chmod(mode)

    def clear(self, *insides):
        for inside in insides:
            path = self.path(inside)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def run(self, *command):
        self.popen("chroot", self.root, *command)
        for port in self.ports.values():
            poll(f"{self.name} on port {port}", START_SECONDS,
                 lambda p=port: self.answers(p))

    def popen(self, *command, **more):
        """It ends with us, whatever ends us."""
        self.process = subprocess.Popen(
            ("setpriv", "--pdeathsig", "TERM", *command),
            stdin=subprocess.DEVNULL, start_new_session=True, cwd="/",
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, **more)

    def answers(self, port):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with status "
                               f"{self.process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        """End the daemon, and what it started: they are one session."""
        if self.process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()
        self.process = None

    def log_text(self):
        path = self.path(self.log)
        return path.read_text(errors="replace") if path.exists() else ""


class Mailbox:
    """A maildir that a server delivers to."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def files(self):
        return sorted(self.path.glob("new/*"))

    def take(self):
        """Wait for the next message, and take it away."""
        file = poll(f"delivery to {self.path.name}", DELIVERY_SECONDS,
                    lambda: next(iter(self.files()), None))
        data = file.read_bytes()
        file.unlink()
        return data

    def is_empty(self):
        return not self.files()


class Dovecot(Server):
    """Authentication for Postfix, and LMTP."""

    name = "dovecot"
    log = "/var/log/dovecot.log"

    def start(self):
        self.clear("/run/dovecot", "/var/mailboxes/dovecot", self.log)
        self.folder("/var/mailboxes", 64906, 64906)
        self.folder("/var/mailboxes/dovecot", 64906, 64906)
        self.ports = {"lmtp": free_ports(1)[0]}
        self.write("/etc/dovecot/users", f"{USER}:{{PLAIN}}{PASSWORD}\n", 0o600)
        os.chown(self.path("/etc/dovecot/users"), 64903, 64903)
        self.write("/etc/dovecot/dovecot.conf", DOVECOT.format(**self.ports))
        self.run("/usr/sbin/dovecot", "-F")
        self.mailbox = Mailbox(self.path("/var/mailboxes/dovecot/Maildir"))


class Postfix(Server):
    """Postfix; its SASL is Dovecot's, which is to be started after it."""

    name = "postfix"
    log = "/var/log/postfix.log"

    def make_queue(self):
        spool = "/var/spool/postfix"
        self.clear(spool, "/var/lib/postfix", "/var/mailboxes/postfix",
                   self.log)
        self.folder(spool)
        self.folder(f"{spool}/pid")
        for name in ("active bounce corrupt defer deferred flush hold incoming "
                     "private saved trace").split():
            self.folder(f"{spool}/{name}", 64901, 0, 0o700)
        self.folder(f"{spool}/public", 64901, 64902, 0o2710)
        self.folder(f"{spool}/maildrop", 64901, 64902, 0o1730)
        self.folder("/var/lib/postfix", 64901, 64901, 0o700)
        self.folder("/var/mailboxes", 64906, 64906)

    def start(self):
        self.make_queue()
        self.ports = dict(zip(POSTFIX_PORTS, free_ports(len(POSTFIX_PORTS))))
        services = POSTFIX_SERVICES
        for name, options in POSTFIX_PORTS.items():
            services += f"127.0.0.1:{self.ports[name]} inet n - n - - smtpd\n"
            for key, value in options.items():
                services += f"  -o {key}={value}\n"
        self.write("/etc/postfix/main.cf", POSTFIX_MAIN)
        self.write("/etc/postfix/master.cf", services)
        self.run("/usr/lib/postfix/sbin/master", "-d")
        self.mailbox = Mailbox(self.path("/var/mailboxes/postfix"))


class Exim(Server):
    """Exim, whose TLS in Debian is GnuTLS."""

    name = "exim"
    log = "/var/log/exim4/mainlog"
    appends = {"header only": b"\r\n"}

    def start(self):
        self.clear("/var/spool/exim4", "/var/log/exim4",
                   "/var/mailboxes/exim", "/run/exim.pid")
        for name in ("/var/spool/exim4", "/var/log/exim4"):
            self.folder(name, 64905, 64905, 0o750)
        self.folder("/var/mailboxes", 64906, 64906)
        self.ports = dict(zip(("smtp", "smtps"), free_ports(2)))
        digest = hashlib.sha256(PASSWORD.encode()).hexdigest().upper()
        self.write("/etc/exim4/exim4.conf", EXIM.format(
            user=USER, digest=digest, **self.ports))
        self.run("/usr/sbin/exim4", "-bdf")
        self.mailbox = Mailbox(self.path("/var/mailboxes/exim"))


class Sink(Server):
    """Our own server: it keeps every byte as it came."""

    log = "log"
    keeps_crlf = True
    tells_auth = False

    def __init__(self, folder, program, certs):
        super().__init__(folder)
        self.name = folder.name
        self.program = program
        self.certs = certs

    def start(self, login=None):
        self.root.mkdir()
        words = [self.program, "--smtp", "0", "--smtps", "0",
                 "--cert", self.certs["good"], "--key", self.certs["good"],
                 "--maildir", self.path("mail"), "--max-seconds", "600"]
        if login:
            self.write("password", login[1] + "\n", 0o600)
            words += ["--user", login[0],
                      "--password-file", self.path("password")]
        with open(self.path(self.log), "wb") as log:
            self.popen(*words, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline().decode()
        self.ports = {name: int(port) for name, port in
                      (word.split("=") for word in line.split())}
        self.mailbox = Mailbox(self.path("mail"))
