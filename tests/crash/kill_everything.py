#!/usr/bin/env python3
"""Crash test: kill -9 of every process at random moments under load, then a restart; nothing acknowledged may be lost.

    kill_everything.py BUILD_DIRECTORY [ROUNDS [SEED]]

Senders keep a ledger of the messages that were answered with 250. After the last round the queue is drained and the
mailbox compared with the ledger: a message of the ledger that is missing is a loss and fails the test. Messages that
arrived twice, or arrived without their 250 having reached the sender, are counted and allowed: after a crash the
sender cannot know, and a delivery whose mark was not written is repeated.
"""
import os
import random
import smtplib
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402

SENDERS = 6


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.sent, self.acknowledged = 0, set()

    def next_id(self):
        with self.lock:
            self.sent += 1
            return f"msg-{self.sent}"

    def acknowledge(self, ident):
        with self.lock:
            self.acknowledged.add(ident)


def keep_sending(mail, ledger, stop, seed):
    rng = random.Random(seed)
    recipient = f"{mail.user.pw_name}@example.test"
    while not stop.is_set():
        try:
            with smtplib.SMTP(*mail.smtp_address, timeout=10) as client:
                for _ in range(rng.randrange(1, 6)):
                    ident = ledger.next_id()
                    body = "x" * 70 + "\r\n"
                    text = f"Subject: {ident}\r\n\r\n" + body * rng.randrange(1, 200)
                    client.sendmail("sender@client.test", [recipient], text)
                    ledger.acknowledge(ident)
        except (OSError, smtplib.SMTPException):
            time.sleep(0.02)


def arrived(mail):
    """How often each message is in the mailbox."""
    counts = {}
    top = f"{mail.directory}/mail/{mail.user.pw_name}"
    for part in ("new", "cur"):
        for name in os.listdir(f"{top}/{part}") if os.path.isdir(f"{top}/{part}") else []:
            with open(f"{top}/{part}/{name}", encoding="utf-8", errors="replace") as f:
                for line in f:
                    if line.startswith("Subject: msg-"):
                        ident = line.split()[1]
                        counts[ident] = counts.get(ident, 0) + 1
                        break
    return counts


def wait_until_dead(mail):
    deadline = time.monotonic() + 20
    while mail.processes() and time.monotonic() < deadline:
        mail.kill()
        time.sleep(0.01)


def run(build, rounds, seed):
    rng = random.Random(seed)
    mail, ledger, stop = MailSystem(build), Ledger(), threading.Event()
    senders = [threading.Thread(target=keep_sending, args=(mail, ledger, stop, seed + i)) for i in range(SENDERS)]
    try:
        mail.start()
        for sender in senders:
            sender.start()
        for _ in range(rounds):
            time.sleep(rng.uniform(0.2, 1.5))
            mail.kill()
            wait_until_dead(mail)
            mail.run("postfix start")
        time.sleep(0.5)
        stop.set()
        for sender in senders:
            sender.join()
        mail.wait_empty(timeout=120)
        counts = arrived(mail)
        lost = sorted(ledger.acknowledged - set(counts))
        twice = sum(1 for n in counts.values() if n > 1)
        unknown = len(set(counts) - ledger.acknowledged)
        print(f"{rounds} rounds, seed {seed}: {ledger.sent} sent, {len(ledger.acknowledged)} acknowledged, "
              f"{len(lost)} lost, {twice} delivered twice, {unknown} delivered without the sender knowing")
        if lost:
            print("lost:", *lost[:20])
            print(mail.log()[-20000:])
        if not ledger.acknowledged:
            print("nothing was acknowledged: the test tested nothing")
            print(mail.log()[-20000:])
        return 1 if lost or not ledger.acknowledged else 0
    finally:
        stop.set()
        mail.destroy()


def main():
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    return run(sys.argv[1], rounds, seed)


if __name__ == "__main__":
    sys.exit(main())
