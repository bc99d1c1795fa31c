#!/usr/bin/env python3
"""Many sessions at once, of a site that asks every service it has about each recipient.

    under_load.py BUILD_DIRECTORY [SENDERS [SESSIONS]]

Each of SENDERS threads holds SESSIONS sessions after each other, with pipelined commands and several recipients of different
kinds: a mailbox, an alias, another host, an unknown user (refused), a recipient that the policy service refuses. Nobody may be
told to come back later; each accepted recipient gets the message exactly once, and the log has no warning.
"""
import os
import random
import re
import smtplib
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402
from servers import SmtpSink            # noqa: E402

SETTINGS = {
    "relayhost": "[127.0.0.1]:2525",
    "local_recipient_maps": "proxy:unix:passwd.byname $alias_maps",
    "virtual_alias_domains": "",
    "recipient_delimiter": "+",
    "smtpd_sender_restrictions": "check_sender_access inline:{bad@client.test=REJECT}, reject_non_fqdn_sender",
    "smtpd_recipient_restrictions": "check_policy_service inet:127.0.0.1:2526, reject_unverified_recipient, permit",
    "unverified_recipient_reject_code": "550",
    "address_verify_map": "",
    "address_verify_poll_count": "20",
    "address_verify_poll_delay": "1s",
    "smtpd_client_connection_rate_limit": "100000",
    "smtpd_client_message_rate_limit": "100000",
    "smtpd_client_recipient_rate_limit": "100000",
    "smtpd_client_event_limit_exceptions": "",
    "smtpd_client_connection_count_limit": "1000",
    "always_bcc": "archive@dest.test",
    "smtp_generic_maps": "inline:{nobody@example.test=somebody@example.test}",
}
SUBJECT = re.compile(r"^Subject: (m\d+)$", re.M)


class PolicyServer:
    """Says DUNNO, but to recipients that begin with "no"."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    @staticmethod
    def serve(connection):
        with connection, connection.makefile("rwb") as stream:
            attributes = {}
            for line in stream:
                if line != b"\n":
                    name, _, value = line.rstrip(b"\n").partition(b"=")
                    attributes[name] = value
                    continue
                refused = attributes.get(b"recipient", b"").startswith(b"no-")
                stream.write(b"action=REJECT not this one\n\n" if refused else b"action=DUNNO\n\n")
                stream.flush()
                attributes = {}


class Load:
    def __init__(self, mail):
        self.mail, self.lock = mail, threading.Lock()
        self.expected = {}      # (message, kind) -> how often
        self.complaints = []
        self.count = 0

    def name(self):
        with self.lock:
            self.count += 1
            return f"m{self.count}"

    def expect(self, ident, kinds):
        with self.lock:
            for kind in kinds:
                self.expected[ident, kind] = self.expected.get((ident, kind), 0) + 1

    def complain(self, text):
        with self.lock:
            self.complaints.append(text)

    def session(self, rng):
        user = self.mail.user.pw_name
        recipients = {f"{user}+x@example.test": ["box"], "list@example.test": ["box", "away"],
                      "far@dest.test": ["far"], "nobody-here@example.test": None, "no-thanks@dest.test": None}
        with smtplib.SMTP(*self.mail.smtp_address, timeout=100) as client:
            client.ehlo("client.test")
            for _ in range(rng.randrange(1, 4)):
                ident = self.name()
                chosen = rng.sample(sorted(recipients), rng.randrange(1, 5))
                # Pipelined, as mail servers do.
                client.send("".join(["MAIL FROM:<a@client.test>\r\n"] + [f"RCPT TO:<{r}>\r\n" for r in chosen]))
                if client.getreply()[0] != 250:
                    return self.complain(f"{ident}: MAIL refused")
                accepted = []
                for recipient in chosen:
                    code, text = client.getreply()
                    if (code == 250) != (recipients[recipient] is not None) or 400 <= code < 500:
                        self.complain(f"{ident} {recipient}: {code} {text.decode()}")
                    if code == 250:
                        accepted.append(recipient)
                if not accepted:
                    client.rset()
                    continue
                code, text = client.data(f"Subject: {ident}\r\nX-Secret: y\r\n\r\n" + "line\r\n" * rng.randrange(300))
                if code != 250:
                    return self.complain(f"{ident}: {code} {text.decode()}")
                self.expect(ident, [kind for r in accepted for kind in recipients[r]] + ["archive"])

    def sender(self, seed, sessions):
        rng = random.Random(seed)
        for _ in range(sessions):
            try:
                self.session(rng)
            except (OSError, smtplib.SMTPException) as error:
                self.complain(f"session: {error!r}")


def arrived(mail, sink):
    counts = {}

    def count(text, kind):
        ident = SUBJECT.search(text).group(1)
        counts[ident, kind] = counts.get((ident, kind), 0) + 1

    top = f"{mail.directory}/mail/{mail.user.pw_name}/new"
    for name in os.listdir(top):
        with open(f"{top}/{name}", encoding="utf-8", errors="replace") as f:
            count(f.read(), "box")
    for _, recipients, content in sink.messages:
        text = "\n".join(content)
        for recipient in recipients if SUBJECT.search(text) else []:
            count(text, recipient.lstrip("<").split("@")[0])
        if "X-Secret" in text:
            counts[text[:80], "with its secret"] = 1
    return counts


def run(build, senders, sessions):
    mail = MailSystem(build)
    user = mail.user.pw_name
    mail.settings |= SETTINGS
    mail.settings["virtual_alias_maps"] = (
        "inline:{ { list@example.test = %s@example.test, away@dest.test } }" % user)
    mail.settings["header_checks"] = "regexp:" + mail.write("header_checks", "/^X-Secret:/ IGNORE\n")
    sink, _ = SmtpSink("127.0.0.1", 2525), PolicyServer(2526)
    load = Load(mail)
    threads = [threading.Thread(target=load.sender, args=(seed, sessions)) for seed in range(senders)]
    try:
        namespaces.use_resolver(mail.directory)
        mail.start()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        mail.wait_empty(timeout=150)
        counts = arrived(mail, sink)
        wrong = [f"{key}: {counts.get(key, 0)} instead of {load.expected.get(key, 0)}"
                 for key in sorted(set(counts) | set(load.expected)) if counts.get(key, 0) != load.expected.get(key, 0)]
        warnings = [line for line in mail.log().splitlines()
                    if re.search(r": (warning|error|fatal|panic): ", line)]
        print(f"{senders} senders, {load.count} messages, {sum(load.expected.values())} deliveries: "
              f"{len(load.complaints)} complaints, {len(wrong)} wrong, {len(warnings)} warnings")
        print(*load.complaints[:20], *wrong[:20], *warnings[:20], sep="\n")
        return 1 if load.complaints or wrong or warnings or not load.expected else 0
    except RuntimeError:
        print(mail.log()[-5000:])
        raise
    finally:
        mail.destroy()


def main():
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    senders, sessions = (int(word) for word in (sys.argv[2:4] or ("30", "6")))
    return run(sys.argv[1], senders, sessions)


if __name__ == "__main__":
    sys.exit(main())
