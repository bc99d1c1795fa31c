#!/usr/bin/env python3
"""A queue on a disk that fills up: clients are told to come back (452, or 451 when it happens under their message), and
everything that was accepted is delivered once there is room.

    full_disk.py BUILD_DIRECTORY
"""
import ctypes
import os
import smtplib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402
from servers import SmtpSink            # noqa: E402

SIZE = 1 << 20
BODY = ("x" * 70 + "\r\n") * 600     # 43 kB


def mount_small(directory, user):
    os.makedirs(directory)
    options = f"size={SIZE},mode=755,uid={user.pw_uid},gid={user.pw_gid}".encode()
    if ctypes.CDLL(None, use_errno=True).mount(b"tmpfs", directory.encode(), b"tmpfs", 0, options):
        print(f"skipped: tmpfs: {os.strerror(ctypes.get_errno())}")
        sys.exit(77)


def send(client, ident):
    """None, or the reply that refused it."""
    try:
        client.sendmail("sender@client.test", ["later@dest.test"], f"Subject: {ident}\r\n\r\n{BODY}")
        return None
    except smtplib.SMTPSenderRefused as refused:
        return refused.smtp_code, refused.smtp_error.decode()
    except smtplib.SMTPDataError as refused:
        return refused.smtp_code, refused.smtp_error.decode()


def fill_under_a_message(mail):
    """The reply to a message whose disk is full when its content comes."""
    with smtplib.SMTP(*mail.smtp_address, timeout=20) as client:
        client.ehlo()
        for command in ("MAIL FROM:<sender@client.test>", "RCPT TO:<later@dest.test>", "DATA"):
            code, text = client.docmd(command)
            if code >= 400:
                raise RuntimeError(f"{command}: {code} {text}")
        filler = f"{mail.directory}/spool/filler"
        fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(fd, b"x" * 4096):
                pass
        except OSError:
            os.close(fd)
        client.send(f"Subject: under\r\n\r\n{BODY}.\r\n")
        code, text = client.getreply()
        os.unlink(filler)
        return code, text.decode()


def run(build):
    mail = MailSystem(build)
    mail.settings |= {"relayhost": "[127.0.0.1]:2525", "message_size_limit": "60000", "minimal_backoff_time": "1s",
                      "maximal_backoff_time": "1s", "queue_run_delay": "1s", "smtp_address_preference": "ipv4",
                      "smtpd_error_sleep_time": "0"}
    sink = SmtpSink("127.0.0.1", 2525, {"RCPT TO": "451 4.2.0 come later"})
    failures, accepted = [], set()
    try:
        namespaces.use_resolver(mail.directory)
        mount_small(f"{mail.directory}/spool", mail.user)
        mail.start()
        code, text = fill_under_a_message(mail)
        if code not in (451, 452):
            failures.append(f"full under a message: {code} {text}")
        refused = 0
        for number in range(60):
            with smtplib.SMTP(*mail.smtp_address, timeout=20) as client:
                reply = send(client, f"msg-{number}")
            if reply is None:
                accepted.add(f"msg-{number}")
            elif reply[0] == 452:
                refused += 1
            else:
                failures.append(f"msg-{number}: {reply}")
            if refused == 5:
                break
        if not refused or not accepted:
            failures.append(f"{len(accepted)} accepted, {refused} refused: the disk never became full")
        sink.replies.clear()
        mail.run("postqueue -f")
        mail.wait_empty(timeout=60)
        arrived = [line for _, _, content in sink.messages for line in content if line.startswith("Subject: ")]
        lost = sorted(accepted - {line[9:] for line in arrived})
        if lost:
            failures.append(f"lost: {' '.join(lost)}")
        print(f"{len(accepted)} accepted, {refused} refused with 452, {len(lost)} lost")
        for failure in failures:
            print(failure)
        if failures:
            print(mail.log()[-8000:])
        return 1 if failures else 0
    except RuntimeError:
        print(mail.log()[-8000:])
        raise
    finally:
        mail.destroy()


def main():
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    return run(sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
