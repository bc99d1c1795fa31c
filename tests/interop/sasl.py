#!/usr/bin/env python3
"""Interoperability: clients log in with the passwords that Dovecot, sasldb and saslauthd know.

    sasl.py BUILD_DIRECTORY dovecot|sasldb|saslauthd

Also: the failures in the log are those that fail2ban's filter for Postfix counts, where fail2ban is installed.
"""
import base64
import hashlib
import hmac
import os
import signal
import smtplib
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402

DOVECOT = """\
protocols =
base_dir = {dir}/dovecot
state_dir = {dir}/dovecot-state
log_path = {dir}/dovecot.log
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
ssl = no
auth_mechanisms = plain login cram-md5
auth_failure_delay = 0
disable_plaintext_auth = no
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}
}}
service auth {{
  chroot =
  unix_listener {dir}/auth {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


def check(condition, what, log=""):
    if not condition:
        raise SystemExit(f"{what}\n{log}")


def wait_for(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"did not happen: {what}")
        time.sleep(0.1)


def wait_for_log(mail, text):
    """Lines pass through postlogd: they may come after the reply that they tell of."""
    try:
        wait_for(lambda: text in mail.log(), f"{text} in the log")
    except SystemExit as e:
        raise SystemExit(f"{e}\n{mail.log()}") from None


def stop(server):
    """The process and all that it has started: those that have clients would stay for a while."""
    os.killpg(server.pid, signal.SIGKILL)
    server.wait(60)


def connect(mail):
    client = smtplib.SMTP(*mail.smtp_address, timeout=60)
    client.ehlo("client.test")
    return client


def login(mail, mechanism, user, password):
    """The code of the last reply."""
    with connect(mail) as client:
        if mechanism == "PLAIN":
            return client.docmd("AUTH", "PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())[0]
        code, text = client.docmd("AUTH", mechanism)
        check(code == 334, f"AUTH {mechanism}: {code} {text}")
        if mechanism == "LOGIN":
            client.docmd(base64.b64encode(user.encode()).decode())
            return client.docmd(base64.b64encode(password.encode()).decode())[0]
        digest = hmac.new(password.encode(), base64.b64decode(text), hashlib.md5).hexdigest()
        return client.docmd(base64.b64encode(f"{user} {digest}".encode()).decode())[0]


def check_logins(mail, mechanisms):
    with connect(mail) as client:
        offered = client.esmtp_features.get("auth", "").split()
        check(set(mechanisms) <= set(offered), f"offered: {offered}", mail.log())
    for mechanism in mechanisms:
        for user, password, expected in (("alice", "wonder", 235), ("alice", "wrong", 535), ("nobody", "x", 535)):
            code = login(mail, mechanism, user, password)
            check(code == expected, f"{mechanism} as {user} with {password}: {code}", mail.log())
    with connect(mail) as client:
        client.login("alice", "wonder")
        client.sendmail("alice@example.test", ["far@far.test"], "Subject: x\r\n\r\nx\r\n")
    wait_for_log(mail, "sasl_username=alice")


def check_fail2ban(mail):
    definition = "/etc/fail2ban/filter.d/postfix.conf"
    if not os.path.exists(definition):
        return
    # The time and the host that syslog puts in front of lines.
    path = f"{mail.directory}/tmp/mail.log"
    failures = 0
    with open(path, "w", encoding="utf-8") as f:
        for line in mail.log().splitlines():
            failures += ": SASL " in line and "authentication failed" in line and "Connection lost" not in line
            f.write(line + "\n")
    done = subprocess.run(["fail2ban-regex", path, "postfix[mode=auth]"], capture_output=True, timeout=60)
    text = done.stdout.decode(errors="replace")
    check(f"{failures} matched" in text, f"{failures} failures, and fail2ban says\n{text}")


def start_dovecot(mail):
    user = mail.user
    values = {"dir": f"{mail.directory}/tmp", "user": user.pw_name, "uid": user.pw_uid, "gid": user.pw_gid}
    values["group"] = subprocess.run(["id", "-gn", user.pw_name], capture_output=True, check=True).stdout.decode().strip()
    mail.write(f"{values['dir']}/users", "alice:wonder\nbob:builder\n")
    path = mail.write(f"{values['dir']}/dovecot.conf", DOVECOT.format(**values))

    def start():
        server = subprocess.Popen(["dovecot", "-F", "-c", path], env={"PATH": "/usr/sbin:/usr/bin:/bin"},
                                  start_new_session=True)
        wait_for(lambda: os.path.exists(f"{values['dir']}/auth"), "Dovecot's socket")
        return server
    return start, f"{values['dir']}/auth"


def with_dovecot(mail):
    start, path = start_dovecot(mail)
    server = start()
    try:
        mail.settings.update({"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": path})
        mail.start()
        check_logins(mail, ["PLAIN", "LOGIN", "CRAM-MD5"])
        # As long a response as clients may send, and then another one over the same connection.
        with connect(mail) as client:
            check(client.docmd("AUTH", "PLAIN")[0] == 334, "no challenge")
            code, text = client.docmd("A" * 12284)
            check(code in (535, 454), f"long response: {code} {text}", mail.log())
        check(login(mail, "PLAIN", "bob", "builder") == 235, "after a long response", mail.log())
        stop(server)
        if os.path.exists(path):
            os.unlink(path)
        check(login(mail, "PLAIN", "bob", "builder") == 454, "while Dovecot is away", mail.log())
        server = start()
        check(login(mail, "PLAIN", "bob", "builder") == 235, "after a restart of Dovecot", mail.log())
    finally:
        stop(server)


def cyrus(mail, text, directory="sasl"):
    mail.write(f"{directory}/smtpd.conf", text)
    mail.settings.update({"smtpd_sasl_type": "cyrus", "smtpd_sasl_local_domain": "example.test"})


def with_sasldb(mail):
    database = f"{mail.directory}/etc/sasldb2"
    subprocess.run(["saslpasswd2", "-p", "-c", "-f", database, "-u", "example.test", "alice"], input=b"wonder", check=True)
    os.chmod(database, 0o644)
    cyrus(mail, f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {database}\nmech_list: plain login cram-md5\n")
    mail.start()
    check_logins(mail, ["PLAIN", "LOGIN", "CRAM-MD5"])
    wait_for_log(mail, "sasl_username=alice@example.test")


def with_saslauthd(mail):
    # The daemon's own database, so that no account of this machine is needed.
    top = f"{mail.directory}/tmp/saslauthd"
    os.makedirs(top)
    database = "/etc/sasldb2"
    created = not os.path.exists(database)
    if not created:  # The machine's own stays as it is.
        own = mail.write(f"{mail.directory}/tmp/sasldb2", "")
        os.unlink(own)
        subprocess.run(["saslpasswd2", "-p", "-c", "-f", own, "-u", "example.test", "alice"], input=b"wonder", check=True)
        subprocess.run(["mount", "--bind", own, database], check=True)
    subprocess.run(["saslpasswd2", "-p", "-c", "-u", "example.test", "alice"], input=b"wonder", check=True)
    server = subprocess.Popen(["saslauthd", "-d", "-a", "sasldb", "-m", top], stderr=subprocess.DEVNULL,
                              start_new_session=True)
    try:
        wait_for(lambda: os.path.exists(f"{top}/mux"), "saslauthd's socket")
        cyrus(mail, f"pwcheck_method: saslauthd\nsaslauthd_path: {top}/mux\nmech_list: plain login\n", "elsewhere")
        mail.settings.update({"cyrus_sasl_config_path": f"/nonexistent:{mail.directory}/etc/elsewhere"})
        mail.start()
        check_logins(mail, ["PLAIN", "LOGIN"])
    finally:
        stop(server)
        if created:
            os.unlink(database)
    check(login(mail, "PLAIN", "alice", "wonder") == 454, "while saslauthd is away", mail.log())
    wait_for_log(mail, "cannot connect to saslauthd server")


def main():
    if sys.argv[2] != "sasldb" and os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    mail = MailSystem(sys.argv[1])
    mail.settings.update({"smtpd_sasl_auth_enable": "yes", "default_transport": "discard:", "mynetworks": "192.0.2.0/24",
                          "smtpd_error_sleep_time": "0"})
    try:
        {"dovecot": with_dovecot, "sasldb": with_sasldb, "saslauthd": with_saslauthd}[sys.argv[2]](mail)
        check_fail2ban(mail)
        crashes = mail.crashes()
        check(not crashes, f"crashes: {crashes}")
        mail.stop()
    finally:
        mail.destroy()
    print("passed")


main()
