"""A server that speaks Dovecot's authentication protocol, for tests. It knows some users, and says what it was asked.

    dovecot_auth.py SOCKET LOG [MECH...]

SOCKET is a path or HOST:PORT. LOG gets the lines that clients send, without what differs each time. Users and passwords:

  alice wonder, bob builder   log in; Alice@Example.Test logs in as alice
  temp       a temporary failure             reason   a failure with a reason (whatever the password)
  disabled   a disabled account              code     a temporary failure by code
  nameless   a failure that has no more than the request's number
  close      the connection is closed instead of an answer
  silent     there is no answer
  garbage    the answer is no line of the protocol
  odd        it logs in as a name with control characters

The mechanism LONG sends a challenge of 20000 bytes; BIG takes any response and tells its size in the failure's reason.
"""
import base64
import os
import socketserver
import sys
import threading

PASSWORDS = {"alice": "wonder", "bob": "builder", "Alice@Example.Test": "wonder", "odd": "odd"}
FLAGS = {"PLAIN": "plaintext", "LOGIN": "plaintext", "CRAM-MD5": "dictionary\tactive", "DIGEST-MD5":
         "dictionary\tactive\tmutual-auth", "ANONYMOUS": "anonymous", "SCRAM-SHA-1": "mutual-auth", "GSSAPI":
         "mutual-auth\tforward-secrecy", "HIDDEN": "private", "EXTERNAL": ""}


def b64(data):
    return base64.b64encode(data).decode()


class AuthServer:
    def __init__(self, address, log, mechanisms=("PLAIN", "LOGIN"), handshake=None, first=None):
        self.log_path, self.mechanisms, self.lock = log, mechanisms, threading.Lock()
        self.handshake = handshake
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                outer.serve(self.rfile, self.wfile)

        if "/" in address:
            if os.path.exists(address):
                os.unlink(address)

            class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
                daemon_threads = True
            self.server = Server(address, Handler)
            os.chmod(address, 0o666)
        else:
            host, _, port = address.rpartition(":")

            class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
                daemon_threads, allow_reuse_address = True, True
            self.server = Server((host, int(port)), Handler)

    def start(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def note(self, line):
        with self.lock, open(self.log_path, "a", encoding="utf-8") as f:
            f.write(line.replace("\t", " ") + "\n")

    def serve(self, rfile, wfile):
        def say(*fields):
            wfile.write(("\t".join(fields) + "\n").encode())
            wfile.flush()

        if self.handshake is not None:
            wfile.write(self.handshake)
            wfile.flush()
        else:
            say("VERSION", "1", "2")
            for name in self.mechanisms:
                say("MECH", name, *[f for f in FLAGS.get(name, "").split("\t") if f])
            say("SPID", "123")
            say("CUID", "7")
            say("COOKIE", "0123456789abcdef0123456789abcdef")
            say("DONE")
        waiting = {}
        for raw in rfile:
            line = raw.decode(errors="replace").rstrip("\n")
            fields = line.split("\t")
            if fields[0] == "CPID":
                fields[1] = "PID"
            shown = ["ID" if i == 1 and fields[0] in ("AUTH", "CONT", "CANCEL") else
                     "rport=PORT" if f.startswith("rport=") else f for i, f in enumerate(fields)]
            self.note("\t".join(shown))
            if fields[0] == "AUTH":
                number, mechanism = fields[1], fields[2]
                response = next((f[5:] for f in fields if f.startswith("resp=")), None)
                waiting[number] = [mechanism, []]
                if response is None:
                    if mechanism == "LOGIN":
                        say("CONT", number, b64(b"Username:"))
                    elif mechanism == "LONG":
                        say("CONT", number, b64(b"x" * 20000))
                    elif mechanism == "CRAM-MD5":
                        say("CONT", number, b64(b"<1.2@test>"))
                    else:
                        say("CONT", number, "")
                    continue
            elif fields[0] == "CONT":
                number, response = fields[1], fields[2]
            else:
                continue
            if number not in waiting:
                continue
            if not self.answer(number, waiting, response, say):
                return

    def answer(self, number, waiting, response, say):
        mechanism, before = waiting[number]
        try:
            data = base64.b64decode(response, validate=True)
        except ValueError:
            del waiting[number]
            say("FAIL", number, "reason=Invalid base64 data in " + ("continued response" if before else "initial response"))
            return True
        if mechanism == "BIG":
            del waiting[number]
            say("FAIL", number, f"reason={len(response)} characters")
            return True
        if mechanism == "LOGIN":
            before.append(data.decode(errors="replace"))
            if len(before) == 1:
                say("CONT", number, b64(b"Password:"))
                return True
            user, password = before
        else:
            parts = data.decode(errors="replace").split("\0")
            user, password = (parts[1], parts[2]) if len(parts) == 3 else ("", "")
        del waiting[number]
        special = {"temp": ["temp"], "reason": ["reason=no entry for you"], "disabled": ["user_disabled"],
                   "code": ["code=temp_fail"]}
        if user == "close":
            return False
        if user == "silent":
            return True
        if user == "garbage":
            say("WHAT", "is", "this")
        elif user == "nameless":
            say("FAIL", number)
        elif user in special:
            say("FAIL", number, "user=" + user, *special[user])
        elif PASSWORDS.get(user) == password:
            name = {"odd": "o\x01dd", "Alice@Example.Test": "alice"}.get(user, user)
            say("OK", number, "user=" + name, "original_user=" + user)
        else:
            say("FAIL", number, "user=" + user)
        return True


def main():
    server = AuthServer(sys.argv[1], sys.argv[2], sys.argv[3:] or ("PLAIN", "LOGIN"))
    server.server.serve_forever()


if __name__ == "__main__":
    main()
