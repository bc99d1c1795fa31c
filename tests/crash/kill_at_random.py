#!/usr/bin/env python3
"""Crash test: kill -9 at random moments under load; nothing acknowledged may be lost.

    kill_at_random.py BUILD_DIRECTORY everything|single [ROUNDS [SEED]]

"everything" kills all processes at once and starts the mail system again; "single" kills one process in each round, master
included. Senders keep a ledger of the messages that were accepted, by SMTP or by sendmail: for a mailbox, for another
host, for another host that says to come back later, and for a recipient that does not exist there. After the last round
the queue is drained and what arrived is compared with the ledger: a message that did not arrive, or a notice of failure
that did not, is a loss and fails the test. Messages that arrived twice, or arrived without the acceptance having reached
the sender, are counted and allowed: after a crash the sender cannot know, and a delivery whose mark was not written is
repeated.
"""
import os
import random
import re
import smtplib
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402
from servers import SmtpSink            # noqa: E402

threading.excepthook = lambda _: None   # The sink loses its clients all the time.

SENDERS = 5
SUBMITTERS = 1
SUBJECT = re.compile(r"^Subject: ((?:box|relay|later|fail)-\d+)$", re.M)
SETTINGS = {
    "relayhost": "[127.0.0.1]:2525",
    # What is deferred comes back soon, and what master throttles does, too: a test has little time.
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "2s",
    "queue_run_delay": "1s",
    "transport_retry_time": "1s",
    "service_throttle_time": "1s",
    "smtp_address_preference": "ipv4",
}


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.sent, self.acknowledged = 0, set()

    def new(self, rng, user):
        """A message: its name and its recipient."""
        kind = rng.choice(("box", "box", "relay", "relay", "later", "fail"))
        with self.lock:
            self.sent += 1
            ident = f"{kind}-{self.sent}"
        return ident, f"{user}@example.test" if kind == "box" else f"{kind}@dest.test"

    def acknowledge(self, ident):
        with self.lock:
            self.acknowledged.add(ident)


def message(ident, rng):
    return f"Subject: {ident}\r\n\r\n" + ("x" * 70 + "\r\n") * rng.randrange(1, 200)


def keep_sending(mail, ledger, stop, seed):
    rng = random.Random(seed)
    user = mail.user.pw_name
    while not stop.is_set():
        try:
            with smtplib.SMTP(*mail.smtp_address, timeout=10) as client:
                for _ in range(rng.randrange(1, 6)):
                    ident, recipient = ledger.new(rng, user)
                    client.sendmail(f"{user}@example.test", [recipient], message(ident, rng))
                    ledger.acknowledge(ident)
        except (OSError, smtplib.SMTPException):
            time.sleep(0.02)


def keep_submitting(mail, ledger, stop, seed):
    rng = random.Random(seed)
    user = mail.user.pw_name
    while not stop.is_set():
        ident, recipient = ledger.new(rng, user)
        try:
            done = mail.run(["sendmail", "-f", f"{user}@example.test", recipient], stdin=message(ident, rng), check=False)
            if done.returncode == 0:
                ledger.acknowledge(ident)
        except (OSError, subprocess.TimeoutExpired):
            pass
        time.sleep(0.02)


def arrived(mail, sink):
    """How often each message has come where it, or the notice about it, belongs."""
    counts = {}

    def count(text, kinds):
        found = SUBJECT.search(text)
        if found and found.group(1).split("-")[0] in kinds:
            counts[found.group(1)] = counts.get(found.group(1), 0) + 1

    top = f"{mail.directory}/mail/{mail.user.pw_name}"
    for part in ("new", "cur"):
        for name in os.listdir(f"{top}/{part}") if os.path.isdir(f"{top}/{part}") else []:
            with open(f"{top}/{part}/{name}", encoding="utf-8", errors="replace") as f:
                count(f.read(), ("box", "fail"))
    for _, _, content in sink.messages:
        count("\n".join(content), ("relay", "later"))
    return counts


def wait_until_dead(mail):
    deadline = time.monotonic() + 20
    while mail.processes() and time.monotonic() < deadline:
        mail.kill()
        time.sleep(0.01)


def start_again(mail):
    """A child of the former master may hold what a new one needs for a moment."""
    for _ in range(50):
        if mail.run("postfix start", check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError("the mail system does not start\n" + mail.log()[-3000:])


def kill_everything(mail, rng):
    time.sleep(rng.uniform(0.2, 1.5))
    mail.kill()
    wait_until_dead(mail)
    start_again(mail)
    return "everything"


def kill_one(mail, rng):
    time.sleep(rng.uniform(0.05, 0.4))
    processes = mail.processes()
    if not processes:
        return "nothing"
    program = rng.choice(sorted({name for _, name in processes}))
    pid = rng.choice([pid for pid, name in processes if name == program])
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        pass
    if program == "master":
        start_again(mail)
    return program


def run(build, mode, rounds, seed):
    rng = random.Random(seed)
    mail = MailSystem(build)
    mail.settings |= SETTINGS
    # A notice that dies with its sender costs the time until the next wake-up.
    mail.master_text = "qmgr unix n - n 2 1 qmgr\npickup unix n - n 2 1 pickup\n"
    # "later" is told to come back every other time.
    sink = SmtpSink("127.0.0.1", 2525, {"RCPT TO:<fail@": "550 5.1.1 no such user",
                                        "RCPT TO:<later@": ["451 4.2.0 come later", "250 2.1.5 Ok"] * 20_000})
    ledger, stop = Ledger(), threading.Event()
    senders = [threading.Thread(target=keep_sending, args=(mail, ledger, stop, seed + i)) for i in range(SENDERS)]
    senders += [threading.Thread(target=keep_submitting, args=(mail, ledger, stop, seed + SENDERS + i))
                for i in range(SUBMITTERS)]
    killed = {}
    try:
        namespaces.use_resolver(mail.directory)
        mail.start()
        for sender in senders:
            sender.start()
        for _ in range(rounds):
            victim = (kill_everything if mode == "everything" else kill_one)(mail, rng)
            killed[victim] = killed.get(victim, 0) + 1
        time.sleep(0.5)
        stop.set()
        for sender in senders:
            sender.join()
        mail.wait_empty(timeout=150)
        counts = arrived(mail, sink)
        lost = sorted(ledger.acknowledged - set(counts))
        twice = sum(1 for n in counts.values() if n > 1)
        unknown = len(set(counts) - ledger.acknowledged)
        print(f"{mode}, {rounds} rounds, seed {seed}: {ledger.sent} sent, {len(ledger.acknowledged)} acknowledged, "
              f"{len(lost)} lost, {twice} delivered twice, {unknown} delivered without the sender knowing; killed: "
              + ", ".join(f"{name} {n}" for name, n in sorted(killed.items())))
        crashes = mail.crashes()
        if crashes:
            print("crashed by themselves:", *crashes[:20], sep="\n")
        if lost or crashes or not ledger.acknowledged:
            print("lost:" if lost else "nothing was acknowledged" if not crashes else "", *lost[:20])
            print(mail.log()[-20000:])
        return 1 if lost or crashes or not ledger.acknowledged else 0
    except RuntimeError:
        print(mail.log()[-5000:])
        raise
    finally:
        stop.set()
        mail.destroy()


def main():
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    mode = sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
    return run(sys.argv[1], mode, rounds, seed)


if __name__ == "__main__":
    sys.exit(main())
