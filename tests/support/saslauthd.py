"""A server that speaks saslauthd's protocol, for tests. Users and passwords are those of dovecot_auth.py; "silent" gets no
answer. The log has what clients ask: user, service and realm."""
import os
import socketserver
import threading

from dovecot_auth import PASSWORDS


class SaslauthdServer:
    def __init__(self, path, log):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                user, password, service, realm = (self.counted() for _ in range(4))
                with open(log, "a", encoding="utf-8") as f:
                    f.write(f"{user} {service} {realm}\n")
                if user == "silent":
                    self.rfile.read(1)
                    return
                answer = b"OK" if PASSWORDS.get(user) == password else b"NO"
                self.wfile.write(len(answer).to_bytes(2, "big") + answer)

            def counted(self):
                return self.rfile.read(int.from_bytes(self.rfile.read(2), "big")).decode()

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        self.server = Server(path, Handler)
        os.chmod(path, 0o666)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
