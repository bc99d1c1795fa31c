#!/usr/bin/env python3
"""Runs one end-to-end test: a text script against a private mail system.

    run.py BUILD_DIRECTORY SCRIPT.test

A script is a list of steps. A step begins at the margin; the indented lines below it are its text. Lines that begin with
# are comments; the first says what the test shows. In expected lines * stands for any text.

  main.cf | master.cf          lines that replace those of tests/support/mailsystem.py
  file PATH                    writes a file below the configuration directory
  dns                          records: NAME TYPE DATA; "NAME FAIL" for a name of which the server cannot tell anything;
                               "secure NAME" for a zone that is validated
  sink NAME ADDRESS:PORT       an SMTP server; its text: COMMAND -> REPLY (| separates replies for successive times, \\n the
                               lines of one reply; "silence" is none at all)
  dovecot ADDRESS MECHANISM... an authentication server (tests/support/dovecot_auth.py); ADDRESS is a path or ADDRESS:PORT.
                               What it is asked is in tmp/auth.log
  saslauthd PATH               the same for the protocol of saslauthd (tests/support/saslauthd.py)
  lmtp-sink NAME ADDRESS:PORT  the same with LMTP; tests/support/servers.py tells what else a sink can do
  unanswered ADDRESS:PORT      a port where attempts to connect get no answer
  replies ADDRESS:PORT         a server that answers whatever it gets with the text (one line; no line end is added)
  datagrams NAME ADDRESS       a server that remembers datagrams, at ADDRESS:PORT or unix:PATH below the instance; "syslog NAME" is one that listens at /dev/log
  milter NAME ADDRESS          a mail filter (tests/support/milter.py has its words) at ADDRESS:PORT, or unix:PATH below the instance
  address ADDRESS              one more IPv6 address of this machine
  owner USER PATH              makes the file another user's; where the test does not run as root it ends here, as skipped
  start | stop | reload | kill PROGRAM [SIGNAL]
  postmap TYPE:FILE            as the command, below the configuration directory
  smtp [PORT] [from ADDRESS]   a dialogue: "C: line" is sent, "S: reply" must come. After 354, "C:" lines are content.
                               Of a reply with several lines, those that are not listed may be left out before the last.
                               "R: text" is sent as it is, with \\r, \\n, \\x01 and the like for bytes; "S: <closed>" is the end.
                               "T: seconds text" sends text as a slow client does, a byte each so many seconds;
                               "W: seconds" lets time pass, for what depends on it. "reload" does so in the middle of the session.
                               "TLS: options" begins TLS: certificate=FILE (of a "certificate" step), name=HOST, version=1.2,
                               resume (the session of the last time), refused (it must fail).
  qmqp PORT                    a message by QMQP: "message TEXT" (\\n is a line end), "sender ADDRESS", "recipient ADDRESS"; or "raw TEXT",
                               sent as it is. "end" ends what is sent. "S: text" must come, "S: closed" is no reply at all.
  crowd N [PORT] [from ADDRESS] so many connections at a time, the second when the first has been spoken to. The text is the first
                               lines that they get, "[COUNT] S: reply"; others may hear nothing. Then all are closed.
  certificate NAME [ISSUER]    (also of "TLS -> NAME.pem" in a sink, which makes it offer STARTTLS)
                               makes a key and a certificate: NAME.pem below the configuration directory, for chain files, and
                               NAME.crt, the certificate alone. Without an issuer it is an authority, with a link as CApath
                               parameters want it. $NAME_FP and $NAME_KEY are the SHA-256 fingerprints in later texts.
  run COMMAND                  the text is what it must print (both outputs); "exit N" for another status than 0
  input COMMAND                the same without looking at the output; the text is its standard input
  empty | settled              waits until the queue is empty, or only deferred and held mail is left
  queue                        the text: "QUEUE SENDER RECIPIENT..." of each entry
  maildir PATH                 lines that must appear in this order in one message of the Maildir (below the directory
                               of the instance); "messages N" says how many there are
  contains PATH                lines that must appear in this order in a file
  received NAME                lines that must appear in this order in what a sink got; "messages N" says how many
  commands NAME                lines that must appear in this order among the commands that a sink got
  heard NAME                   lines that must appear in this order among datagrams; "messages N" says how many
  told NAME                    lines that must appear in this order among what a mail filter is told
  not-told NAME                lines that must not be there
  connections NAME N           how many connections a sink has got
  log | no-log                 lines that must (in this order), or must not, appear in the log

$DIR in any text is the directory of the instance, $USER the user it runs as.
"""
import fnmatch
import hashlib
import os
import pwd
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                                    # noqa: E402
from dovecot_auth import AuthServer                  # noqa: E402
from mailsystem import MailSystem                    # noqa: E402
from milter import Milter                            # noqa: E402
from saslauthd import SaslauthdServer                # noqa: E402
from servers import DatagramSink, DnsServer, FixedReplies, SmtpSink, UnansweredPort   # noqa: E402

SKIPPED = 77


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def split_address(text):
    """"127.0.0.1:25" or "[::1]:25" """
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def matches(text, pattern):
    return fnmatch.fnmatchcase(text, re.sub(r"([\[\]?])", r"[\1]", pattern))


def expect_in_order(lines, patterns, what):
    at = 0
    for pattern in patterns:
        while at < len(lines) and not matches(lines[at], pattern):
            at += 1
        if at == len(lines):
            raise Failure(f"{what}: no line matches\n    {pattern}\nin\n    " + "\n    ".join(lines))
        at += 1


def eventually(check):
    """What others write may take a moment to arrive."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return check()
        except Failure:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class Script:
    def __init__(self, path):
        self.steps = []
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f.read().splitlines(), 1):
                if line.startswith("#") or (not line.strip() and not (self.steps and self.steps[-1][2])):
                    continue
                if line[:1].isspace() or not line:
                    self.steps[-1][2].append(line)
                else:
                    name, _, argument = line.partition(" ")
                    self.steps.append((name, argument.strip(), [], number))
        for _, _, block, _ in self.steps:
            while block and not block[-1].strip():
                block.pop()
            indent = min((len(l) - len(l.lstrip()) for l in block if l.strip()), default=0)
            block[:] = [l[indent:] for l in block]


class Runner:
    def __init__(self, build):
        self.mail = MailSystem(build)
        self.sinks = {}
        self.words, self.contexts, self.session = {}, {}, None

    def expand(self, text):
        for word in sorted(self.words, key=len, reverse=True):
            text = text.replace(word, self.words[word])
        return text.replace("$DIR", self.mail.directory).replace("$USER", self.mail.user.pw_name)

    def run(self, script):
        for name, argument, block, number in script.steps:
            method = getattr(self, "step_" + name.replace("-", "_").replace(".", "_"), None)
            if method is None:
                raise Failure(f"line {number}: unknown step {name}")
            try:
                method(self.expand(argument), [self.expand(line) for line in block])
            except (Failure, RuntimeError, OSError, subprocess.CalledProcessError) as problem:
                raise Failure(f"line {number}: {name} {argument}: {problem}") from problem

    # ---- set-up -------------------------------------------------------------------------

    def step_main_cf(self, _, block):
        name = None
        for line in block:
            if line[:1].isspace():
                self.mail.settings[name] += "\n" + line
            elif line:
                name, _, value = line.partition("=")
                name = name.strip()
                self.mail.settings[name] = value.strip()

    def step_master_cf(self, _, block):
        self.mail.master_text += "\n".join(block) + "\n"

    def step_file(self, path, block):
        path = self.mail.write(path, "\n".join(block) + "\n")
        if os.geteuid() == 0:
            os.chown(path, self.mail.user.pw_uid, self.mail.user.pw_gid)

    def step_dns(self, _, block):
        DnsServer("\n".join(block))

    def step_sink(self, argument, block, lmtp=False):
        name, address = argument.split()
        replies = {}
        for line in block:
            command, _, reply = line.partition("->")
            options = [part.strip().replace("\\n", "\r\n") for part in reply.split("|")]
            replies[command.strip()] = options if len(options) > 1 else options[0]
        if "TLS" in replies:
            # Files are those of "certificate" steps.
            replies["TLS"] = re.sub(r"(^|=)([\w.-]+\.(pem|crt))", rf"\1{self.mail.directory}/etc/\2", replies["TLS"])
        self.sinks[name] = SmtpSink(*split_address(address), replies, lmtp)

    def step_lmtp_sink(self, argument, block):
        self.step_sink(argument, block, lmtp=True)

    def step_dovecot(self, argument, _):
        address, *mechanisms = argument.split()
        AuthServer(address, f"{self.mail.directory}/tmp/auth.log", mechanisms).start()

    def step_saslauthd(self, path, _):
        SaslauthdServer(path, f"{self.mail.directory}/tmp/auth.log")

    def step_unanswered(self, address, _):
        self.sinks[address] = UnansweredPort(*split_address(address))

    def step_replies(self, address, block):
        FixedReplies(*split_address(address), "".join(block))

    def step_datagrams(self, argument, _):
        name, address = argument.split()
        if not address.startswith("unix:"):
            self.sinks[name] = DatagramSink(socket.AF_INET, split_address(address))
            return
        path = f"{self.mail.directory}/{address[5:]}"
        self.sinks[name] = DatagramSink(socket.AF_UNIX, path)
        os.chmod(path, 0o666)

    def step_milter(self, argument, block):
        name, address = argument.split()
        if address.startswith("unix:"):
            address = f"unix:{self.mail.directory}/{address[5:]}"
        self.sinks[name] = Milter(address, block)

    def step_syslog(self, name, _):
        namespaces.private_devices()
        self.sinks[name] = DatagramSink(socket.AF_UNIX, "/dev/log")
        os.chmod("/dev/log", 0o666)

    def step_address(self, address, _):
        namespaces.add_loopback_address(address)

    def step_owner(self, argument, _):
        user, path = argument.split()
        if os.geteuid() != 0:
            raise Skip("not root")
        os.chown(path, pwd.getpwnam(user).pw_uid, -1)

    def step_start(self, *_):
        self.mail.start()

    def step_stop(self, *_):
        self.mail.stop()

    def step_reload(self, *_):
        self.mail.reload()

    def step_kill(self, argument, _):
        program, _, name = argument.partition(" ")
        if not self.mail.kill(program, signal.Signals["SIG" + (name or "KILL")]):
            raise Failure("no such process")

    def step_certificate(self, argument, _):
        name, _, issuer = argument.partition(" ")
        base = f"{self.mail.directory}/etc/{name}"

        def openssl(*words, stdin=None):
            done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=False)
            if done.returncode:
                raise Failure(done.stderr.decode("utf-8", "replace"))
            return done.stdout

        openssl("req", "-x509" if not issuer else "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{base}.key", "-out", f"{base}.crt", "-subj", f"/CN={name}", *([] if issuer else ["-days", "10"]))
        if issuer:
            signer = f"{self.mail.directory}/etc/{issuer}"
            signed = openssl("x509", "-req", "-in", f"{base}.crt", "-CA", f"{signer}.crt", "-CAkey", f"{signer}.key",
                             "-set_serial", str(len(self.words) + 1000), "-days", "10")
            with open(f"{base}.crt", "wb") as f:
                f.write(signed)
        with open(f"{base}.pem", "wb") as chain:
            for part in ("key", "crt"):
                with open(f"{base}.{part}", "rb") as f:
                    chain.write(f.read())
        if not issuer:
            digits = openssl("x509", "-in", f"{base}.crt", "-noout", "-hash").decode().strip()
            os.symlink(f"{name}.crt", f"{self.mail.directory}/etc/{digits}.0")
        certificate = openssl("x509", "-in", f"{base}.crt", "-outform", "DER")
        key = openssl("pkey", "-in", f"{base}.key", "-pubout", "-outform", "DER")
        for word, data in (("FP", certificate), ("KEY", key)):
            digits = hashlib.sha256(data).hexdigest().upper()
            self.words[f"${name}_{word}"] = ":".join(digits[i:i + 2] for i in range(0, 64, 2))
        for suffix in ("key", "crt", "pem"):
            if os.geteuid() == 0:
                os.chown(f"{base}.{suffix}", self.mail.user.pw_uid, self.mail.user.pw_gid)

    def step_postmap(self, spec, _):
        *options, spec = spec.split()
        kind, _, name = spec.partition(":")
        self.mail.write_configuration()
        self.mail.run(["postmap", *options, f"{kind}:{self.mail.directory}/etc/{name}"])

    # ---- actions ------------------------------------------------------------------------

    def step_smtp(self, argument, block):
        port, _, source = argument.partition("from ")
        address = ("127.0.0.1", int(port)) if port.strip() else self.mail.smtp_address
        connection = socket.create_connection(address, 20, (source, 0) if source else None)
        replies = connection.makefile("rb")
        try:
            content = False
            for line in block:
                if line.startswith("C:"):
                    text = line[3:]
                    self.send(connection, text.encode() + b"\r\n")
                    content = content and text != "."
                elif line.startswith("R:"):
                    self.send(connection, line[3:].encode().decode("unicode_escape").encode("latin-1"))
                elif line.startswith("W:"):
                    time.sleep(float(line[2:]))
                elif line == "reload":
                    self.mail.reload()
                elif line.startswith("T:"):
                    self.trickle(connection, *line[3:].split(" ", 1))
                elif line.startswith("S:"):
                    content = self.expect_reply(replies, line[3:]).startswith("354")
                elif line.startswith("TLS:"):
                    replies.close()
                    connection = self.start_tls(connection, line[4:].split())
                    if connection is None:
                        return
                    replies = connection.makefile("rb")
                else:
                    raise Failure(f"not a line of a dialogue: {line}")
            if isinstance(connection, ssl.SSLSocket):
                self.session = connection.session
        finally:
            replies.close()
            if connection is not None:
                connection.close()

    def step_crowd(self, argument, block):
        words, _, source = argument.partition("from ")
        count, *port = words.split()
        address = ("127.0.0.1", int(port[0])) if port else self.mail.smtp_address
        connections, heard = [], []
        wanted = []
        for line in block:
            times, _, pattern = line.partition("S: ")
            wanted += [pattern] * int(times or 1)

        def listen(timeout):
            ready, _, _ = select.select([c for c in connections if c not in spoken], [], [], timeout)
            for connection in ready:
                spoken.append(connection)
                heard.append(connection.recv(1000).decode("utf-8", "replace").split("\r\n", 1)[0])
        spoken = []
        try:
            for _ in range(int(count)):
                connections.append(socket.create_connection(address, 20, (source, 0) if source else None))
                if len(connections) == 1:
                    listen(10)
            deadline = time.monotonic() + 10
            while len(heard) < len(wanted) and time.monotonic() < deadline:
                listen(deadline - time.monotonic())
        finally:
            for connection in connections:
                connection.close()
        missing = list(heard)
        for pattern in wanted:
            match = next((line for line in missing if matches(line, pattern)), None)
            if match is None:
                raise Failure(f"nobody heard {pattern}; heard was\n    " + "\n    ".join(heard))
            missing.remove(match)
        if missing:
            raise Failure("somebody heard " + ", ".join(missing))

    def start_tls(self, connection, words):
        options = dict(word.partition("=")[::2] for word in words)
        # A session can be resumed with the context that it was made with.
        key = tuple(sorted(word for word in words if word not in ("resume", "refused")))
        if key not in self.contexts:
            context = self.contexts[key] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if "version" in options:
                context.maximum_version = context.minimum_version = ssl.TLSVersion["TLSv" + options["version"].replace(".", "_")]
            if "certificate" in options:
                context.load_cert_chain(f"{self.mail.directory}/etc/{options['certificate']}")
        try:
            secure = self.contexts[key].wrap_socket(connection, server_hostname=options.get("name"),
                                                    session=self.session if "resume" in options else None)
        except OSError as problem:
            if "refused" in options:
                return None
            raise Failure(f"no TLS: {problem}") from problem
        if "refused" in options:
            raise Failure("TLS was not refused")
        if "resume" in options and not secure.session_reused:
            raise Failure("the session was not resumed")
        if "resume" not in options and secure.session_reused:
            raise Failure("the session was resumed")
        return secure

    @staticmethod
    def send(connection, data):
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass                                     # The reply tells why the server has given up.

    def trickle(self, connection, pause, text):
        for byte in text.encode() + b"\r\n":
            self.send(connection, bytes([byte]))
            time.sleep(float(pause))

    @staticmethod
    def expect_reply(replies, expected):
        while True:
            try:
                raw = replies.readline()
            except ConnectionResetError:             # A close, when it had not read everything.
                raw = b""
            got = raw.decode("utf-8", "replace").rstrip("\r\n") if raw else "<closed>"
            if matches(got, expected):
                return got
            if got[3:4] != "-" or got == "<closed>":
                raise Failure(f"expected {expected}, got {got}")

    def step_run(self, command, block):
        status = 0
        if block and re.fullmatch(r"exit \d+", block[-1]):
            status = int(block.pop().split()[1])
        done = self.mail.run(["sh", "-c", command], check=False)
        printed = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
        if done.returncode != status:
            raise Failure(f"exit {done.returncode}, expected {status}\n" + "\n".join(printed))
        if len(printed) != len(block) or not all(map(matches, printed, block)):
            raise Failure("it printed\n    " + "\n    ".join(printed) + "\nexpected\n    " + "\n    ".join(block))

    def step_input(self, command, block):
        self.mail.run(["sh", "-c", command], stdin="\n".join(block) + "\n")

    def step_empty(self, *_):
        self.mail.wait_empty()

    def step_settled(self, *_):
        self.mail.wait_settled()

    # ---- expectations -------------------------------------------------------------------

    def step_queue(self, _, block):
        got = sorted(" ".join([e["queue_name"], e["sender"]] + sorted(r["address"] for r in e["recipients"]))
                     for e in self.mail.queue())
        if got != sorted(block):
            raise Failure(f"the queue holds {got}")

    @staticmethod
    def expect_message(messages, block, what):
        if block and block[0].startswith("messages "):
            wanted = int(block.pop(0).split()[1])
            if len(messages) != wanted:
                raise Failure(f"{what} has {len(messages)} messages, expected {wanted}")
        if not block:
            return
        problems = []
        for lines in messages:
            try:
                return expect_in_order(lines, block, what)
            except Failure as problem:
                problems.append(str(problem))
        raise Failure("\n".join(problems) or f"{what} is empty")

    def step_maildir(self, path, block):
        top, messages = os.path.join(self.mail.directory, path), []
        for part in ("new", "cur"):
            for name in sorted(os.listdir(f"{top}/{part}")) if os.path.isdir(f"{top}/{part}") else []:
                with open(f"{top}/{part}/{name}", encoding="utf-8", errors="replace") as f:
                    messages.append(f.read().splitlines())
        self.expect_message(messages, block, path)

    def step_contains(self, path, block):
        with open(os.path.join(self.mail.directory, path), encoding="utf-8", errors="replace") as f:
            expect_in_order(f.read().splitlines(), block, path)

    def step_received(self, name, block):
        self.expect_message([[f"sender {s}"] + [f"recipient {r}" for r in rs] + content
                             for s, rs, content in self.sinks[name].messages], block, name)

    def step_commands(self, name, block):
        eventually(lambda: expect_in_order(self.sinks[name].lines, block, f"commands of {name}"))

    def step_qmqp(self, port, block):
        def netstring(data):
            return b"%d:%s," % (len(data), data)
        packet = b""
        with socket.create_connection(("127.0.0.1", int(port)), 20) as connection:
            for line in block:
                word, _, text = line.partition(" ")
                data = text.encode().decode("unicode_escape").encode("latin-1")
                if word in ("message", "sender", "recipient"):
                    packet += netstring(data)
                elif word == "raw":
                    self.send(connection, data)
                elif word == "end":
                    connection.shutdown(socket.SHUT_WR)
                elif word == "S:":
                    if packet:
                        self.send(connection, netstring(packet))
                    packet = b""
                    got = self.read_all(connection)
                    reply = got.partition(b":")[2][:-1].decode() if got else "closed"
                    if (got and got != netstring(reply.encode())) or not matches(reply, text):
                        raise Failure(f"expected {text}, got {got}")
                else:
                    raise Failure(f"{line}: not known")

    @staticmethod
    def read_all(connection):
        got = b""
        while True:
            try:
                more = connection.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return got
            got += more

    def step_heard(self, name, block):
        sink = self.sinks[name]
        wanted = int(block.pop(0).split()[1]) if block[0].startswith("messages ") else None
        eventually(lambda: expect_in_order(sink.messages, block, f"datagrams of {name}"))
        if wanted is not None and len(sink.messages) != wanted:
            raise Failure(f"{name} has got {sink.messages}")

    def step_told(self, name, block):
        eventually(lambda: expect_in_order(self.sinks[name].told, block, f"what {name} is told"))

    def step_not_told(self, name, block):
        for line in self.sinks[name].told:
            for pattern in block:
                if matches(line, pattern):
                    raise Failure(f"{name} was told: {line}")

    def step_connections(self, argument, _):
        name, wanted = argument.split()
        count = sum(line.startswith("CONNECT ") for line in self.sinks[name].lines)
        if count != int(wanted):
            raise Failure(f"{name} has got {count} connections")

    def step_log(self, _, block):
        patterns = ["*" + line + "*" for line in block]
        eventually(lambda: expect_in_order(self.mail.log().splitlines(), patterns, "log"))

    def step_no_log(self, _, block):
        for line in self.mail.log().splitlines():
            for pattern in block:
                if matches(line, "*" + pattern + "*"):
                    raise Failure(f"the log has: {line}")


def main():
    build, path = sys.argv[1:3]
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    runner = Runner(build)
    try:
        namespaces.use_resolver(runner.mail.directory)
        runner.run(Script(path))
        if crashes := runner.mail.crashes():
            raise Failure("a process crashed:\n" + "\n".join(crashes))
        return 0
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except Failure as problem:
        print(f"{os.path.basename(path)}: {problem}\n\n--- log\n{runner.mail.log()}")
        return 1
    finally:
        runner.mail.destroy()


if __name__ == "__main__":
    sys.exit(main())
