#!/usr/bin/env python3
"""Interoperability: mail passes both ways between Postrider and other mail systems.

    relays.py BUILD_DIRECTORY postfix|exim|opensmtpd PEERS_DIRECTORY

Postrider sends all mail for other domains to the peer, which takes mail for peer.test and sends mail for example.test to
Postrider. PEERS_DIRECTORY holds Exim and
OpenSMTPD, unpacked by ./dev peers; Postfix is the installed one. Needs root.
"""
import ctypes
import os
import shutil
import smtplib
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402
from servers import DnsServer           # noqa: E402

COUNT = 20
MS_BIND = 0x1000
LIBC = ctypes.CDLL(None, use_errno=True)

EXIM = """\
primary_hostname = peer.test
exim_path = {peers}/usr/sbin/exim4
spool_directory = {dir}/exim
log_file_path = {dir}/exim/%slog
pid_file_path = {dir}/exim/pid
local_interfaces = 127.0.0.1.2525
tls_advertise_hosts =
keep_environment =
never_users =
acl_smtp_rcpt = accept
begin routers
back:
  driver = manualroute
  domains = example.test
  route_list = * 127.0.0.1::10025 byname
  self = send
  transport = smtp
mine:
  driver = accept
  domains = peer.test
  transport = file
begin transports
smtp:
  driver = smtp
file:
  driver = appendfile
  directory = {dir}/got
  maildir_format
  create_directory
  user = {user}
begin retry
* * F,2h,1m
"""
OPENSMTPD = """\
listen on 127.0.0.1 port 2525 hostname peer.test
action "mine" maildir "{dir}/got" user {user}
action "back" relay host smtp://127.0.0.1:10025
match from any for domain "example.test" action "back"
match from any for domain "peer.test" action "mine"
"""
POSTFIX_MAIN = """\
compatibility_level = 3.6
myhostname = peer.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
virtual_mailbox_domains = peer.test
virtual_mailbox_base = {dir}
virtual_mailbox_maps = static:got/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
transport_maps = inline:{{ {{ example.test = smtp:[127.0.0.1]:10025 }} }}
smtpd_peername_lookup = no
maillog_file = /var/lib/postfix/log
"""
POSTFIX_MASTER = """\
127.0.0.1:2525 inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
showq unix n - n - - showq
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


def mount(source, target, kind=None, flags=MS_BIND, data=None):
    encoded = [x.encode() if x else None for x in (source, target, kind)]
    if LIBC.mount(*encoded, flags, data.encode() if data else None):
        raise OSError(ctypes.get_errno(), f"mount {target}")


def private_directory(path):
    os.makedirs(path, exist_ok=True)
    mount("tmpfs", path, "tmpfs", 0, "mode=0755")


def with_accounts(directory, names):
    """Adds users and groups of these names for this namespace."""
    for name, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/bin/false\n"), ("group", "{0}:x:{1}:\n")):
        path = f"{directory}/{name}"
        shutil.copy(f"/etc/{name}", path)
        with open(path, "a", encoding="utf-8") as f:
            f.writelines(line.format(user, 64100 + i) for i, user in enumerate(names))
        os.chmod(path, 0o644)
        mount(path, f"/etc/{name}")


def shell(*command, check=True):
    done = subprocess.run(command, capture_output=True, timeout=60)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}\n{(done.stdout + done.stderr).decode(errors='replace')}")


def start_postfix(mail, _):
    shipped = {}
    for name in ("postfix-script", "post-install", "postfix-files", "dynamicmaps.cf"):
        with open(f"/etc/postfix/{name}", "rb") as f:
            shipped[name] = f.read(), os.stat(f"/etc/postfix/{name}").st_mode
    for path in ("/etc/postfix", "/var/spool/postfix", "/var/lib/postfix"):
        private_directory(path)
    user = mail.user
    shipped["main.cf"] = POSTFIX_MAIN.format(dir=mail.directory, uid=user.pw_uid, gid=user.pw_gid).encode(), 0o644
    shipped["master.cf"] = POSTFIX_MASTER.encode(), 0o644
    for name, (data, mode) in shipped.items():
        with open(f"/etc/postfix/{name}", "wb") as f:
            f.write(data)
        os.chmod(f"/etc/postfix/{name}", mode & 0o777)
    shutil.chown("/var/lib/postfix", "postfix", "postfix")
    shell("/usr/sbin/postfix", "-c", "/etc/postfix", "start")
    return lambda: shell("/usr/sbin/postfix", "-c", "/etc/postfix", "abort", check=False)


def start_exim(mail, peers):
    with_accounts(f"{mail.directory}/tmp", ["Debian-exim"])
    for name in ("exim", "got"):
        os.makedirs(f"{mail.directory}/{name}")
    shutil.chown(f"{mail.directory}/exim", "Debian-exim", "Debian-exim")
    shutil.chown(f"{mail.directory}/got", mail.user.pw_name)
    private_directory("/etc/exim4")  # Another place for its configuration would cost it its privileges.
    with open("/etc/exim4/exim4.conf", "w", encoding="utf-8") as f:
        f.write(EXIM.format(dir=mail.directory, peers=os.path.abspath(peers), user=mail.user.pw_name))
    process = subprocess.Popen([f"{peers}/usr/sbin/exim4", "-bdf", "-q1m"])
    return process.terminate


def start_opensmtpd(mail, peers):
    with_accounts(f"{mail.directory}/tmp", ["opensmtpd", "opensmtpq"])
    os.makedirs(f"{mail.directory}/got")
    shutil.chown(f"{mail.directory}/got", mail.user.pw_name)
    private_directory("/var/spool")
    os.makedirs("/var/spool/smtpd", 0o711)
    private_directory("/var/lib")
    os.makedirs("/var/lib/opensmtpd/empty")
    private_directory("/usr/libexec")
    shutil.copytree(f"{peers}/usr/libexec/opensmtpd", "/usr/libexec/opensmtpd")
    config = f"{mail.directory}/smtpd.conf"
    with open(config, "w", encoding="utf-8") as f:
        f.write(OPENSMTPD.format(dir=mail.directory, user=mail.user.pw_name))
    process = subprocess.Popen([f"{peers}/usr/sbin/smtpd", "-d", "-f", config], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    return process.terminate


def wait_for_port(port):
    deadline = time.monotonic() + 20
    while True:
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
                client.noop()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def count(directory):
    folder = f"{directory}/new"
    return len(os.listdir(folder)) if os.path.isdir(folder) else 0


def send(port, recipient):
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        for number in range(COUNT):
            client.sendmail("joe@client.test", [recipient], f"Subject: {number}\r\n\r\n.text\r\n" + "y" * 500 + "\r\n")


def main():
    if os.geteuid() != 0:
        print("skipped: needs root")
        return 77
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    mail = MailSystem(sys.argv[1])
    namespaces.use_resolver(mail.directory)
    DnsServer("1.0.0.127.in-addr.arpa PTR localhost\nlocalhost A 127.0.0.1\n")
    mail.settings["relayhost"] = "[127.0.0.1]:2525"
    stop = None
    try:
        mail.start()
        stop = {"postfix": start_postfix, "exim": start_exim, "opensmtpd": start_opensmtpd}[sys.argv[2]](mail, sys.argv[3])
        wait_for_port(2525)
        send(10025, f"{mail.user.pw_name}@peer.test")
        send(2525, f"{mail.user.pw_name}@example.test")
        deadline = time.monotonic() + 60
        there, here = f"{mail.directory}/got", f"{mail.directory}/mail/{mail.user.pw_name}"
        while count(there) < COUNT or count(here) < COUNT:
            if time.monotonic() > deadline:
                raise SystemExit(f"{count(there)} of {COUNT} messages there, {count(here)} of {COUNT} here\n{mail.log()}")
            time.sleep(0.1)
        return 0
    finally:
        if stop:
            stop()
        mail.stop()
        mail.destroy()


if __name__ == "__main__":
    sys.exit(main())
