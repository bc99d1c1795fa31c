#!/usr/bin/env python3
"""Interoperability: programs that people send mail with deliver through Postrider.

    clients.py BUILD_DIRECTORY

swaks, msmtp, smtp-source and Python's smtplib by SMTP; each message must be in the mailbox. A client that is not
installed fails the test: where this test runs, its peers are (./dev peers).
"""
import os
import smtplib
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402


def by_swaks(mail, recipient):
    host, port = mail.smtp_address
    return ["swaks", "--server", host, "--port", str(port), "--from", "swaks@client.test", "--to", recipient,
            "--ehlo", "client.test", "--header", "Subject: from swaks", "--pipeline", "--silent", "2"]


def by_msmtp(mail, recipient):
    host, port = mail.smtp_address
    return ["msmtp", f"--host={host}", f"--port={port}", "--from=msmtp@client.test", "--auth=off", "--tls=off",
            "--dsn-notify=failure,delay", "--dsn-return=headers", "--", recipient]


def by_smtp_source(mail, recipient):
    host, port = mail.smtp_address
    return ["smtp-source", "-c", "-m", "20", "-s", "4", "-l", "3000", "-f", "source@client.test", "-t", recipient,
            f"{host}:{port}"]


def run(command, text=""):
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=60,
                          env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "HOME": "/nonexistent"})
    if done.returncode:
        raise SystemExit(f"{command[0]}: exit {done.returncode}\n{(done.stdout + done.stderr).decode(errors='replace')}")


def mailbox(mail):
    top = f"{mail.directory}/mail/{mail.user.pw_name}/new"
    texts = []
    for name in os.listdir(top) if os.path.isdir(top) else []:
        with open(f"{top}/{name}", encoding="utf-8", errors="replace") as f:
            texts.append(f.read())
    return texts


def main():
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    mail = MailSystem(sys.argv[1])
    recipient = f"{mail.user.pw_name}@example.test"
    try:
        mail.start()
        run(by_swaks(mail, recipient))
        run(by_msmtp(mail, recipient), "From: msmtp@client.test\nSubject: from msmtp\n\nbody\n")
        run(by_smtp_source(mail, recipient))
        with smtplib.SMTP(*mail.smtp_address, timeout=20) as client:
            client.sendmail("python@client.test", [recipient], "Subject: from smtplib\r\n\r\nbody\r\n",
                            mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        mail.wait_empty()
        deadline = time.monotonic() + 10
        while len(mailbox(mail)) < 23 and time.monotonic() < deadline:
            time.sleep(0.1)
        texts = mailbox(mail)
        for wanted in ("from swaks", "from msmtp", "from smtplib"):
            if sum(f"Subject: {wanted}" in text for text in texts) != 1:
                raise SystemExit(f"not once in the mailbox: {wanted}\n{mail.log()}")
        if len(texts) != 23:
            raise SystemExit(f"{len(texts)} messages, expected 23\n{mail.log()}")
        return 0
    finally:
        mail.stop()
        mail.destroy()


if __name__ == "__main__":
    sys.exit(main())
