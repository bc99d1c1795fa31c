"""What the tests of tables in databases share: servers that can be stopped and killed, certificates, look-ups with postmap, and
smtpd sessions that wait for an answer."""
import os
import signal
import socket
import subprocess
import threading
import time


PATIENCE = 60       # Seconds that anything may take on a busy machine.
DEAD = "127.0.0.1:9"


def wait_for(condition, what, details=lambda: ""):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"did not happen: {what}\n{details()}")
        time.sleep(0.05)


def accepts(port):
    with socket.socket() as s:
        s.settimeout(2)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A database server and its directory. Subclasses say how it is prepared, started and filled."""
    port = 0

    def __init__(self, mail, name):
        self.mail = mail
        self.directory = f"{mail.directory}/{name}"
        self.process = None
        os.makedirs(self.directory, mode=0o700)
        if os.geteuid() == 0:
            os.chown(self.directory, mail.user.pw_uid, mail.user.pw_gid)

    def run(self, argv, stdin="", check=True):
        """A command of the server's package, as the user that the server runs as."""
        done = subprocess.run(argv, input=stdin.encode(), capture_output=True, timeout=120, cwd=self.directory,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.directory, "LC_ALL": "C.UTF-8"},
                              **self.mail.identity())
        if check and done.returncode:
            raise SystemExit(f"{' '.join(argv)}: exit {done.returncode}\n"
                             f"{(done.stdout + done.stderr).decode(errors='replace')}")
        return done.stdout.decode(errors="replace")

    def file(self, name, text, mode=0o600):
        path = f"{self.directory}/{name}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        if os.geteuid() == 0:
            os.chown(path, self.mail.user.pw_uid, self.mail.user.pw_gid)
        return path

    def command(self):
        raise NotImplementedError

    def is_ready(self):
        return accepts(self.port)

    def output(self):
        with open(f"{self.directory}/output", encoding="utf-8", errors="replace") as f:
            return f.read()

    def start(self):
        with open(f"{self.directory}/output", "ab") as output:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            cwd=self.directory, start_new_session=True,
                                            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.directory,
                                                 "LC_ALL": "C.UTF-8"}, **self.mail.identity())
        wait_for(lambda: self.process.poll() is not None or self.is_ready(), f"start of {self.command()[0]}", self.output)
        if self.process.poll() is not None:
            raise SystemExit(f"{self.command()[0]} ended: {self.process.returncode}\n{self.output()}")

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def kill(self):
        if self.process is None:
            return
        try:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None
        self.clean_up()

    def clean_up(self):
        """What is in the way of the next start after a sudden death."""


def certificates(mail):
    """An authority, another one, and a certificate for 127.0.0.1 and localhost; the directory that they are in."""
    top = f"{mail.directory}/tls"
    os.makedirs(top)

    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=top, timeout=60)

    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}.test", "-keyout",
                f"{name}.key", "-out", f"{name}.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    with open(f"{top}/server.ext", "w", encoding="utf-8") as f:
        f.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", "server.ext", "-out", "server.pem")
    for name in os.listdir(top):
        os.chmod(f"{top}/{name}", 0o600 if name.endswith(".key") else 0o644)
    if os.geteuid() == 0:
        mail.give_to_user(top)
    return top


class Lookups:
    """Tables of one type, asked with postmap."""

    def __init__(self, mail, kind):
        self.mail = mail
        self.kind = kind
        self.count = 0

    def table(self, settings):
        """A table with these settings, as "type:file"."""
        self.count += 1
        path = self.mail.write(f"{self.kind}-{self.count}.cf", "".join(f"{k} = {v}\n" for k, v in settings.items()))
        os.chown(path, self.mail.user.pw_uid, self.mail.user.pw_gid)
        return f"{self.kind}:{path}"

    def ask(self, table, key, *options):
        done = self.mail.run(["postmap", *options, "-q", key, table], check=False)
        return done.returncode, done.stdout.decode().removesuffix("\n"), done.stderr.decode(errors="replace")

    def finds(self, settings, key, value):
        """`value`: None when the key must not be there."""
        table = self.table(settings)
        got = self.ask(table, key)
        wanted = (0, value, "") if value is not None else (1, "", "")
        if got != wanted:
            raise SystemExit(f"{settings}\n{key}: got {got}, expected {wanted}")

    def fails(self, settings, key, *texts):
        """A failure of the table: what postmap says has these texts."""
        status, out, err = self.ask(self.table(settings), key)
        if status != 1 or out or not err or not all(text in err for text in texts):
            raise SystemExit(f"{settings}\n{key}: got {(status, out, err)}, expected a failure with {texts}")


class Client:
    """An SMTP session that has come as far as RCPT."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, PATIENCE)
        self.file = self.socket.makefile("rb")
        self.reply()
        for command in ("EHLO client.test", "MAIL FROM:<joe@client.test>"):
            self.say(command)
            self.reply()

    def say(self, command):
        self.socket.sendall(command.encode() + b"\r\n")

    def reply(self):
        while True:
            line = self.file.readline().decode(errors="replace")
            if line[3:4] != "-":
                return line.strip()

    def recipient(self, address):
        self.say(f"RCPT TO:<{address}>")
        return self.reply()

    def close(self):
        self.file.close()
        self.socket.close()


class Daemons:
    """smtpd asks the table who may get mail, and virtual(8) asks it through proxymap where a mailbox is."""

    def __init__(self, mail, server, lookups, settings, mailboxes=True):
        """The table has "yes@v.test" with the value "OK". `mailboxes`: virtual(8) may use such a table."""
        self.mail, self.server, self.mailboxes = mail, server, mailboxes
        self.table = lookups.table(settings)
        own = mail.write("own", "own@v.test OK\n")
        mail.settings.update({
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
            "smtpd_recipient_restrictions": f"check_recipient_access inline:{{free@v.test=OK}}, "
                                            f"check_recipient_access proxy:texthash:{own}, check_recipient_access {self.table}, "
                                            f"check_recipient_access proxy:{self.table}, reject",
            "virtual_mailbox_domains": "v.test",
            "virtual_mailbox_maps": f"proxy:{self.table}" if mailboxes else "",
            "virtual_mailbox_base": f"{mail.directory}/mail",
            "virtual_uid_maps": f"static:{mail.user.pw_uid}",
            "virtual_gid_maps": f"static:{mail.user.pw_gid}",
            "virtual_minimum_uid": "1",
            "smtpd_reject_unlisted_recipient": "no",
            "proxy_read_maps": f"proxy:{self.table}, proxy:texthash:{own}",
            "smtp_connection_cache_on_demand": "no",
        })

    def expect(self, address, code):
        client = Client(self.mail.smtp_address)
        reply = client.recipient(address)
        client.close()
        if not reply.startswith(code):
            raise SystemExit(f"{address}: {reply}, expected {code}\n{self.mail.log()}\n{self.server.output()}")

    def expect_soon(self, address, code):
        """The table may need a moment to notice that its server is back."""
        def answered():
            client = Client(self.mail.smtp_address)
            reply = client.recipient(address)
            client.close()
            return reply.startswith(code)
        wait_for(answered, f"{code} for {address}", self.mail.log)

    def check(self):
        self.mail.start()
        self.expect("yes@v.test", "250")
        self.expect("no@v.test", "554")
        self.expect("free@v.test", "250")
        self.server_stands_still()
        self.server_is_gone()
        if self.mailboxes:
            self.delivery_waits()

    def server_stands_still(self):
        waiting = [Client(self.mail.smtp_address) for _ in range(12)]
        self.server.signal(signal.SIGSTOP)
        try:
            for client in waiting:
                client.say("RCPT TO:<yes@v.test>")
            replies = {}

            def listen(number):
                replies[number] = waiting[number].reply()

            listeners = [threading.Thread(target=listen, args=(n,), daemon=True) for n in range(len(waiting))]
            for listener in listeners:
                listener.start()
            # Others of the same process are served meanwhile, and by proxymap, which has not been asked in vain.
            for address in ("free@v.test", "own@v.test", "free@v.test"):
                self.expect(address, "250")
            if replies:
                raise SystemExit(f"answered too early: {replies}")
            for listener in listeners:
                listener.join(PATIENCE * 2)
        finally:
            self.server.signal(signal.SIGCONT)
        if len(replies) != len(waiting) or not all(reply.startswith("451") for reply in replies.values()):
            raise SystemExit(f"a server that stands still: {replies}\n{self.mail.log()}")
        for client in waiting:
            client.close()
        self.expect_soon("yes@v.test", "250")

    def server_is_gone(self):
        self.server.kill()
        self.expect("yes@v.test", "451")
        self.expect("own@v.test", "250")
        self.server.start()
        self.expect_soon("yes@v.test", "250")

    def delivery_waits(self):
        self.server.kill()
        self.mail.run("sendmail -f joe@v.test yes@v.test", stdin="Subject: waits\n\nfor its table\n")
        self.mail.wait_queue(lambda entries: len(entries) == 1 and entries[0]["queue_name"] == "deferred", "one deferred",
                             PATIENCE)
        self.server.start()

        def gone():
            self.mail.run("postqueue -f")
            return not self.mail.queue()
        wait_for(gone, "delivery after the return of the server", self.mail.log)
        if "status=bounced" in self.mail.log() or "status=sent" not in self.mail.log():
            raise SystemExit(f"not delivered\n{self.mail.log()}")


# ---- SQL --------------------------------------------------------------------------------------------------------
