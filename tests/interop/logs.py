#!/usr/bin/env python3
"""Interoperability: log analysers for Postfix understand Postrider's log.

    logs.py BUILD_DIRECTORY

pflogsumm has to count what was received, delivered, deferred and refused; fail2ban's filter for Postfix has to find the
client that guesses at recipients.
"""
import os
import re
import smtplib
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402


def make_log(mail):
    """Two delivered, one deferred, three refused."""
    user = f"{mail.user.pw_name}@example.test"
    mail.settings["transport_maps"] = "inline:{ { later.test = retry:4.2.0 try later }, { never.test = discard: } }"
    mail.settings["smtpd_sender_restrictions"] = "check_sender_access inline:{ { bad.test = REJECT go away } }"
    mail.start()
    with smtplib.SMTP(*mail.smtp_address, timeout=20) as client:
        for _ in range(2):
            client.sendmail("joe@client.test", [user], "Subject: x\r\n\r\nbody\r\n")
        for sender, recipient in (("joe@bad.test", user), ("joe@client.test", "nosuchuser@example.test"),
                                  ("joe@client.test", "another@example.test")):
            try:
                client.sendmail(sender, [recipient], "Subject: x\r\n\r\nbody\r\n")
            except smtplib.SMTPException:
                client.rset()
            else:
                raise SystemExit(f"was accepted: {sender} {recipient}")
    mail.run(["sendmail", "-f", "joe@client.test", "x@later.test"], stdin="Subject: x\n\nbody\n")
    mail.wait_queue(lambda entries: [e["queue_name"] for e in entries] == ["deferred"], "one deferred message")
    mail.stop()
    return f"{mail.directory}/maillog"


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    if done.returncode:
        raise SystemExit(f"{command[0]}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def check_pflogsumm(log):
    text = run(["pflogsumm", log])
    for what, count in (("received", 3), ("delivered", 2), ("deferred", 1), ("bounced", 0), ("rejected", 3)):
        if not re.search(rf"^\s*{count}\s+{what}\b", text, re.M):
            raise SystemExit(f"pflogsumm does not count {count} {what}:\n{text}")


def check_fail2ban(log):
    text = run(["fail2ban-regex", "--print-all-matched", log, "/etc/fail2ban/filter.d/postfix.conf[mode=aggressive]"])
    match = re.search(r"Lines: \d+ lines, \d+ ignored, (\d+) matched", text)
    # Its rules leave out refusals with a text of the administrator's own.
    if not match or int(match.group(1)) != 2:
        raise SystemExit(f"fail2ban finds {match and match.group(1)} of 2 guesses at recipients:\n{text}")


def main():
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    mail = MailSystem(sys.argv[1])
    try:
        log = make_log(mail)
        check_pflogsumm(log)
        check_fail2ban(log)
        return 0
    finally:
        mail.stop()
        mail.destroy()


if __name__ == "__main__":
    sys.exit(main())
