"""tcp and socketmap tables, with a server of our own that can stand still. Their timeouts are long, so that whoever waits for one
that stands still gets an answer from it in the end; who needs it not is served meanwhile. Last, a table on a server that
is written through proxywrite."""
import signal

from database_caches import Memcached
from database_support import Client, Daemons, Lookups, Server, wait_for

# KIND PORT. "yes@v.test" is "OK".
PROGRAM = '''
import socketserver, sys
class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            known = line.strip() == b"get yes@v.test"
            self.wfile.write(b"200 OK\\n" if known else b"500 not here\\n")
class Socketmap(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            length = b""
            while (byte := self.rfile.read(1)) not in (b":", b""):
                length += byte
            if not byte:
                return
            query = self.rfile.read(int(length) + 1)[:-1]
            answer = b"OK OK" if query == b"users yes@v.test" else b"NOTFOUND "
            self.wfile.write(b"%d:%s," % (len(answer), answer))
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True
Server(("127.0.0.1", int(sys.argv[2])), {"tcp": Tcp, "socketmap": Socketmap}[sys.argv[1]]).serve_forever()
'''


class Service(Server):
    port = 24567

    def __init__(self, mail, kind):
        super().__init__(mail, kind)
        self.kind = kind
        self.program = self.file("server.py", PROGRAM)

    def command(self):
        return ["/usr/bin/python3", self.program, self.kind, str(self.port)]

    def table(self, _settings):
        """In the place of Lookups: the table has no settings."""
        return f"tcp:127.0.0.1:{self.port}" if self.kind == "tcp" else f"socketmap:inet:127.0.0.1:{self.port}:users"


class PatientDaemons(Daemons):
    def server_stands_still(self):
        waiting = [Client(self.mail.smtp_address) for _ in range(12)]
        self.server.signal(signal.SIGSTOP)
        try:
            for client in waiting:
                client.say("RCPT TO:<yes@v.test>")
            for address in ("free@v.test", "own@v.test", "free@v.test"):
                self.expect(address, "250")
        finally:
            self.server.signal(signal.SIGCONT)
        replies = [client.reply() for client in waiting]
        if not all(reply.startswith("250") for reply in replies):
            raise SystemExit(f"after a server that stood still: {replies}\n{self.mail.log()}")
        for client in waiting:
            client.close()


def check_service(mail, kind):
    server = Service(mail, kind)
    yield server
    server.start()
    lookups = Lookups(mail, kind)
    for key, wanted in (("yes@v.test", (0, "OK", "")), ("no@v.test", (1, "", ""))):
        got = lookups.ask(server.table({}), key)
        if got != wanted:
            raise SystemExit(f"{key}: got {got}, expected {wanted}")
    PatientDaemons(mail, server, server, {}, mailboxes=False).check()


def check_proxywrite(mail):
    """verify(8) keeps what it knows in memcached, through proxywrite."""
    server = Memcached(mail, "memcached")
    yield server
    server.start()
    table = Lookups(mail, "memcache").table({"memcache": f"inet:127.0.0.1:{server.port}", "timeout": "2", "max_try": "2",
                                            "retry_pause": "1", "ttl": "600"})
    mail.settings.update({"address_verify_map": f"proxy:{table}", "proxy_write_maps": f"proxy:{table}",
                          "smtpd_recipient_restrictions": "reject_unauth_destination, reject_unverified_recipient",
                          "unverified_recipient_reject_code": "550", "address_verify_poll_count": "30",
                          "address_verify_poll_delay": "1s", "address_verify_negative_refresh_time": "1h",
                          # memcached forgets by itself, and cannot list what it has.
                          "address_verify_cache_cleanup_interval": "0"})
    mail.master_text = "proxywrite unix - - n - 1 proxymap\n"
    mail.start()
    client = Client(mail.smtp_address)
    known, unknown = f"{mail.user.pw_name}@localhost", "nobody-has-this-name@localhost"
    for address, code in ((known, "250"), (unknown, "550")):
        reply = client.recipient(address)
        if not reply.startswith(code):
            raise SystemExit(f"{address}: {reply}, expected {code}\n{mail.log()}")
    for address in (known, unknown):
        wait_for(lambda: "VALUE" in server.talk(f"get {address}\r\n"), f"{address} in memcached", mail.log)
    # What was written counts, also for a verify(8) that has just begun.
    client.close()
    mail.run("postfix reload")
    client = Client(mail.smtp_address)
    if not client.recipient(unknown).startswith("550"):
        raise SystemExit(f"forgotten\n{mail.log()}")
    client.close()
    if mail.log().count(f"to=<{unknown}>, relay=") != 1 or "warning" in mail.log():
        raise SystemExit(f"probed again\n{mail.log()}")
