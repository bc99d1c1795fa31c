#!/usr/bin/env python3
"""Interoperability: mail that Postrider sends on arrives at other servers, and what it stores can be read by them.

    stores.py BUILD_DIRECTORY postfix|dovecot

postfix: Debian's Postfix, in a private mount namespace with its own /etc/postfix and queue, takes mail by SMTP; it
holds what it gets. dovecot: takes mail by LMTP, and reads with IMAP's library, while mail is being delivered, a Maildir and
an mbox that Postrider writes. Both need root.
"""
import ctypes
import grp
import json
import os
import pwd
import smtplib
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402

COUNT = 30
MAIN_CF = """\
compatibility_level = 3.6
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
myhostname = other.test
mydestination = other.test
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
smtpd_recipient_restrictions = check_client_access static:HOLD, reject_unauth_destination
maillog_file = /var/lib/postfix/log
maillog_file_prefixes = /var/lib/postfix
"""
MASTER_CF = """\
127.0.0.1:2525 inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
pickup unix n - n 60 1 pickup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
showq unix n - n - - showq
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT = """\
protocols = imap lmtp
base_dir = {dir}/dovecot
state_dir = {dir}/dovecot-state
log_path = {dir}/dovecot.log
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
ssl = no
mail_location = maildir:{dir}/store/%u
first_valid_uid = 1
auth_mechanisms = plain
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/store/%u
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = 2424
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


def shell(command, check=True):
    done = subprocess.run(command, capture_output=True, timeout=60)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}\n{(done.stdout + done.stderr).decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def wait_for(condition, what, log=lambda: ""):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"did not happen: {what}\n{log()}")
        time.sleep(0.1)


def send(mail, recipients, tag):
    with smtplib.SMTP(*mail.smtp_address, timeout=20) as client:
        for number in range(COUNT):
            client.sendmail("joe@client.test", [recipients[number % len(recipients)]],
                            f"Subject: {tag} {number}\r\n\r\nFrom here on, text.\r\n.dot\r\n" + "x" * 70 + "\r\n")


# ---- Debian's Postfix -------------------------------------------------------------------------------------------

def private_directory(path):
    """An empty directory in place of what this machine has there, for this namespace only."""
    if ctypes.CDLL(None, use_errno=True).mount(b"tmpfs", path.encode(), b"tmpfs", 0, b"mode=0755"):
        raise OSError(ctypes.get_errno(), path)


def with_postfix(mail):
    for path in ("/etc/postfix", "/var/spool/postfix", "/var/lib/postfix"):
        os.makedirs(path, exist_ok=True)
    shipped = {}
    for name in ("postfix-script", "post-install", "postfix-files", "dynamicmaps.cf"):
        with open(f"/etc/postfix/{name}", "rb") as f:
            shipped[name] = f.read(), os.stat(f"/etc/postfix/{name}").st_mode
    for path in ("/etc/postfix", "/var/spool/postfix", "/var/lib/postfix"):
        private_directory(path)
    for name, (data, mode) in shipped.items():
        with open(f"/etc/postfix/{name}", "wb") as f:
            f.write(data)
        os.chmod(f"/etc/postfix/{name}", mode & 0o777)
    owner = pwd.getpwnam("postfix")
    os.chown("/var/lib/postfix", owner.pw_uid, grp.getgrnam("postfix").gr_gid)
    for name, text in (("main.cf", MAIN_CF), ("master.cf", MASTER_CF)):
        with open(f"/etc/postfix/{name}", "w", encoding="utf-8") as f:
            f.write(text)

    def queue():
        lines = shell(["/usr/sbin/postqueue", "-c", "/etc/postfix", "-j"], check=False).splitlines()
        return [json.loads(line) for line in lines]

    def log():
        with open("/var/lib/postfix/log", encoding="utf-8", errors="replace") as f:
            return f.read() + mail.log()

    shell(["/usr/sbin/postfix", "-c", "/etc/postfix", "start"])
    try:
        mail.settings["relayhost"] = "[127.0.0.1]:2525"
        mail.start()
        send(mail, ["a@other.test", "b@other.test"], "to postfix")
        mail.wait_empty()
        wait_for(lambda: len(queue()) == COUNT, f"{COUNT} messages at Postfix, which has {len(queue())}", log)
        text = shell(["/usr/sbin/postcat", "-c", "/etc/postfix", "-q", queue()[0]["queue_id"]])
        if "\n.dot\n" not in text or "from mx.example.test" not in text:
            raise SystemExit(f"the content has changed:\n{text}")
    finally:
        shell(["/usr/sbin/postfix", "-c", "/etc/postfix", "abort"], check=False)


# ---- Dovecot ----------------------------------------------------------------------------------------------------

class Dovecot:
    def __init__(self, mail):
        self.mail = mail
        user = mail.user
        self.config = f"{mail.directory}/dovecot.conf"
        os.makedirs(f"{mail.directory}/store", exist_ok=True)
        os.chown(f"{mail.directory}/store", user.pw_uid, user.pw_gid)
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(DOVECOT.format(dir=mail.directory, user=user.pw_name, group=grp.getgrgid(user.pw_gid).gr_name,
                                   uid=user.pw_uid, gid=user.pw_gid))
        self.process = subprocess.Popen(["dovecot", "-F", "-c", self.config])

    def count(self, user, location=None):
        override = ["-o", f"mail_location={location}"] if location else []
        out = shell(["doveadm", "-c", self.config, *override, "-f", "flow", "mailbox", "status", "-u", user, "messages",
                     "INBOX"], check=False)
        return int(out.rpartition("messages=")[2].split()[0]) if "messages=" in out else -1

    def log(self):
        try:
            with open(f"{self.mail.directory}/dovecot.log", encoding="utf-8", errors="replace") as f:
                return f.read() + self.mail.log()
        except FileNotFoundError:
            return self.mail.log()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def with_dovecot(mail):
    mail.settings["transport_maps"] = "inline:{ { store.test = lmtp:inet:[127.0.0.1]:2424 } }"
    mail.settings["virtual_mailbox_domains"] = "boxes.test"
    mail.settings["virtual_mailbox_base"] = f"{mail.directory}/boxes"
    mail.settings["virtual_mailbox_maps"] = "inline:{ { dir@boxes.test = dir/ }, { file@boxes.test = file } }"
    mail.settings["virtual_uid_maps"] = f"static:{mail.user.pw_uid}"
    mail.settings["virtual_gid_maps"] = f"static:{mail.user.pw_gid}"
    mail.settings["virtual_minimum_uid"] = "1"
    os.makedirs(f"{mail.directory}/boxes")
    mail.start()
    dovecot = Dovecot(mail)
    try:
        send(mail, ["ann@store.test"], "to lmtp")
        send(mail, ["dir@boxes.test", "file@boxes.test"], "to mailboxes")
        places = {"dir": f"maildir:{mail.directory}/boxes/dir", "file": f"mbox:~/mail:INBOX={mail.directory}/boxes/file"}
        while mail.queue():  # Read while mail is being delivered.
            for user, place in places.items():
                dovecot.count(user, place)
        wait_for(lambda: dovecot.count("ann@store.test") == COUNT, f"{COUNT} messages by LMTP", dovecot.log)
        for user, place in places.items():
            wait_for(lambda u=user, p=place: dovecot.count(u, p) == COUNT // 2, f"{COUNT // 2} messages in {place}",
                     dovecot.log)
    finally:
        dovecot.stop()


def main():
    if os.geteuid() != 0:
        print("skipped: needs root")
        return 77
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    mail = MailSystem(sys.argv[1])
    try:
        {"postfix": with_postfix, "dovecot": with_dovecot}[sys.argv[2]](mail)
        return 0
    finally:
        mail.stop()
        mail.destroy()


if __name__ == "__main__":
    sys.exit(main())
