"""Small servers that tests talk through: DNS and an SMTP sink. Loopback only."""
import ipaddress
import socket
import struct
import threading


class DnsServer:
    """Answers A, AAAA, MX, PTR and TXT from lines "NAME TYPE DATA"; other names do not exist. For "NAME FAIL" it cannot say."""

    TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}

    def __init__(self, text, address=("127.0.0.1", 53)):
        self.records = {}
        for line in text.splitlines():
            fields = line.split()
            if fields:
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
        if kind == "TXT":
            text = " ".join(fields).encode()
            return bytes([len(text)]) + text
        return self.encode_name(fields[0])

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
            answers = [(self.TYPES[kind], self.data(kind, fields)) for kind, fields in known or ()
                       if self.TYPES.get(kind) == wanted]
            code = 0x8180 if known is not None or any(n.endswith("." + name) for n in self.records) else 0x8183
            if known and known[0][0] == "FAIL":
                code = 0x8182
            reply = query[:2] + struct.pack("!HHHHH", code, 1, len(answers), 0, 0) + query[12:question_end]
            for kind, data in answers:
                reply += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 300, len(data)) + data
            self.socket.sendto(reply, client)


class SmtpSink:
    """Takes mail and remembers it. `replies` maps a command line prefix (upper case), "DATA", "." or "BANNER" to
    a reply, or to a list of replies for one time after the other; "silence" is no reply."""

    def __init__(self, address, port, replies=None, lmtp=False):
        self.replies, self.lmtp = dict(replies or {}), lmtp
        self.messages, self.lines, self.lock = [], [], threading.Lock()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(100)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def reply_to(self, line, default):
        with self.lock:
            for prefix, answer in self.replies.items():
                if line.upper().startswith(prefix.upper()):
                    if isinstance(answer, list):
                        return answer.pop(0) if answer else default
                    return answer
        return default

    def serve(self, connection):
        with connection, connection.makefile("rwb") as stream:
            def say(text):
                if text == "silence":
                    return
                stream.write(text.encode() + b"\r\n")
                stream.flush()

            say(self.reply_to("BANNER", "220 sink.test ESMTP"))
            sender, recipients = None, []
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                with self.lock:
                    self.lines.append(line)
                verb = line.split(" ")[0].upper()
                if verb in ("EHLO", "LHLO"):
                    say(self.reply_to(line, "250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME"))
                elif verb == "MAIL":
                    answer = self.reply_to(line, "250 2.1.0 Ok")
                    sender, recipients = line[10:], []
                    say(answer)
                elif verb == "RCPT":
                    answer = self.reply_to(line, "250 2.1.5 Ok")
                    if answer.startswith("2"):
                        recipients.append(line[8:])
                    say(answer)
                elif verb == "DATA":
                    if not recipients:
                        say("503 5.5.1 No recipients")
                        continue
                    say(self.reply_to(line, "354 Go ahead"))
                    content = []
                    for raw_line in stream:
                        if raw_line == b".\r\n":
                            break
                        content.append(raw_line.decode("utf-8", "replace").rstrip("\r\n").removeprefix("."))
                    for _ in recipients if self.lmtp else [None]:
                        answer = self.reply_to(".", "250 2.0.0 Accepted")
                        say(answer)
                    if answer.startswith("2"):
                        with self.lock:
                            self.messages.append((sender, list(recipients), content))
                elif verb == "QUIT":
                    say("221 2.0.0 Bye")
                    return
                else:
                    say(self.reply_to(line, "250 2.0.0 Ok"))
