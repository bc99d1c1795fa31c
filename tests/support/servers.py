"""Small servers that tests talk through: DNS, an SMTP sink and simpler ones. Loopback only."""
import ipaddress
import socket
import ssl
import struct
import threading
import time


def listening_socket(address, port, backlog=100, receive_buffer=None):
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if receive_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    listener.bind((address, port))
    listener.listen(backlog)
    return listener


class UnansweredPort:
    """A port where attempts to connect get no answer at all: its queue is full."""

    def __init__(self, address, port):
        self.sockets = [listening_socket(address, port, backlog=0)]
        for _ in range(3):
            client = socket.socket(self.sockets[0].family)
            client.setblocking(False)
            client.connect_ex((address, port))
            self.sockets.append(client)


class FixedReplies:
    """Answers whatever comes with always the same text."""

    def __init__(self, address, port, text):
        self.listener, self.text = listening_socket(address, port), text.encode()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            while connection.recv(65536):
                connection.sendall(self.text)


class DatagramSink:
    """Remembers the datagrams that come to a UDP port or to the path of a local socket."""

    def __init__(self, family, address):
        self.messages, self.socket = [], socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(address)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            self.messages.append(self.socket.recv(65536).decode("utf-8", "replace").rstrip("\0\n"))


class DnsServer:
    """Answers A, AAAA, CNAME, MX, PTR, SRV, TLSA and TXT from lines "NAME TYPE DATA"; other names do not exist, and for those
    with the type FAIL the server has a failure to report. "secure NAME": what is at or below the name is answered as
    validated."""

    TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "TLSA": 52}

    def __init__(self, text, address=("127.0.0.1", 53)):
        self.records, self.zones = {}, []
        for line in text.splitlines():
            fields = line.split()
            if fields[:1] == ["secure"]:
                self.zones.append(fields[1].lower())
            elif fields:
                self.records.setdefault(fields[0].lower().rstrip("."), []).append((fields[1].upper(), fields[2:]))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(address)
        threading.Thread(target=self.serve, daemon=True).start()

    @staticmethod
    def encode_name(name):
        labels = [label.encode() for label in name.rstrip(".").split(".") if label]
        return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"

    def data(self, kind, fields):
        if kind == "A" or kind == "AAAA":
            return ipaddress.ip_address(fields[0]).packed
        if kind == "MX":
            return struct.pack("!H", int(fields[0])) + self.encode_name(fields[1])
        if kind == "SRV":
            return struct.pack("!HHH", *map(int, fields[:3])) + self.encode_name(fields[3])
        if kind == "TLSA":
            return bytes(map(int, fields[:3])) + bytes.fromhex(fields[3].replace(":", ""))
        if kind == "TXT":
            text = " ".join(fields).encode()
            return bytes([len(text)]) + text
        return self.encode_name(fields[0])

    def answers(self, name, wanted):
        """(owner, type, data) of each record, with the CNAME records on the way."""
        known = [(kind, fields) for kind, fields in self.records.get(name, ()) if kind != "FAIL"]
        found = [(name, self.TYPES[kind], self.data(kind, fields)) for kind, fields in known if self.TYPES[kind] == wanted]
        for kind, fields in known if not found else ():
            if kind == "CNAME":
                target = fields[0].lower().rstrip(".")
                found = [(name, self.TYPES[kind], self.data(kind, fields))] + self.answers(target, wanted)
        return found

    def is_secure(self, name):
        return any(name == zone or name.endswith("." + zone) for zone in self.zones)

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(1500)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode(errors="replace"))
                at += 1 + query[at]
            name, question_end = ".".join(labels).lower(), at + 5
            wanted = struct.unpack("!H", query[at + 1:at + 3])[0]
            known = self.records.get(name)
            answers = self.answers(name, wanted)
            code = 0x8180 if known is not None or any(n.endswith("." + name) for n in self.records) else 0x8183
            if ("FAIL", []) in (known or ()):
                code = 0x8182
            if all(self.is_secure(owner) for owner in [name, *(owner for owner, _, _ in answers)]):
                code |= 0x20
            reply = query[:2] + struct.pack("!HHHHH", code, 1, len(answers), 0, 0) + query[12:question_end]
            for owner, kind, data in answers:
                reply += self.encode_name(owner) + struct.pack("!HHIH", kind, 1, 300, len(data)) + data
            self.socket.sendto(reply, client)


class SmtpSink:
    """Takes mail and remembers it. "TLS" is the file with key and certificate for STARTTLS, which is offered then; words
    behind it: "wrapped": TLS begins with the connection; "ask": for a certificate of an authority in the file of this name;
    "version=1.2": the latest that is spoken. `lines` has "TLS VERSION client=NAME sni=NAME" for a session, with "resumed"
    behind it where that was so. "TLS-EHLO" is the reply to EHLO in TLS. `replies` maps a command line prefix (upper case), "DATA", "." or "BANNER" to
    a reply, or to a list of replies for one time after the other; "silence" is no reply, and "slowly REPLY" comes in
    ten pieces, one every quarter of a second. "CONTENT" is how many bytes of content a second are read. `lines` also has
    "CONNECT address" for each connection, and "END" for its end where there was no QUIT."""

    def __init__(self, address, port, replies=None, lmtp=False):
        self.replies, self.lmtp = dict(replies or {}), lmtp
        self.messages, self.lines, self.lock = [], [], threading.Lock()
        self.content_rate = int(self.replies.pop("CONTENT", 0))
        self.tls, self.names = None, {}
        self.wrapped = False
        if "TLS" in self.replies:
            self.prepare_tls(*self.replies.pop("TLS").split())
        self.listener = listening_socket(address, port, receive_buffer=8192 if self.content_rate else None)
        threading.Thread(target=self.accept, daemon=True).start()

    def prepare_tls(self, chain, *options):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(chain)
        self.tls.sni_callback = lambda session, name, _: self.names.update({session: name})
        for option in options:
            word, _, value = option.partition("=")
            if word == "wrapped":
                self.wrapped = True
            elif word == "ask":
                self.tls.load_verify_locations(value)
                self.tls.verify_mode = ssl.CERT_OPTIONAL
            elif word == "version":
                self.tls.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[value]

    def start_tls(self, connection):
        secure = self.tls.wrap_socket(connection, server_side=True)
        peer = secure.getpeercert()
        client = dict(part[0] for part in peer["subject"])["commonName"] if peer else "-"
        resumed = " resumed" if secure.session_reused else ""
        self.note(f"TLS {secure.version()} client={client} sni={self.names.pop(secure, None) or '-'}{resumed}")
        return secure

    def accept(self):
        while True:
            connection, client = self.listener.accept()
            self.note(f"CONNECT {client[0]}")
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def note(self, line):
        with self.lock:
            self.lines.append(line)

    def content(self, stream):
        """The lines of a message; None when the connection ends before it."""
        lines, size = [], 0
        for raw in stream:
            if raw == b".\r\n":
                return lines
            lines.append(raw.decode("utf-8", "replace").rstrip("\r\n").removeprefix("."))
            size += len(raw)
            if self.content_rate and size > self.content_rate / 20:
                time.sleep(size / self.content_rate)
                size = 0
        return None

    def reply_to(self, line, default):
        with self.lock:
            for prefix, answer in self.replies.items():
                if line.upper().startswith(prefix.upper()):
                    if isinstance(answer, list):
                        return answer.pop(0) if answer else default
                    return answer
        return default

    def serve(self, connection):
        try:
            if self.wrapped:
                connection = self.start_tls(connection)
            with connection.makefile("rwb") as stream:
                begins_tls = self.talk(stream, greets=True, secure=self.wrapped)
            if begins_tls:
                connection = self.start_tls(connection)
                with connection.makefile("rwb") as stream:
                    self.talk(stream, greets=False, secure=True)
        except OSError:
            self.note("END")
        finally:
            connection.close()

    def talk(self, stream, greets, secure):
        """True when the client begins TLS."""
        def say(text):
            if text == "silence":
                return
            pieces = [text.encode() + b"\r\n"]
            if text.startswith("slowly "):
                line = pieces[0].removeprefix(b"slowly ")
                step = max(1, len(line) // 9)
                pieces = [line[i:i + step] for i in range(0, len(line), step)]
            for piece in pieces:
                time.sleep(0.25 if len(pieces) > 1 else 0)
                stream.write(piece)
                stream.flush()

        if greets:
            say(self.reply_to("BANNER", "220 sink.test ESMTP"))
        sender, recipients = None, []
        for raw in stream:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            self.note(line)
            verb = line.split(" ")[0].upper()
            if verb in ("EHLO", "LHLO"):
                offer = "250-STARTTLS\r\n" if self.tls and not secure else ""
                default = f"250-sink.test\r\n250-PIPELINING\r\n{offer}250 8BITMIME"
                say(self.reply_to("TLS-EHLO", default) if secure and "TLS-EHLO" in self.replies else self.reply_to(line, default))
            elif verb == "STARTTLS" and self.tls:
                answer = self.reply_to(line, "220 2.0.0 Ready")
                say(answer)
                if answer == "220 2.0.0 Ready":
                    return True
            elif verb == "MAIL":
                answer = self.reply_to(line, "250 2.1.0 Ok")
                sender, recipients = line[10:], []
                say(answer)
            elif verb == "RCPT":
                answer = self.reply_to(line, "250 2.1.5 Ok")
                if answer.removeprefix("slowly ").startswith("2"):
                    recipients.append(line[8:])
                say(answer)
            elif verb == "DATA":
                if not recipients:
                    say("503 5.5.1 No recipients")
                    continue
                say(self.reply_to(line, "354 Go ahead"))
                content = self.content(stream)
                if content is None:
                    break
                answers = [self.reply_to(".", "250 2.0.0 Accepted") for _ in (recipients if self.lmtp else [None])]
                if answers[-1].removeprefix("slowly ").startswith("2"):
                    with self.lock:
                        self.messages.append((sender, list(recipients), content))
                for answer in answers:
                    say(answer)
            elif verb == "QUIT":
                say(self.reply_to(line, "221 2.0.0 Bye"))
                if self.reply_to(line, "") != "silence":
                    return False
            else:
                say(self.reply_to(line, "250 2.0.0 Ok"))
        self.note("END")
        return False
