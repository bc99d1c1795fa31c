#!/usr/bin/env python3
"""A queue that one mail system leaves is worked off by the other: Postfix's by Postrider, and the other way round.

    spool.py BUILD_DIRECTORY

Needs root and Debian's Postfix (77 without them: skipped). The first system is left with mail in maildrop, incoming, active,
deferred and on hold, with delivery logs in defer and bounce; it ends by kill -9. The second one is started on the same
queue_directory. Everything must arrive, nobody may get a message twice who had got it before, and the failures that were
only recorded must be returned to their senders.
"""
import json
import os
import pwd
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from servers import SmtpSink            # noqa: E402

MASTER_CF = """\
127.0.0.1:10025 inet n - n - - smtpd
pickup   unix n - n 60 1 pickup
cleanup  unix n - n - 0 cleanup
{qmgr}
rewrite  unix - - n - - trivial-rewrite
bounce   unix - - n - 0 bounce
defer    unix - - n - 0 bounce
trace    unix - - n - 0 bounce
flush    unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp     unix - - n - - smtp
showq    unix n - n - - showq
error    unix - - n - - error
retry    unix - - n - - error
discard  unix - - n - - discard
local    unix - n n - - local
postlog  unix-dgram n - n - 1 postlogd
"""
QMGR = "qmgr     unix n - n 300 1 qmgr"


class System:
    def __init__(self, name, top, daemons, commands):
        self.name, self.top, self.daemons, self.commands = name, top, daemons, commands
        self.etc = f"{top}/{name}"
        os.makedirs(self.etc, exist_ok=True)

    def configure(self, qmgr=True, transports=""):
        settings = {
            "compatibility_level": "3.6", "queue_directory": f"{self.top}/spool", "data_directory": f"{self.top}/lib",
            "daemon_directory": self.daemons, "command_directory": self.commands,
            "mail_owner": "postfix", "setgid_group": "postdrop", "maillog_file": f"{self.top}/{self.name}.log",
            "maillog_file_prefixes": self.top, "myhostname": "mx.example.test", "mydestination": "example.test",
            "mynetworks": "127.0.0.0/8", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "alias_maps": "",
            "relayhost": "[127.0.0.1]:2525", "transport_maps": transports, "smtpd_peername_lookup": "no",
            "minimal_backoff_time": "1000s", "enable_long_queue_ids": "no",
            "header_checks": "regexp:{{/^X-Hold:/ HOLD}}", "local_recipient_maps": "",
        }
        with open(f"{self.etc}/main.cf", "w", encoding="utf-8") as f:
            f.writelines(f"{k} = {v}\n" for k, v in settings.items())
        with open(f"{self.etc}/master.cf", "w", encoding="utf-8") as f:
            f.write(MASTER_CF.format(qmgr=QMGR if qmgr else ""))

    def run(self, *argv, stdin="", check=True):
        done = subprocess.run([f"{self.commands}/{argv[0]}", *argv[1:]], input=stdin.encode(), capture_output=True, timeout=60,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAIL_CONFIG": self.etc, "LANG": "C", "TZ": "UTC"})
        if check and done.returncode:
            raise RuntimeError(f"{self.name}: {argv}: exit {done.returncode}: {done.stderr.decode()}\n{self.log()[-3000:]}")
        return done.stdout.decode()

    def start(self, **options):
        self.configure(**options)
        self.run("postfix", "start")

    def stop(self):
        self.run("postfix", "stop", check=False)
        self.wait(lambda: not self.processes(), "gone")

    def processes(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                program = os.readlink(f"/proc/{pid}/exe")
                with open(f"/proc/{pid}/environ", "rb") as f:
                    mine = f"MAIL_CONFIG={self.etc}".encode() in f.read().split(b"\0")
            except OSError:
                continue
            if mine and program.startswith(self.daemons):
                found.append(int(pid))
        return found

    def kill(self):
        while pids := self.processes():
            for pid in pids:
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)

    def queue(self):
        return [json.loads(line) for line in self.run("postqueue", "-j").splitlines()]

    def wait(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: not {what}: {self.run('postqueue', '-j', check=False)}\n{self.log()[-5000:]}")
            time.sleep(0.05)

    def log(self):
        try:
            with open(f"{self.top}/{self.name}.log", encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""


def send(ident, recipients, header="", sender="sender@client.test"):
    with smtplib.SMTP("127.0.0.1", 10025, timeout=20) as client:
        client.sendmail(sender, recipients, f"Subject: {ident}\r\n{header}\r\nbody of {ident}\r\n")


def in_queue(system, name):
    return lambda: [e for e in system.queue() if e["queue_name"] == name]


def leave_mail(system, sink):
    """The first system's life."""
    sink.replies = {"RCPT TO:<later@": "451 4.2.0 come later", "RCPT TO:<no@": "550 5.1.1 nobody here"}
    system.start(transports="inline:{slow.test=smtp:[127.0.0.1]:2626}")
    send("deferred", ["later@dest.test", "done@dest.test"])
    send("held", ["held@dest.test"], "X-Hold: yes\r\n")
    system.wait(in_queue(system, "deferred"), "deferred")
    # One recipient fails, the other's delivery is under way when the system dies: a bounce log and a message in active.
    send("half", ["no@dest.test", "slow@slow.test"])
    system.wait(lambda: os.listdir(f"{system.top}/spool/bounce"), "recorded as failed")
    system.kill()
    system.start(qmgr=False)
    send("incoming", ["incoming@dest.test"])
    system.kill()
    system.run("sendmail", "-f", "sender@client.test", "dropped@dest.test", stdin="Subject: dropped\n\nbody of dropped\n")
    found = {name: sum(len(files) for _, _, files in os.walk(f"{system.top}/spool/{name}"))
             for name in ("maildrop", "incoming", "active", "deferred", "hold", "defer", "bounce")}
    if min(found.values()) < 1:
        raise RuntimeError(f"{system.name} has not left what it should: {found}")


def work_off(system, sink):
    """The second system's life."""
    sink.replies = {}
    system.start()
    listed = {e["queue_name"] for e in system.queue()}
    if "hold" not in listed:
        raise RuntimeError(f"{system.name} does not list mail on hold: {listed}")
    system.run("postsuper", "-H", "ALL")
    # A former agent's time limit must not be waited for.
    system.run("postqueue", "-f")
    system.wait(lambda: not system.queue(), "empty")
    system.stop()


def check(first, second, sink):
    arrived = {}
    for sender, recipients, content in sink.messages:
        subject = next(line[9:] for line in content if line.startswith("Subject: "))
        for recipient in recipients:
            key = (subject, recipient.split(">")[0].strip("<"))
            arrived[key] = arrived.get(key, 0) + 1
        if sender.startswith("<>"):
            text = "\n".join(content)
            if "no@dest.test" in text and "550 5.1.1 nobody here" in text and "Subject: half" in text:
                arrived["notice"] = arrived.get("notice", 0) + 1
    wanted = [("deferred", "later@dest.test"), ("deferred", "done@dest.test"), ("held", "held@dest.test"),
              ("half", "slow@slow.test"), ("incoming", "incoming@dest.test"), ("dropped", "dropped@dest.test"), "notice"]
    problems = [f"{what}: {arrived.get(what, 0)} times" for what in wanted if arrived.get(what) != 1]
    print(f"{first.name} to {second.name}: " + (", ".join(problems) or "everything arrived once"))
    if problems:
        print(arrived, second.log()[-5000:], sep="\n")
    return problems


def prepare(top):
    os.chmod(top, 0o755)
    postfix = pwd.getpwnam("postfix")
    for name in ("spool", "lib"):
        os.makedirs(f"{top}/{name}", mode=0o755)
    os.chown(f"{top}/lib", postfix.pw_uid, postfix.pw_gid)


def main():
    try:
        pwd.getpwnam("postfix")
        ready = os.geteuid() == 0 and os.path.exists("/usr/lib/postfix/sbin/master")
    except KeyError:
        ready = False
    if not ready:
        print("skipped: needs root and Debian's Postfix")
        return 77
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    build, failures = os.path.abspath(sys.argv[1]), []
    silent = socket.create_server(("127.0.0.1", 2626))       # Accepts connections and says nothing.
    sink = SmtpSink("127.0.0.1", 2525)
    resolver = tempfile.mkdtemp(prefix="postrider-interop-")
    namespaces.use_resolver(resolver)
    for order in (0, 1):
        top = tempfile.mkdtemp(prefix="postrider-interop-")
        prepare(top)
        systems = [System("postfix", top, "/usr/lib/postfix/sbin", "/usr/sbin"),
                   System("postrider", top, f"{build}/libexec", f"{build}/sbin")]
        first, second = systems[order], systems[1 - order]
        sink.messages.clear()
        try:
            leave_mail(first, sink)
            work_off(second, sink)
            failures += check(first, second, sink)
        finally:
            for system in systems:
                system.kill()
            shutil.rmtree(top, ignore_errors=True)
    silent.close()
    shutil.rmtree(resolver, ignore_errors=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
