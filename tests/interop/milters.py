#!/usr/bin/env python3
"""Interoperability: OpenDKIM signs mail that comes by SMTP and from the sendmail command, and verifies the signatures.

    milters.py BUILD_DIRECTORY

That a signature verifies says more than that headers arrive: what the filter has seen is what is delivered, byte for byte.
"""
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402

SIGNER, VERIFIER, CHECKED_PORT = 8891, 8892, 10030
CONFIGURATION = """\
Background no
Syslog no
Mode {mode}
Socket inet:{port}@127.0.0.1
Domain example.test
Selector key
KeyFile {dir}/key.pem
Canonicalization simple/simple
InternalHosts {internal}
TestDNSData file:{dir}/records
AuthservID verifier.test
UserID {user}
RequireSafeKeys no
"""


def check(condition, what, log=""):
    if not condition:
        raise SystemExit(f"{what}\n{log}")


def wait_for(condition, what, mail):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"did not happen: {what}\n{mail.log()}")
        time.sleep(0.1)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def start_filter(mail, directory, mode, port):
    path = f"{directory}/{mode}.conf"
    with open(path, "w", encoding="ascii") as f:
        f.write(CONFIGURATION.format(mode=mode, port=port, dir=directory, user=mail.user.pw_name,
                                     internal="127.0.0.1" if mode == "s" else "192.0.2.1"))
    process = subprocess.Popen([shutil.which("opendkim"), "-f", "-x", path])
    wait_for(lambda: answers(port), "a filter that listens", mail)
    return process


def make_key(directory):
    key = f"{directory}/key.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout"], check=True, capture_output=True, text=True).stdout
    body = "".join(line for line in public.splitlines() if not line.startswith("-"))
    with open(f"{directory}/records", "w", encoding="ascii") as f:
        f.write(f"key._domainkey.example.test v=DKIM1; k=rsa; p={body}\n")
    os.chmod(key, 0o644)


def delivered(mail, user):
    path = f"{mail.directory}/mail/{user}/new"
    out = []
    for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
        with open(f"{path}/{name}", "rb") as f:
            out.append(f.read())
    return out


def main():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if not shutil.which("opendkim") or not shutil.which("openssl"):
        print("skipped: needs opendkim and openssl")
        sys.exit(77)
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    mail = MailSystem(sys.argv[1])
    user, filters = mail.user.pw_name, []
    mail.settings.update({
        "smtpd_milters": f"inet:127.0.0.1:{SIGNER}", "non_smtpd_milters": "$smtpd_milters",
        "mail_spool_directory": f"{mail.directory}/mail/", "mydestination": "localhost", "mynetworks": "127.0.0.0/8",
        "always_add_missing_headers": "yes", "line_length_limit": "512"})
    mail.master_text += f"127.0.0.1:{CHECKED_PORT} inet n - n - - smtpd\n" \
                        f"  -o smtpd_milters=inet:127.0.0.1:{VERIFIER} -o local_header_rewrite_clients=\n"
    try:
        directory = f"{mail.directory}/dkim"
        os.mkdir(directory)
        make_key(directory)
        for root, _, files in os.walk(directory):
            for name in [root] + [f"{root}/{f}" for f in files]:
                shutil.chown(name, user) if os.geteuid() == 0 else None
        filters = [start_filter(mail, directory, "s", SIGNER), start_filter(mail, directory, "v", VERIFIER)]
        mail.start()
        body = "From: <joe@example.test>\r\nTo: somebody\r\n <other@example.test>\r\nSubject:  two  spaces\r\n\tand a fold\r\n\r\n" \
               + "text \r\n\r\n.dot\r\n" + "x" * 900 + "\r\n" + "\r\n".join(f"line {i}" for i in range(9000)) + "\r\n\r\n"
        with smtplib.SMTP(*mail.smtp_address) as client:
            client.sendmail("joe@example.test", [f"{user}@localhost"], body)
        mail.run(["sendmail", "-f", "joe@example.test", f"{user}@localhost"],
                 stdin="From: joe@example.test\nSubject: local\n\nshort\n")
        wait_for(lambda: len(delivered(mail, user)) == 2, "two messages", mail)
        signed = delivered(mail, user)
        for message in signed:
            check(b"\nDKIM-Signature: v=1;" in message, "no signature", message.decode())
            # As another system would send it: without what the delivery has added.
            lines = message.split(b"\n")
            while lines[0].split(b":")[0] in (b"Return-Path", b"X-Original-To", b"Delivered-To"):
                lines.pop(0)
            with smtplib.SMTP("127.0.0.1", CHECKED_PORT) as client:
                client.sendmail("joe@example.test", [f"{user}@localhost"], b"\r\n".join(lines))
        wait_for(lambda: len(delivered(mail, user)) == 4, "four messages", mail)
        checked = [m for m in delivered(mail, user) if b"Authentication-Results: verifier.test" in m]
        check(len(checked) == 2, "not verified", b"\n\n".join(delivered(mail, user)).decode())
        for message in checked:
            check(b"dkim=pass" in message, "the signature is not good", message[:3000].decode())
        crashes = mail.crashes()
        check(not crashes, f"crashes: {crashes}")
        mail.stop()
    finally:
        for process in filters:
            process.send_signal(signal.SIGTERM)
        mail.destroy()
    print("passed")


main()
