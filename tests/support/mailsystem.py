"""A private mail system in a scratch directory, for end-to-end and crash tests and for the demo.

It runs rootless: as the caller, or as "nobody" when the caller is root (Postrider as root would want real users and
directories). Nothing outside the scratch directory is touched.
"""
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time

MASTER_CF = """\
{smtp_listen} inet n - n - - smtpd
pickup   unix n - n 60 1 pickup
cleanup  unix n - n - 0 cleanup
qmgr     unix n - n 300 1 qmgr
rewrite  unix - - n - - trivial-rewrite
bounce   unix - - n - 0 bounce
defer    unix - - n - 0 bounce
trace    unix - - n - 0 bounce
verify   unix - - n - 1 verify
flush    unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp     unix - - n - - smtp
relay    unix - - n - - smtp
  -o syslog_name=postfix/$service_name
lmtp     unix - - n - - lmtp
showq    unix n - n - - showq
error    unix - - n - - error
retry    unix - - n - - error
discard  unix - - n - - discard
local    unix - n n - - local
virtual  unix - n n - - virtual
anvil    unix - - n - 1 anvil
tlsmgr   unix - - n 1000? 1 tlsmgr
postlog  unix-dgram n - n - 1 postlogd
"""


def unprivileged_user():
    """The user that rootless instances run as."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    return pwd.getpwnam("nobody")


class MailSystem:
    def __init__(self, build, directory=None):
        self.build = os.path.abspath(build)
        self.directory = directory or tempfile.mkdtemp(prefix="postrider-")
        self.user = unprivileged_user()
        self.smtp_address = ("127.0.0.1", 10025)
        self.settings = {
            "compatibility_level": "3.11",
            "queue_directory": f"{self.directory}/spool",
            "data_directory": f"{self.directory}/lib",
            "daemon_directory": f"{self.build}/libexec",
            "command_directory": f"{self.build}/sbin",
            "sendmail_path": f"{self.build}/sbin/sendmail",
            "mail_owner": self.user.pw_name,
            "maillog_file": f"{self.directory}/maillog",
            "maillog_file_prefixes": self.directory,
            "myhostname": "mx.example.test",
            "mydestination": "example.test, localhost",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "mail_spool_directory": f"{self.directory}/mail/",
            "smtpd_peername_lookup": "no",
        }
        self.master = {}
        self.master_text = ""
        for name in ("etc", "lib", "mail", "tmp"):
            os.makedirs(f"{self.directory}/{name}", exist_ok=True)
        os.chmod(self.directory, 0o755)

    # ---- configuration ----------------------------------------------------------------

    def write(self, path, text, mode=0o644):
        """Writes a file; a relative path is below the configuration directory."""
        path = os.path.join(f"{self.directory}/etc", path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def write_configuration(self):
        self.write("main.cf", "".join(f"{k} = {v}\n" for k, v in self.settings.items()))
        listen = "{}:{}".format(*self.smtp_address)
        entries = {}
        for text in (MASTER_CF.format(smtp_listen=listen), self.master_text):
            key = None
            for line in text.splitlines():
                if line[:1].isspace() and key:
                    entries[key].append(line)
                elif line.strip() and not line.startswith("#"):
                    key = tuple(line.split()[:2])
                    entries[key] = [line]
        self.write("master.cf", "\n".join("\n".join(lines) for lines in entries.values()) + "\n")
        if os.geteuid() == 0:
            self.give_to_user(self.directory)

    def give_to_user(self, top):
        for folder, _, names in os.walk(top):
            for path in [folder] + [os.path.join(folder, n) for n in names]:
                os.lchown(path, self.user.pw_uid, self.user.pw_gid)

    # ---- processes --------------------------------------------------------------------

    def environment(self):
        return {"PATH": f"{self.build}/sbin:/usr/bin:/bin", "MAIL_CONFIG": f"{self.directory}/etc", "LANG": "C",
                "TZ": "UTC", "HOME": self.directory, "TMPDIR": f"{self.directory}/tmp",
                **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}

    def identity(self):
        if os.geteuid() != 0:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def run(self, command, stdin="", check=True, timeout=60):
        """Runs a command of the mail system (a list, or words) as the instance's user."""
        argv = command.split() if isinstance(command, str) else list(command)
        done = subprocess.run(argv, input=stdin.encode() if isinstance(stdin, str) else stdin, env=self.environment(),
                              capture_output=True, timeout=timeout, cwd=self.directory, **self.identity())
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n"
                               f"{done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}")
        return done

    def start(self):
        self.write_configuration()
        self.run("postfix start")

    def stop(self):
        self.run("postfix stop", check=False)

    def reload(self):
        self.write_configuration()
        self.run("postfix reload")

    def processes(self):
        """(pid, program) of the master and all its children."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                program = os.readlink(f"/proc/{pid}/exe")
                with open(f"/proc/{pid}/environ", "rb") as f:
                    mine = f"MAIL_CONFIG={self.directory}/etc".encode() in f.read().split(b"\0")
            except OSError:
                continue
            if mine and program.removesuffix(" (deleted)").startswith(f"{self.build}/libexec/"):
                found.append((int(pid), os.path.basename(program)))
        return found

    def kill(self, program=None, number=signal.SIGKILL):
        """Signals all processes, or those of one program; returns how many there were."""
        count = 0
        for pid, name in self.processes():
            if program in (None, name):
                try:
                    os.kill(pid, number)
                    count += 1
                except ProcessLookupError:
                    pass
        return count

    def destroy(self):
        if self.kill():
            deadline = time.monotonic() + 10
            while self.processes() and time.monotonic() < deadline:
                time.sleep(0.02)
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- what can be seen -------------------------------------------------------------

    def queue(self):
        """The queue as postqueue -j shows it."""
        done = self.run("postqueue -j")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def wait_queue(self, condition, what, timeout=30):
        deadline = time.monotonic() + timeout
        while True:
            entries = self.queue()
            if condition(entries):
                return entries
            if time.monotonic() > deadline:
                raise RuntimeError(f"the queue did not become {what}: {entries}")
            time.sleep(0.05)

    def wait_empty(self, timeout=30):
        self.wait_queue(lambda entries: not entries, "empty", timeout)

    def wait_settled(self, timeout=30):
        """Until nothing is on its way: only deferred and held messages are left."""
        self.wait_queue(lambda entries: all(e["queue_name"] in ("deferred", "hold") for e in entries), "settled", timeout)

    def crashes(self):
        """Log lines about processes that ended by a mistake of their own: a broken invariant, a bad access, a sanitizer."""
        return [line for line in self.log().splitlines()
                if re.search(r": panic: |killed by signal (?!9\b|14\b|15\b)", line)]

    def log(self):
        try:
            with open(f"{self.directory}/maillog", encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""
