"""A scripted mail filter. Its script has a line for what it does not simply let pass:

  EVENT [PATTERN] -> ACTION [| ACTION...]

EVENT is connect, helo, mail, rcpt, data, unknown, header, eoh, body or eom; PATTERN, with * for any text, is compared with
what the filter is told; for eoh, body and eom with what it was told of the sender. Of several lines that fit the first counts. ACTIONs are the filter's answers, in order:

  continue accept reject tempfail discard skip progress shutdown fail
  reply TEXT                        an SMTP reply; \\r\\n stands for a line end
  quarantine REASON
  add-header NAME: VALUE            in texts, \\n is a line end and \\t a tab
  insert-header N NAME: VALUE | change-header N NAME: VALUE
  add-rcpt ADDRESS [PARAMETERS] | delete-rcpt ADDRESS | change-from ADDRESS [PARAMETERS]
  body TEXT                         a piece of another body
  raw BYTES                         not in a packet; with Python's escapes
  nothing | wait SECONDS | close

A line "options NAME=NUMBER..." in front says what it answers to the offer: version, actions, steps, and macros=STAGE:NAMES
for the lists that it wants (NAMES separated by +).

What it is told is in `told`: "connect NAME FAMILY PORT ADDRESS", "mail <sender> PARAMETER...", "header NAME: VALUE", "body TEXT"
and so on; "macros EVENT: NAME=VALUE..." before each.
"""
import fnmatch
import os
import re
import socket
import struct
import threading
import time

EVENTS = {"C": "connect", "H": "helo", "M": "mail", "R": "rcpt", "T": "data", "U": "unknown", "L": "header", "N": "eoh",
          "B": "body", "E": "eom"}
BARE = {"continue": b"c", "accept": b"a", "reject": b"r", "tempfail": b"t", "discard": b"d", "skip": b"s", "progress": b"p",
        "shutdown": b"4", "fail": b"f"}
# The step that takes away the answer to an event, and the one that takes away the event.
NO_REPLY = {"connect": 0x1000, "helo": 0x2000, "mail": 0x4000, "rcpt": 0x8000, "data": 0x10000, "unknown": 0x20000, "header": 0x80,
            "eoh": 0x40000, "body": 0x80000, "eom": 0}


def unescaped(text):
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape")


def encoded(text):
    return unescaped(text).encode("utf-8", "surrogateescape")


def strings(data):
    return [part.decode("utf-8", "replace") for part in data.split(b"\0")[:-1]]


def visible(text):
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


class Closed(Exception):
    pass


class Milter:
    def __init__(self, address, script):
        self.told, self.rules, self.options = [], [], {"version": 6, "actions": 0x1ff, "steps": 0}
        self.lists = []
        for line in script:
            if line.startswith("options "):
                self.read_options(line.split()[1:])
                continue
            left, _, right = line.partition(" -> ")
            event, _, pattern = left.strip().partition(" ")
            self.rules.append((event, pattern.strip() or "*", [a.strip() for a in right.split(" | ")]))
        if address.startswith("unix:"):
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(address[5:])
            os.chmod(address[5:], 0o777)
        else:
            host, _, port = address.rpartition(":")
            self.listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((host.strip("[]"), int(port)))
        self.listener.listen(20)
        threading.Thread(target=self.accept, daemon=True).start()

    def read_options(self, words):
        for word in words:
            name, _, value = word.partition("=")
            if name == "macros":
                stage, _, names = value.partition(":")
                self.lists.append((int(stage), names.replace("+", " ")))
            else:
                self.options[name] = int(value, 0)

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                message = {}
                while self.step(connection, message):
                    pass
            except (Closed, OSError):
                pass
            self.told.append("end")

    @staticmethod
    def take(connection, count):
        data = b""
        while len(data) < count:
            chunk = connection.recv(count - len(data))
            if not chunk:
                raise Closed()
            data += chunk
        return data

    @staticmethod
    def send(connection, packet):
        connection.sendall(struct.pack("!I", len(packet)) + packet)

    def step(self, connection, message):
        packet = self.take(connection, struct.unpack("!I", self.take(connection, 4))[0])
        letter, data = chr(packet[0]), packet[1:]
        if letter == "O":
            self.told.append("offer version={} actions={:#x} steps={:#x}".format(*struct.unpack("!III", data)))
            answer = struct.pack("!III", *(self.options[name] for name in ("version", "actions", "steps")))
            for stage, names in self.lists:
                answer += struct.pack("!I", stage) + names.encode() + b"\0"
            self.send(connection, b"O" + answer)
        elif letter == "D":
            words = strings(data[1:])
            pairs = " ".join(f"{n}={v}" for n, v in zip(words[::2], words[1::2]))
            self.told.append(f"macros {EVENTS[chr(data[0])]}: {pairs}".rstrip())
        elif letter in EVENTS:
            text = self.text(letter, data)
            self.told.append(f"{EVENTS[letter]} {visible(text)}".rstrip())
            if letter == "M":
                message["sender"] = text
            self.answer(connection, EVENTS[letter], message.get("sender", "") if letter in "NBE" else text)
        else:
            self.told.append({"A": "abort", "Q": "quit"}.get(letter, f"packet {letter!r}"))
        return letter != "Q"

    @staticmethod
    def text(letter, data):
        if letter == "C":
            name, rest = data.split(b"\0", 1)
            if rest[:1] == b"U":
                return f"{name.decode()} U"
            return f"{name.decode()} {rest[:1].decode()} {struct.unpack('!H', rest[1:3])[0]} {rest[3:-1].decode()}"
        if letter == "B":
            return data.decode("utf-8", "replace")
        words = strings(data)
        return f"{words[0]}:{words[1]}" if letter == "L" else " ".join(words)

    def answer(self, connection, event, text):
        fitting = (actions for e, pattern, actions in self.rules
                   if e == event and fnmatch.fnmatchcase(text, re.sub(r"([\[\]?])", r"[\1]", pattern)))
        actions = next(fitting, None)
        if actions is None:
            if self.options["steps"] & NO_REPLY[event]:
                return
            actions = ["continue"]
        for action in actions:
            self.act(connection, action)

    def act(self, connection, action):
        word, _, rest = action.partition(" ")
        if word in BARE:
            return self.send(connection, BARE[word])
        if word == "nothing":
            return None
        if word == "wait":
            return time.sleep(float(rest))
        if word == "close":
            raise Closed()
        if word == "raw":
            return connection.sendall(unescaped(rest).encode("latin-1"))
        return self.send(connection, self.packet(word, rest))

    @staticmethod
    def packet(word, rest):
        def header(text):
            name, _, value = text.partition(":")
            return name.encode() + b"\0" + encoded(value[1:] if value.startswith(" ") else value) + b"\0"

        if word == "reply":
            return b"y" + encoded(rest) + b"\0"
        if word == "quarantine":
            return b"q" + encoded(rest) + b"\0"
        if word == "add-header":
            return b"h" + header(rest)
        if word in ("insert-header", "change-header"):
            number, _, text = rest.partition(" ")
            return (b"i" if word == "insert-header" else b"m") + struct.pack("!I", int(number)) + header(text)
        if word == "body":
            return b"b" + encoded(rest)
        address, _, parameters = rest.partition(" ")
        if word == "add-rcpt":
            if parameters:
                return b"2" + encoded(address) + b"\0" + parameters.encode() + b"\0"
            return b"+" + encoded(address) + b"\0"
        if word == "delete-rcpt":
            return b"-" + address.encode() + b"\0"
        if word == "change-from":
            return b"e" + address.encode() + b"\0" + (parameters.encode() + b"\0" if parameters else b"")
        raise ValueError(f"no action: {word}")
