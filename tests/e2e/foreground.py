#!/usr/bin/env python3
"""`postfix start-fg` as process 1, as in a container: mail goes through, the log goes to standard output, and SIGTERM ends it all.

    foreground.py BUILD_DIRECTORY
"""
import os
import signal
import smtplib
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402

PATIENCE = 60


class Container:
    """A process-id namespace whose first process is the mail system."""

    def __init__(self, mail):
        command = ["postfix", "start-fg"]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={mail.user.pw_uid}", f"--regid={mail.user.pw_gid}", "--clear-groups", *command]
        self.process = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", *command], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env=mail.environment(), text=True, errors="replace")
        self.lines = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def wait_for(self, text):
        deadline = time.monotonic() + PATIENCE
        while not any(text in line for line in self.lines):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"no {text!r} in\n{''.join(self.lines)}")
            time.sleep(0.05)

    def first_process(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as f:
            return int(f.read().split()[0])


def main():
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    mail = MailSystem(sys.argv[1])
    mail.settings |= {"maillog_file": "/dev/stdout", "maillog_file_prefixes": "/dev/stdout"}
    mail.write_configuration()
    container = Container(mail)
    try:
        container.wait_for("daemon started")
        with smtplib.SMTP(*mail.smtp_address, timeout=PATIENCE) as client:
            client.sendmail("joe@client.test", [f"{mail.user.pw_name}@example.test"], "Subject: x\r\n\r\nx\r\n")
        container.wait_for("status=sent (delivered to maildir)")
        os.kill(container.first_process(), signal.SIGTERM)
        status = container.process.wait(PATIENCE)
        container_log = "".join(container.lines)
        if status != 0 or "terminating on signal 15" not in container_log:
            raise SystemExit(f"exit status {status} after SIGTERM\n{container_log}")
        return 0
    finally:
        if container.process.poll() is None:
            container.process.kill()
            container.process.wait()
        mail.destroy()


if __name__ == "__main__":
    sys.exit(main())
