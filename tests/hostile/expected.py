# SPDX-License-Identifier: MIT
"""
What is right to say of each way to misbehave: a rule for each row of
`smtp-sink-tls --misbehave list`.
"""

OK, CONNECT, TIMEOUT, IO, PROTOCOL, LIMIT, NO_STARTTLS = 0, *range(-5, -11, -1)
TLS, CERTIFICATE, AUTH, UNSUPPORTED = -11, -12, -13, -14
LATER, REFUSED, PARTIAL, IN_DOUBT = -16, -17, -18, -19
# What became of a recipient.
NOT, YES, WAIT, NO, DOUBT = range(5)

# The exit status of sendmail-tls for each code; 67 and 69 are told below.
STATUS = {OK: 0, CONNECT: 75, TIMEOUT: 75, IO: 75, PROTOCOL: 76, LIMIT: 76,
          NO_STARTTLS: 76, TLS: 76, CERTIFICATE: 76, AUTH: 77, UNSUPPORTED: 65, LATER: 75,
          REFUSED: 69, PARTIAL: 69, IN_DOUBT: 74}

STEPS = ("greeting ehlo starttls auth mail rcpt data chunk content rset "
         "quit").split()


class Want:
    """What the client may say, and what the server may have."""

    def __init__(self, code, outcomes=((NOT, NOT),), mails=(0,), lies=False,
                 status=None):
        self.codes = code if isinstance(code, tuple) else (code,)
        self.outcomes, self.mails = outcomes, mails
        # The server says of a mail what is not so, and cannot be found out.
        self.lies = lies
        self.status = (status,) if status is not None else tuple(
            {STATUS[code] for code in self.codes})


def accepted(**more):
    return Want(OK, ((YES, YES),), (1,), **more)


def accepted_by_a_liar():
    return Want(OK, ((YES, YES),), (0,), lies=True)


def in_doubt(mails=(1,)):
    return Want(IN_DOUBT, ((DOUBT, DOUBT),), mails)


def later(**more):
    return Want(LATER, ((WAIT, WAIT),), **more)


def refused(**more):
    return Want(REFUSED, ((NO, NO),), **more)


class Case:
    """One attack: what the rule of its row is asked about."""

    def __init__(self, name, word=None, number=None, transport="",
                 scenario="data"):
        self.name, self.word, self.number = name, word, number
        self.transport, self.scenario = transport, scenario
        self.nth = 0  # of the connections to one server

    def with_number(self, number):
        case = Case(self.name, self.word, number, self.transport,
                    self.scenario)
        case.nth = self.nth
        return case

    @property
    def is_starttls(self):
        return self.transport == "starttls"

    @property
    def text(self):
        return ":".join(str(part) for part in
                        (self.name, self.word, self.number)
                        if part is not None)

    def is_reached(self):
        """Whether the step comes at all."""
        return {"starttls": self.is_starttls,
                "chunk": self.scenario == "chunks",
                "data": self.scenario in ("data", "steps"),
                "rset": self.scenario == "rset"}.get(self.word, True)

    def is_ever_done(self):
        """Not where no step is there for it, or only as many octets."""
        return self.is_reached() and not self.name.endswith("-after")


def broken(*codes):
    """The answer to the step is none; what was handed over is in doubt."""
    def rule(case):
        if not case.is_reached() or case.word == "quit":
            return accepted()
        if case.word == "content":
            return in_doubt()
        if case.word == "chunk":
            # The other chunks may have left without waiting for the answer.
            return Want((*codes, IN_DOUBT), ((NOT, NOT), (DOUBT, DOUBT)),
                        (0, 1))
        return Want(codes)
    return rule


def broken_behind(*codes):
    """The step is answered, and the one behind it is not."""
    def rule(case):
        if not case.is_reached() or case.word in ("content", "quit"):
            return accepted()
        if case.word in ("data", "chunk"):
            # Whether the end had left is a race.
            return Want((*codes, IN_DOUBT), ((NOT, NOT), (DOUBT, DOUBT)))
        return Want(codes)
    return rule


def reset(rule):
    """A reset that is quick comes before the connection is there."""
    def quick(case):
        want = rule(case)
        if case.word == "greeting":
            want.codes += (CONNECT,)
        return want
    return quick


def answered(case):
    """Another code for the step, which was not done."""
    code, step = case.number, case.word
    if not case.is_reached() or step == "quit":
        return accepted()
    if code == 421:
        if step in ("mail", "data", "chunk", "content"):
            return later()
        if step == "rcpt":
            # Behind it nothing comes.
            return Want(LATER, ((WAIT, NOT), (WAIT, WAIT)))
        return Want(LATER)
    if step == "rset":
        return Want((PROTOCOL, LATER, REFUSED))
    if step in ("mail", "rcpt", "data", "chunk", "content"):
        if code // 100 == 4:
            return later()
        if code // 100 == 5:
            return refused(status=67 if step == "rcpt" else 69)
        if step == "data" and code == 354:
            # What comes then is no command.
            return refused()
        if step == "chunk":
            return broken(PROTOCOL)(case)
        if step == "content":
            # Any yes is one (RFC 5321 section 4.2.1).
            return accepted_by_a_liar() if code < 300 else in_doubt((0,))
        return Want(PROTOCOL)
    if code // 100 in (4, 5) and step == "starttls":
        return Want(NO_STARTTLS)
    if code // 100 == 5:
        return Want(AUTH if step == "auth" else
                    (REFUSED, NO_STARTTLS) if step == "ehlo" else REFUSED)
    return Want(LATER) if code // 100 == 4 else Want(PROTOCOL)


def lied(case):
    """The same where it was done, whatever the server has of the mail then."""
    if case.word == "data" and case.number == 354:
        return accepted()
    want = answered(case)
    if case.is_reached() and case.word in ("mail", "rcpt", "data", "chunk",
                                           "content"):
        want.mails, want.lies = (0, 1), True
    if case.word == "chunk" and case.number in (450, 550):
        # It is taken to its end all the same.
        return in_doubt()
    return want


def odd(case):
    """A reply that is good: but an offer is gone with it."""
    if case.word == "ehlo":
        return Want(NO_STARTTLS if case.is_starttls else AUTH)
    return accepted()


def escaped(case):
    """Behind the keyword STARTTLS it makes another keyword of it."""
    if case.word == "ehlo" and case.is_starttls:
        return Want(NO_STARTTLS)
    return accepted()


def blank_is_missing(case):
    """Of several lines each is a reply, and the first has no offer."""
    if case.word == "ehlo":
        return Want((PROTOCOL, NO_STARTTLS if case.is_starttls else AUTH))
    return accepted()


def twice(case):
    if not case.is_reached() or case.word in ("content", "quit"):
        return accepted()
    if case.word == "chunk":
        # Where the last one has left, the second answer is for that.
        return Want((OK, PROTOCOL, IN_DOUBT),
                    ((YES, YES), (NOT, NOT), (DOUBT, DOUBT)), (0, 1))
    return Want(PROTOCOL)


def skipped(case):
    """Later answers come, or none does."""
    if not case.is_reached() or case.word == "quit":
        return accepted()
    if case.word == "content":
        return in_doubt()
    if case.word == "chunk":
        return in_doubt((0, 1))
    return Want((TIMEOUT, PROTOCOL))


def early(case):
    if not case.is_reached() or case.word == "quit":
        return accepted()
    return Want(PROTOCOL)


def long_line(case):
    """8192 octets are the limit, the code and CRLF among them."""
    if 0 < case.number <= 8192 - 6:
        return odd(case)
    return broken(LIMIT)(case)


def many_lines(case):
    if 0 < case.number < 100:
        return odd(case)
    return broken(LIMIT)(case)


def after_octets(*codes):
    """Where it ends is not known here: whatever is said must be so."""
    def rule(_):
        return Want((OK, IN_DOUBT, *codes), ((NOT, NOT), (YES, YES),
                                             (DOUBT, DOUBT)), (0, 1))
    return rule


def with_starttls(*codes):
    """It is about STARTTLS; with implicit TLS nothing happens."""
    return lambda case: Want(codes) if case.is_starttls else accepted()


def always(want):
    return lambda _: want


def by_word(**wants):
    return lambda case: wants[case.word.replace("-", "_")]


def flooded(normal):
    """A little of it is normal, and much is not."""
    return lambda case: (GOOD if 0 < case.number <= normal
                         else Want((LIMIT, OK), ((NOT, NOT), (YES, YES)),
                                   (0, 1)))


def slow(case):
    """One octet each so often keeps no time limit from passing."""
    if case.number >= 200:
        return Want(TIMEOUT)
    return Want((OK, TIMEOUT, IN_DOUBT),
                ((YES, YES), (NOT, NOT), (DOUBT, DOUBT)), (0, 1))


def deaf(case):
    """Nothing is read any more, and nothing answered."""
    if not case.is_reached() or case.word in ("content", "quit"):
        return accepted()
    if case.word in ("data", "chunk"):
        return Want((TIMEOUT, IN_DOUBT), ((NOT, NOT), (DOUBT, DOUBT)))
    return Want(TIMEOUT)


GOOD = accepted()
# It is not even asked for.
TOO_LARGE = Want(UNSUPPORTED)
# Each recipient has the mail for itself.
ONE_EACH = Want(OK, ((YES, YES),), (2,))
# The first recipient gets it, and the second one is refused.
HALF = Want(PARTIAL, ((YES, NO),), (1,))


def changed(case):
    """The first handshake is good, and the others are not."""
    return accepted() if case.nth == 0 else Want(CERTIFICATE)


class Row:
    """
    A rule, and the cases that it is tried in: which numbers, how the client
    sends, and the time limit of each phase where it has to wait for that.
    """

    def __init__(self, rule, numbers=(None,), words=None, scenario=None,
                 limit_ms=0):
        self.rule, self.numbers, self.words = rule, numbers, words
        self.scenario, self.limit_ms = scenario, limit_ms

    def scenarios(self, word):
        if self.scenario:
            return (self.scenario,)
        return {"chunk": ("chunks",), "rset": ("rset",),
                "content": ("data", "bdat")}.get(word, ("data",))


# Long enough for a slow machine to get to where it has to wait.
SHORT_MS = 700
CODES = (299, 354, 421, 450, 550)
# More octets than the server says in all.
CONVERSATION = 800
OCTETS = (1, 37, 120, 234, 350, 420, 470, 505, 540, 666, 690, 1000)

ROWS = {
    # STARTTLS.
    "starttls-not-offered": Row(with_starttls(NO_STARTTLS)),
    "starttls-garbled": Row(with_starttls(NO_STARTTLS)),
    "inject-same-segment": Row(with_starttls(PROTOCOL)),
    "inject-next-segment": Row(always(Want((PROTOCOL, TLS)))),
    "inject-before-server-hello": Row(always(Want((PROTOCOL, TLS)))),
    "no-handshake": Row(by_word(
        plaintext=Want((TLS, PROTOCOL)), silence=Want(TIMEOUT),
        close=Want((IO, TLS)), garbage=Want((TLS, PROTOCOL, LIMIT))),
        limit_ms=SHORT_MS),
    "cleartext-after-handshake": Row(always(Want((TLS, PROTOCOL)))),
    "only-before-tls": Row(
        lambda case: Want(AUTH) if case.word == "auth" else GOOD),

    # TLS.
    "certificate": Row(always(Want(CERTIFICATE))),
    "certificate-changes": Row(changed),
    "old-tls": Row(always(Want(TLS))),
    "renegotiate": Row(always(Want(TLS)), (1, 0)),
    "key-updates": Row(flooded(4), (2, 1000, 0)),
    "tickets": Row(flooded(20), (2, 1000, 0)),

    # EHLO.
    "size": Row(by_word(
        zero=GOOD, one=TOO_LARGE, negative=GOOD, text=GOOD, huge=GOOD,
        twice=TOO_LARGE)),
    "limits": Row(lambda case: ONE_EACH if case.word == "one-recipient"
                  else GOOD),
    "limits-lie": Row(always(ONE_EACH)),
    "extensions": Row(always(GOOD)),

    # AUTH.
    "auth-offers": Row(always(Want(AUTH))),
    "auth-endless-challenge": Row(always(Want((AUTH, PROTOCOL, LIMIT)))),
    "auth-bad-base64": Row(always(Want((AUTH, PROTOCOL)))),
    "auth-long-challenge": Row(
        lambda case: Want((AUTH, PROTOCOL) if case.number < 8000 else LIMIT),
        (1000, 20000, 10000000)),
    "auth-repeated": Row(always(Want(AUTH))),
    "auth-with-greeting": Row(always(Want(PROTOCOL))),

    # Which answer.
    "421-at": Row(lambda case: answered(case.with_number(421))),
    "answer": Row(answered, CODES),
    "lie": Row(lied, CODES[1:], limit_ms=SHORT_MS),
    "always-250": Row(always(Want(PROTOCOL))),
    "always-354": Row(always(Want(PROTOCOL))),
    "every-second-recipient": Row(always(HALF)),
    "redirect": Row(by_word(
        **{"251": GOOD, "551": refused(status=67),
           "421": Want(LATER, ((WAIT, NOT), (WAIT, WAIT)))})),
    # Who hears the no in time sends no last chunk.
    "first-chunk-refused": Row(
        always(Want((IN_DOUBT, LATER), ((DOUBT, DOUBT), (WAIT, WAIT)),
                    (0, 1))), scenario="chunks"),

    # How many answers, and when.
    "twice": Row(twice),
    "skip": Row(skipped, limit_ms=SHORT_MS),
    "early": Row(early, scenario="steps", limit_ms=SHORT_MS),
    "reversed": Row(always(Want(PROTOCOL))),

    # What a reply looks like.
    "reply-no-text": Row(odd),
    "reply-no-blank": Row(blank_is_missing),
    "reply-8bit": Row(always(GOOD)),
    "reply-escape": Row(escaped),
    **{f"reply-{name}": Row(broken(PROTOCOL)) for name in (
        "no-code", "short-code", "long-code", "code-0", "code-999",
        "mixed-codes", "empty-line", "nul", "bare-lf", "bare-cr",
        "cr-cr-lf")},
    "reply-no-end": Row(broken(TIMEOUT), limit_ms=SHORT_MS),
    "reply-no-end-close": Row(broken(IO)),
    "reply-line": Row(long_line, (512, 0)),
    "reply-lines": Row(many_lines, (10, 5000)),

    # Time.
    "drip": Row(slow, (1, 200), limit_ms=SHORT_MS),
    "drip-replies": Row(slow, (1, 200), limit_ms=SHORT_MS),
    "stop-reading": Row(deaf, limit_ms=SHORT_MS),

    # The end of the connection.
    "silence-at": Row(broken(TIMEOUT), limit_ms=SHORT_MS),
    "close-at": Row(broken(IO)),
    "notify-at": Row(broken(IO)),
    "reset-at": Row(reset(broken(IO))),
    "half-close-at": Row(broken(IO)),
    "close-behind": Row(broken_behind(IO)),
    "notify-behind": Row(broken_behind(IO)),
    "reset-behind": Row(reset(broken_behind(IO))),
    "half-close-behind": Row(broken_behind(IO)),
    "close-after": Row(after_octets(IO), OCTETS),
    "notify-after": Row(after_octets(IO), OCTETS),
    "reset-after": Row(after_octets(IO, CONNECT), OCTETS),
    "half-close-after": Row(after_octets(IO), OCTETS),
    "silence-after": Row(after_octets(TIMEOUT), OCTETS[1::3],
                         limit_ms=SHORT_MS),
}
