#!/usr/bin/env python3
"""Interoperability: tables in databases, against the servers of the distribution.

    databases.py BUILD_DIRECTORY pgsql|mysql|ldap|memcached|redis

Starts the server on loopback, as an unprivileged user, in a scratch directory; fills it; and looks keys up with postmap
and through a running smtpd: with every option of the table, over TLS, with a host of the list that is dead; while the server
stands still, when it is gone, and when it is back. A server that is not installed fails the test: where this test runs, its
peers are (./dev peers).
"""
import glob
import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from mailsystem import MailSystem       # noqa: E402

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

ROWS = [
    ("yes@v.test", "OK"), ("alice@example.test", "alice/"), ("bob@example.test", "bob1"), ("bob@example.test", "bob2"),
    ("o'brien@example.test", "quote"), ("back\\slash@example.test", "slash"), ("grüne@example.test", "größe"),
    ("null@example.test", None), ("empty@example.test", ""), ("user@other.test", "person@there.test"), ("alice", "name"),
    ("test.example", "parts"),
]
QUERY = "SELECT value FROM entries WHERE name = '%s'"


def sql_text(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def fill_sql(escape=lambda text: text):
    rows = ", ".join(f"({escape(sql_text(k))}, {escape(sql_text(v))})" for k, v in ROWS)
    return ("CREATE TABLE entries (name varchar(200), value varchar(200));\n"
            "CREATE TABLE more (name varchar(200), a varchar(20), b varchar(20));\n"
            f"INSERT INTO entries VALUES {rows};\nINSERT INTO more VALUES ('two@example.test', 'x', 'y');\n")


def check_sql(lookups, base, host):
    """What pgsql and mysql have in common. `base` has all that a table needs but hosts and query."""
    full = {**base, "hosts": host, "query": QUERY}
    lookups.finds(full, "alice@example.test", "alice/")
    lookups.finds(full, "ALICE@example.test", "alice/")
    lookups.finds(full, "nobody@example.test", None)
    lookups.finds(full, "bob@example.test", "bob1,bob2")
    lookups.finds(full, "o'brien@example.test", "quote")
    lookups.finds(full, "back\\slash@example.test", "slash")
    lookups.finds(full, "GRÜNE@example.test", "größe")
    lookups.finds(full, "grüne@example.test", "größe")
    status, out, err = lookups.ask(lookups.table(full), "null@example.test")
    if (status, out) != (1, "") or bool(err) != (lookups.kind == "pgsql"):    # There it counts as empty.
        raise SystemExit(f"a value that is null: {(status, out, err)}")
    lookups.finds(full, "x' OR '1'='1", None)
    lookups.finds(full, "\\' OR 1=1 -- ", None)
    status, out, err = lookups.ask(lookups.table(full), "empty@example.test")
    if (status, out) != (1, "") or "empty lookup result for: \"empty@example.test\" -- ignored" not in err:
        raise SystemExit(f"an empty value: {(status, out, err)}")
    # Parts of the key, and of the result.
    lookups.finds({**full, "query": "SELECT value FROM entries WHERE name = '%u'"}, "alice@example.test", "name")
    lookups.finds({**full, "query": "SELECT value FROM entries WHERE name = '%u'"}, "@example.test", None)
    lookups.finds({**full, "query": "SELECT '%d|%D|%U|%S|%%' FROM entries WHERE name = 'alice'"}, "alice@example.test",
                  "example.test|example.test|alice|alice@example.test|%")
    lookups.finds({**full, "query": "SELECT '%d' FROM entries WHERE name = 'alice'"}, "alice", None)
    lookups.finds({**full, "query": "SELECT value FROM entries WHERE name = '%1.%2'"}, "any@example.test", "parts")
    lookups.finds({**full, "query": "SELECT '%4' FROM entries WHERE name = 'alice'"}, "any@a.b.test", None)
    lookups.finds({**full, "result_format": "<%s>"}, "bob@example.test", "<bob1>,<bob2>")
    lookups.finds({**full, "result_format": "%u at %d for %U of %D, %1"}, "user@other.test",
                  "person at there.test for user of other.test, test")
    lookups.finds({**full, "result_format": "%d"}, "alice@example.test", None)
    # Columns are values, too.
    lookups.finds({**full, "query": "SELECT a, b FROM more WHERE name = '%s'"}, "two@example.test", "x,y")
    # Domains.
    for domain in ("example.test, b.test", "inline:{example.test=x}", "!other.test static:all"):
        lookups.finds({**full, "domain": domain}, "alice@example.test", "alice/")
        lookups.finds({**full, "domain": domain}, "alice", None)
    lookups.finds({**full, "domain": "b.test"}, "alice@example.test", None)
    # The old form.
    old = {**base, "hosts": host, "table": "entries", "select_field": "value", "where_field": "name"}
    lookups.finds(old, "alice@example.test", "alice/")
    lookups.finds({**old, "additional_conditions": "AND value <> 'bob1'"}, "bob@example.test", "bob2")
    # In main.cf.
    lookups.mail.settings.update({f"old_{k}": v.replace("$", "$$") for k, v in full.items()})
    lookups.mail.write_configuration()
    status, out, err = lookups.ask(f"{lookups.kind}:old", "alice@example.test")
    if (status, out) != (0, "alice/"):
        raise SystemExit(f"settings in main.cf: {(status, out, err)}")
    # Failures.
    lookups.fails({**full, "expansion_limit": "1"}, "bob@example.test", f"dict_{lookups.kind}_lookup: ",
                  "Expansion limit exceeded for key: 'bob@example.test'", "query error")
    lookups.finds({**full, "expansion_limit": "2"}, "bob@example.test", "bob1,bob2")
    lookups.fails({**full, "query": "SELECT nonsense"}, "a@b.test", "query failed: ", "query error")
    lookups.fails({**full, "hosts": DEAD}, "a@b.test", f"connect to {lookups.kind} server {DEAD}: ", "query error")
    lookups.fails({**full, "password": "wrong"}, "a@b.test", f"connect to {lookups.kind} server {host}: ")
    # One of two hosts is dead: whichever comes first, there is an answer.
    for _ in range(4):
        status, out, err = lookups.ask(lookups.table({**full, "hosts": f"{DEAD} {host}"}), "alice@example.test")
        if (status, out) != (0, "alice/"):
            raise SystemExit(f"with a dead host: {(status, out, err)}")


class Postgres(Server):
    port = 15432

    def prepare(self, tls):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not programs:
            raise SystemExit("PostgreSQL is not installed")
        self.programs = programs[-1]
        password = self.file("password", "secret\n")
        self.run([f"{self.programs}/initdb", "-D", f"{self.directory}/data", "-U", "admin", "-A", "password", "--pwfile",
                  password, "-N", "-E", "UTF8"])
        with open(f"{self.directory}/data/postgresql.conf", "a", encoding="utf-8") as f:
            f.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{self.directory}'\n"
                    f"fsync = off\nssl = on\nssl_cert_file = '{tls}/server.pem'\nssl_key_file = '{tls}/server.key'\n"
                    "max_connections = 60\n")
        self.start()
        self.sql(fill_sql() + "CREATE FUNCTION find(text) RETURNS SETOF varchar AS "
                 "'SELECT value FROM entries WHERE name = $1' LANGUAGE sql;\nCREATE DATABASE latin ENCODING 'LATIN1' "
                 "LOCALE 'C' TEMPLATE template0;\n")

    def command(self):
        return [f"{self.programs}/postgres", "-D", f"{self.directory}/data"]

    def is_ready(self):
        return subprocess.run([f"{self.programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                              timeout=PATIENCE, check=False).returncode == 0

    def sql(self, text):
        self.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", f"postgresql://admin:secret@127.0.0.1:{self.port}/postgres"], text)

    def signal(self, number):
        # Each session has a process of its own, and all are in sessions of their own.
        pids = [self.process.pid]
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as f:
                    if int(f.read().rsplit(")", 1)[1].split()[1]) == self.process.pid:
                        pids.append(int(entry))
            except OSError:
                pass
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def clean_up(self):
        # Its children notice, and let go of the shared memory.
        time.sleep(0.2)


def check_pgsql(mail):
    tls = certificates(mail)
    server = Postgres(mail, "pgsql")
    yield server
    server.prepare(tls)
    lookups = Lookups(mail, "pgsql")
    base = {"user": "admin", "password": "secret", "dbname": "postgres"}
    host = f"127.0.0.1:{server.port}"
    check_sql(lookups, base, host)
    full = {**base, "hosts": host, "query": QUERY}
    lookups.finds({**base, "hosts": f"inet:{host}", "query": QUERY}, "alice@example.test", "alice/")
    socket_path = f"unix:{server.directory}/.s.PGSQL.{server.port}"
    lookups.finds({**full, "hosts": socket_path}, "alice@example.test", "alice/")
    lookups.finds({**base, "hosts": host, "select_function": "find"}, "bob@example.test", "bob1,bob2")
    url = f"postgresql://admin:secret@127.0.0.1:{server.port}/postgres"
    lookups.finds({"hosts": url, "query": QUERY}, "alice@example.test", "alice/")
    secure = "sslmode=verify-full&sslrootcert="
    lookups.finds({"hosts": f"{url}?{secure}{tls}/ca.pem", "query": "SELECT ssl FROM pg_stat_ssl WHERE pid = "
                   "pg_backend_pid() AND '%s' = 'a'"}, "a", "t")
    lookups.fails({"hosts": f"{url}?{secure}{tls}/other.pem", "query": QUERY}, "a", "certificate verify failed")
    lookups.finds({**full, "encoding": "LATIN1", "query": "SELECT value FROM entries WHERE name = 'alice'"}, "a", "name")
    lookups.fails({**full, "encoding": "NOSUCH"}, "a@b.test", "query error")
    Daemons(mail, server, lookups, full).check()


class MariaDb(Server):
    port = 13306

    def prepare(self, tls):
        self.file("my.cnf", f"""[mariadbd]
datadir={self.directory}/data
socket={self.directory}/socket
pid-file={self.directory}/pid
bind-address=127.0.0.1
port={self.port}
ssl-ca={tls}/ca.pem
ssl-cert={tls}/server.pem
ssl-key={tls}/server.key
skip-name-resolve
innodb-flush-log-at-trx-commit=0
innodb-buffer-pool-size=8M
performance-schema=off
character-set-server=utf8mb4
plugin-dir=/usr/lib/mysql/plugin
[postrider]
password=secret
default-character-set=utf8mb4
""")
        self.run(["mariadb-install-db", f"--defaults-file={self.directory}/my.cnf", "--auth-root-authentication-method=normal",
                  "--skip-test-db"])
        self.start()
        self.sql("CREATE DATABASE mail; CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'secret'; GRANT ALL ON mail.* TO "
                 "admin@'127.0.0.1'; CREATE USER admin@localhost IDENTIFIED BY 'secret'; GRANT ALL ON mail.* TO "
                 "admin@localhost; CREATE USER safe@'127.0.0.1' IDENTIFIED BY 'secret' REQUIRE SSL; GRANT ALL ON mail.* TO "
                 "safe@'127.0.0.1'; USE mail;\n" + fill_sql(lambda text: text.replace("\\", "\\\\")) +
                 "DELIMITER //\nCREATE PROCEDURE find(IN n varchar(200)) BEGIN SELECT value FROM entries WHERE name = n; "
                 "END //\nCREATE PROCEDURE nothing(IN n varchar(200)) BEGIN DECLARE a int; SET a = 1; END //\n")

    def sql(self, text):
        self.run(["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-u", "root",
                  f"--socket={self.directory}/socket"], text)

    def command(self):
        return ["/usr/sbin/mariadbd", f"--defaults-file={self.directory}/my.cnf"]


def check_mysql(mail):
    tls = certificates(mail)
    server = MariaDb(mail, "mysql")
    yield server
    server.prepare(tls)
    lookups = Lookups(mail, "mysql")
    base = {"user": "admin", "password": "secret", "dbname": "mail"}
    host = f"127.0.0.1:{server.port}"
    check_sql(lookups, base, host)
    full = {**base, "hosts": host, "query": QUERY}
    lookups.finds({**full, "hosts": f"unix:{server.directory}/socket"}, "alice@example.test", "alice/")
    lookups.finds({**full, "query": "CALL find('%s')"}, "bob@example.test", "bob1,bob2")
    lookups.fails({**full, "query": "CALL nothing('%s')"}, "a@b.test", "query error")
    lookups.finds({**full, "query": "CALL nothing('%s')", "require_result_set": "no"}, "a@b.test", None)
    from_file = {k: v for k, v in full.items() if k != "password"}
    lookups.finds({**from_file, "option_file": f"{server.directory}/my.cnf", "option_group": "postrider"},
                  "alice@example.test", "alice/")
    lookups.fails(from_file, "alice@example.test", "connect to mysql server")
    lookups.finds({**full, "charset": "latin1", "query": "SELECT value FROM entries WHERE name = 'alice'"}, "a", "name")
    secure = {**full, "user": "safe", "tls_CAfile": f"{tls}/ca.pem", "tls_verify_cert": "yes"}
    lookups.finds(secure, "alice@example.test", "alice/")
    lookups.fails({**full, "user": "safe"}, "alice@example.test", "connect to mysql server")
    lookups.fails({**secure, "tls_CAfile": f"{tls}/other.pem"}, "alice@example.test", "connect to mysql server", "SSL")
    Daemons(mail, server, lookups, full).check()


# ---- ldap -------------------------------------------------------------------------------------------------------

class Slapd(Server):
    port = 13389
    tls_port = 13636

    def prepare(self, tls):
        os.makedirs(f"{self.directory}/data")
        if os.geteuid() == 0:
            self.mail.give_to_user(self.directory)
        self.file("slapd.conf", f"""include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.4203.666.1.200 NAME 'maildrop' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.201 NAME 'memberdn' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
attributetype ( 1.3.6.1.4.1.4203.666.1.202 NAME 'memberurl' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.203 NAME 'exact' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.4203.666.1.100 NAME 'mailthing' SUP top AUXILIARY MAY ( maildrop $ memberdn $ memberurl $ exact ) )
pidfile {self.directory}/pid
TLSCACertificateFile {tls}/ca.pem
TLSCertificateFile {tls}/server.pem
TLSCertificateKeyFile {tls}/server.key
TLSVerifyClient never
modulepath /usr/lib/ldap
moduleload back_mdb
authz-regexp uid=([^,]*),cn=[^,]*,cn=auth cn=$1,dc=test
database mdb
suffix dc=test
rootdn cn=admin,dc=test
rootpw secret
directory {self.directory}/data
dbnosync
access to * by users read by anonymous auth
""")
        entries = ["dn: dc=test\nobjectClass: dcObject\nobjectClass: organization\no: test\ndc: test"]

        def entry(name, mail, extra, parent="dc=test"):
            entries.append(f"dn: cn={name},{parent}\nobjectClass: inetOrgPerson\nobjectClass: mailthing\ncn: {name}\nsn: x\n"
                           + "".join(f"mail: {one}\n" for one in mail) + extra)
        entries.append("dn: ou=sub,dc=test\nobjectClass: organizationalUnit\nou: sub")
        entry("yes", ["yes@v.test"], "maildrop: OK")
        entry("alice", ["alice@example.test"], "maildrop: alice/")
        entry("bob", ["bob@example.test"], "maildrop: bob1\nmaildrop: bob2")
        entry("paren", ["par(en)*@example.test"], "maildrop: special")
        entry("user", ["user@other.test"], "maildrop: person@there.test")
        entry("deep", ["deep@example.test"], "maildrop: deep/", "ou=sub,dc=test")
        entry("list", ["list@example.test"], "memberdn: cn=alice,dc=test\nmemberdn: cn=bob,dc=test\nmemberdn: cn=inner,dc=test\n"
              "memberurl: ldap:///dc=test??sub?(mail=deep@example.test)")
        entry("inner", ["inner@example.test"], "memberdn: cn=user,dc=test\nmaildrop: inner/")
        entry("loop", ["loop@example.test"], "memberdn: cn=loop,dc=test")
        entry("exact", ["exact@example.test"], "maildrop: not this\nexact: this one\nmemberdn: cn=alice,dc=test")
        self.file("data.ldif", "\n\n".join(entries) + "\n")
        self.run(["slapadd", "-f", f"{self.directory}/slapd.conf", "-l", f"{self.directory}/data.ldif"])
        self.start()

    def command(self):
        return ["/usr/sbin/slapd", "-d", "0", "-f", f"{self.directory}/slapd.conf", "-h",
                f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port} ldapi://{self.directory.replace('/', '%2F')}%2Fsocket"]


def check_ldap(mail):
    tls = certificates(mail)
    server = Slapd(mail, "ldap")
    yield server
    server.prepare(tls)
    lookups = Lookups(mail, "ldap")
    url = f"ldap://127.0.0.1:{server.port}"
    full = {"server_host": url, "search_base": "dc=test", "query_filter": "(mail=%s)", "bind_dn": "cn=admin,dc=test",
            "bind_pw": "secret", "timeout": "2"}
    lookups.finds(full, "alice@example.test", "alice/")
    lookups.finds(full, "nobody@example.test", None)
    lookups.finds(full, "bob@example.test", "bob1,bob2")
    lookups.finds(full, "par(en)*@example.test", "special")
    lookups.finds(full, "*", None)
    lookups.finds(full, "deep@example.test", "deep/")
    lookups.finds({**full, "server_host": "127.0.0.1", "server_port": str(server.port)}, "alice@example.test", "alice/")
    lookups.finds({**full, "server_host": f"ldapi://{server.directory.replace('/', '%2F')}%2Fsocket"}, "alice@example.test",
                  "alice/")
    for scope, value in (("one", None), ("sub", "deep/")):
        lookups.finds({**full, "scope": scope}, "deep@example.test", value)
    lookups.finds({**full, "scope": "base", "search_base": "cn=%u,dc=test"}, "alice@example.test", "alice/")
    lookups.finds({**full, "query_filter": "(cn=%u)"}, "alice@example.test", "alice/")
    lookups.finds({**full, "search_base": "dc=%1", "query_filter": "(&(cn=%u)(mail=%s))"}, "alice@example.test", "alice/")
    lookups.finds({**full, "result_format": "<%s>"}, "bob@example.test", "<bob1>,<bob2>")
    lookups.finds({**full, "result_format": "%u at %d for %U"}, "user@other.test", "person at there.test for user")
    got = lookups.ask(lookups.table({**full, "result_attribute": "maildrop, cn"}), "alice@example.test")
    if got[0] or set(got[1].split(",")) != {"alice", "alice/"}:
        raise SystemExit(f"two attributes: {got}")
    lookups.finds({**full, "domain": "example.test"}, "alice@example.test", "alice/")
    lookups.finds({**full, "domain": "b.test"}, "alice@example.test", None)
    # Entries that refer to others.
    special = {**full, "special_result_attribute": "memberdn, memberurl"}
    for address, values in (("list@example.test", {"alice/", "bob1", "bob2", "inner/", "person@there.test", "deep/"}),
                            ("inner@example.test", {"inner/", "person@there.test"})):
        got = lookups.ask(lookups.table(special), address)
        if got[0] or set(got[1].split(",")) != values or got[2]:
            raise SystemExit(f"{address}: {got}")
    lookups.finds({**full, "special_result_attribute": "memberdn", "leaf_result_attribute": "maildrop",
                   "result_attribute": "nosuch"}, "inner@example.test", "person@there.test")
    lookups.finds({**full, "special_result_attribute": "memberdn", "terminal_result_attribute": "exact"},
                  "exact@example.test", "this one")
    lookups.fails({**special, "recursion_limit": "5"}, "loop@example.test", "Recursion limit exceeded")
    lookups.fails({**full, "expansion_limit": "1", "size_limit": "0"}, "bob@example.test", "Expansion limit exceeded")
    lookups.fails({**full, "size_limit": "1", "query_filter": "(objectclass=inetOrgPerson)"}, "bob@example.test",
                  "limit exceeded")
    # Who asks.
    lookups.fails({**full, "bind_pw": "wrong"}, "alice@example.test", "Unable to bind to server", "49 (Invalid credentials)")
    anonymous = {k: v for k, v in full.items() if not k.startswith("bind_")}
    lookups.fails({**anonymous, "bind": "no"}, "alice@example.test", "Search error 50: Insufficient access")
    lookups.finds({**anonymous, "bind": "sasl", "sasl_mechs": "EXTERNAL",
                   "server_host": f"ldapi://{server.directory.replace('/', '%2F')}%2Fsocket"}, "alice@example.test", "alice/")
    # TLS.
    safe = {**full, "tls_ca_cert_file": f"{tls}/ca.pem", "tls_require_cert": "yes"}
    lookups.finds({**safe, "start_tls": "yes"}, "alice@example.test", "alice/")
    lookups.finds({**safe, "server_host": f"ldaps://127.0.0.1:{server.tls_port}"}, "alice@example.test", "alice/")
    other = {**safe, "tls_ca_cert_file": f"{tls}/other.pem"}
    lookups.fails({**other, "start_tls": "yes"}, "alice@example.test", "Unable to set STARTTLS")
    lookups.fails({**other, "server_host": f"ldaps://127.0.0.1:{server.tls_port}"}, "alice@example.test",
                  "Unable to bind to server")
    lookups.finds({**other, "start_tls": "yes", "tls_require_cert": "no"}, "alice@example.test", "alice/")
    # Servers that are dead, or silent.
    lookups.fails({**full, "server_host": f"ldap://{DEAD}"}, "a@b.test", "Can't contact LDAP server", "query error")
    lookups.finds({**full, "server_host": f"ldap://{DEAD} {url}"}, "alice@example.test", "alice/")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        lookups.finds({**full, "server_host": f"ldap://127.0.0.1:{silent.getsockname()[1]} {url}"}, "alice@example.test",
                      "alice/")
    lookups.fails({**full, "search_base": "dc=nosuch"}, "alice@example.test",
                  "Search base 'dc=nosuch' not found: 32: No such object")
    lookups.finds({**full, "search_base": "cn=%u,dc=nosuch"}, "alice@example.test", None)
    lookups.fails({**full, "query_filter": "(mail=%s"}, "alice@example.test", "Bad search filter")
    Daemons(mail, server, lookups, full).check()


# ---- memcache ---------------------------------------------------------------------------------------------------

class Memcached(Server):
    port = 21211

    def command(self):
        # Another identity than root's is given to it by Popen already.
        return ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "16"]

    def talk(self, text):
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as s:
            s.sendall(text.encode())
            s.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := s.recv(65536):
                answer += piece
        return answer.decode()

    def store(self, key, value):
        if not self.talk(f"set {key} 0 0 {len(value)}\r\n{value}\r\n").startswith("STORED"):
            raise SystemExit("memcached does not store")

    def start(self):
        super().start()
        self.store("yes@v.test", "OK")      # It has forgotten everything.


def check_memcached(mail):
    server = Memcached(mail, "memcached")
    yield server
    server.start()
    lookups = Lookups(mail, "memcache")
    full = {"memcache": f"inet:127.0.0.1:{server.port}", "timeout": "1", "retry_pause": "1", "max_try": "2"}
    lookups.finds(full, "yes@v.test", "OK")
    lookups.finds(full, "nobody@v.test", None)
    server.store("prefix:alice", "alice/")
    lookups.finds({**full, "key_format": "prefix:%u"}, "alice@example.test", "alice/")
    lookups.finds({**full, "domain": "b.test"}, "yes@v.test", None)
    # A cache before another table: what was asked once comes from the cache.
    backup = lookups.mail.write("backup", "slow@v.test found\n")
    cached = {**full, "backup": f"texthash:{backup}", "ttl": "60"}
    lookups.finds(cached, "slow@v.test", "found")
    if "found" not in server.talk("get slow@v.test\r\n"):
        raise SystemExit("the cache was not filled")
    server.store("slow@v.test", "from the cache")
    lookups.finds(cached, "slow@v.test", "from the cache")
    lookups.finds(cached, "none@v.test", None)
    # Digests, for keys that memcached does not take.
    digested = {**full, "key_digest": "sha256", "backup": f"inline:{{{'x' * 300}@v.test=long}}"}
    lookups.finds(digested, f"{'x' * 300}@v.test", "long")
    lookups.finds({**digested, "backup": "inline:{unused=unused}"}, f"{'x' * 300}@v.test", "long")
    lookups.fails({**full, "key_digest": "nosuch"}, "a", "key_digest")
    # Changes.
    table = lookups.table(full)
    mail.run(["postmap", "-i", table], stdin="new@v.test value\n")
    lookups.finds(full, "new@v.test", "value")
    mail.run(["postmap", "-d", "new@v.test", table])
    lookups.finds(full, "new@v.test", None)
    # Limits and failures.
    server.store("big", "x" * 2000)
    lookups.finds({**full, "data_size_limit": "2000"}, "big", "x" * 2000)
    lookups.fails({**full, "data_size_limit": "1999"}, "big", "unexpected memcache server reply", "query error")
    lookups.fails({**full, "memcache": f"inet:{DEAD}"}, "a", "connect to", "query error")
    status, out, err = lookups.ask(lookups.table({**cached, "memcache": f"inet:{DEAD}"}), "slow@v.test")
    if (status, out) != (0, "found") or "connect to" not in err:
        raise SystemExit(f"the backup of a dead cache: {(status, out, err)}")
    Daemons(mail, server, lookups, full, mailboxes=False).check()


# ---- redis ------------------------------------------------------------------------------------------------------

class Redis(Server):
    def __init__(self, mail, name, port, more=""):
        super().__init__(mail, name)
        self.port = port
        self.file("redis.conf", f"bind 127.0.0.1\nport {port}\nunixsocket {self.directory}/socket\nsave \"\"\nappendonly no\n"
                  f"dir {self.directory}\n{more}")

    def command(self):
        return ["redis-server", f"{self.directory}/redis.conf"]

    def cli(self, *words):
        return self.run(["redis-cli", "-p", str(self.port), *words]).strip()

    def start(self):
        super().start()
        wait_for(lambda: self.cli("PING").startswith(("PONG", "NOAUTH", "MASTERDOWN")), "answers of redis-server", self.output)


class FilledRedis(Redis):
    def start(self):
        super().start()
        self.cli("SET", "yes@v.test", "OK")


class Sentinel(Redis):
    def command(self):
        return ["redis-server", f"{self.directory}/redis.conf", "--sentinel"]


def check_redis(mail):
    tls = certificates(mail)
    server = FilledRedis(mail, "redis", 16379, f"tls-port 16380\ntls-cert-file {tls}/server.pem\n"
                         f"tls-key-file {tls}/server.key\ntls-ca-cert-file {tls}/ca.pem\ntls-auth-clients optional\n"
                         "user reader on >pass ~* +@read +select +auth +ping\n")
    yield server
    server.start()
    lookups = Lookups(mail, "redis")
    host = f"127.0.0.1:{server.port}"
    full = {"hosts": host, "timeout": "2"}
    server.cli("SET", "alice@example.test", "alice/")
    server.cli("HSET", "example.test", "alice", "in a hash")
    server.cli("RPUSH", "list:bob", "bob1", "bob2", "bob3")
    server.cli("-n", "3", "SET", "alice@example.test", "another database")
    server.cli("SET", "space key", "with a space")
    lookups.finds(full, "alice@example.test", "alice/")
    lookups.finds(full, "ALICE@example.test", "alice/")
    lookups.finds(full, "nobody@example.test", None)
    lookups.finds(full, "space key", "with a space")
    lookups.finds({**full, "query": "HGET %d %u"}, "alice@example.test", "in a hash")
    lookups.finds({**full, "query": "HGET %d %u"}, "alice", None)
    lookups.finds({**full, "query": "LRANGE list:%u 0 -1"}, "bob@example.test", "bob1,bob2,bob3")
    lookups.finds({**full, "query": "LRANGE list:%u 0 -1", "result_format": "<%s>"}, "bob@example.test", "<bob1>,<bob2>,<bob3>")
    lookups.fails({**full, "query": "LRANGE list:%u 0 -1", "expansion_limit": "2"}, "bob@example.test", "limit exceeded")
    lookups.finds({**full, "query": "EXISTS %s"}, "alice@example.test", "1")
    lookups.fails({**full, "query": "HGET %s %s"}, "alice@example.test", "redis query failed", "WRONGTYPE")
    lookups.fails({**full, "query": "NOSUCH %s"}, "a", "redis query failed", "unknown command")
    lookups.finds({**full, "database": "3"}, "alice@example.test", "another database")
    lookups.finds({**full, "domain": "b.test"}, "alice@example.test", None)
    lookups.finds({**full, "hosts": f"unix:{server.directory}/socket"}, "alice@example.test", "alice/")
    lookups.finds({**full, "user": "reader", "password": "pass"}, "alice@example.test", "alice/")
    lookups.fails({**full, "user": "reader", "password": "wrong"}, "alice@example.test", "WRONGPASS")
    lookups.fails({**full, "user": "reader", "password": "pass", "query": "DEL %s"}, "alice@example.test", "NOPERM")
    safe = {**full, "hosts": "127.0.0.1:16380", "tls": "yes", "tls_CAfile": f"{tls}/ca.pem"}
    lookups.finds(safe, "alice@example.test", "alice/")
    lookups.finds({**safe, "tls_cert_file": f"{tls}/server.pem", "tls_key_file": f"{tls}/server.key"}, "alice@example.test",
                  "alice/")
    lookups.fails({**safe, "tls_CAfile": f"{tls}/other.pem"}, "alice@example.test", "certificate verify failed")
    lookups.finds({**safe, "tls_CAfile": f"{tls}/other.pem", "tls_verify_cert": "no"}, "alice@example.test", "alice/")
    lookups.fails({**safe, "hosts": host}, "alice@example.test", "connect to redis server", "query error")
    lookups.fails({**full, "hosts": DEAD}, "a", "connect to redis server", "Connection refused", "query error")
    for _ in range(4):
        status, out, err = lookups.ask(lookups.table({**full, "hosts": f"{DEAD} {host}"}), "alice@example.test")
        if (status, out) != (0, "alice/"):
            raise SystemExit(f"with a dead host: {(status, out, err)}")
    yield from check_unfit(mail, lookups, host)
    yield from check_sentinel(mail, lookups)
    yield from check_cluster(mail, lookups)
    Daemons(mail, server, lookups, full).check()


def check_sentinel(mail, lookups):
    """The master dies, and its replica takes over."""
    master = Redis(mail, "master", 16401)
    replica = Redis(mail, "replica", 16402, "replicaof 127.0.0.1 16401\nrepl-diskless-sync-delay 0\n")
    sentinel = Sentinel(mail, "sentinel", 16403, "sentinel monitor mymaster 127.0.0.1 16401 1\n"
                        "sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 3000\n")
    for server in (master, replica, sentinel):
        yield server
        server.start()
    master.cli("SET", "who", "master")
    wait_for(lambda: replica.cli("GET", "who") == "master", "replication", replica.output)
    wait_for(lambda: "slave0" in sentinel.cli("INFO", "sentinel") or "slaves=1" in sentinel.cli("INFO", "sentinel"),
             "sentinel knows the replica", sentinel.output)
    settings = {"sentinel_hosts": f"{DEAD} 127.0.0.1:16403", "sentinel_service": "mymaster", "timeout": "2"}

    def value():
        return lookups.ask(lookups.table(settings), "who")[:2]

    if value() != (0, "master"):
        raise SystemExit(f"by way of Sentinel: {lookups.ask(lookups.table(settings), 'who')}")
    lookups.fails({**settings, "sentinel_service": "nosuch"}, "who", "no sentinel knows the master")
    master.kill()
    wait_for(lambda: sentinel.cli("SENTINEL", "get-master-addr-by-name", "mymaster").split()[1] == "16402", "failover",
             sentinel.output)
    wait_for(lambda: replica.cli("SET", "who", "replica") == "OK", "promotion", replica.output)
    if value() != (0, "replica"):
        raise SystemExit(f"after the failover: {lookups.ask(lookups.table(settings), 'who')}")
    for server in (sentinel, replica):
        server.kill()


def check_unfit(mail, lookups, host):
    """A server that is there and cannot answer is passed over, as one that is dead."""
    lost = Redis(mail, "lost", 16404, "replicaof 127.0.0.1 9\nreplica-serve-stale-data no\n")
    yield lost
    lost.start()
    settings = {"timeout": "2", "hosts": "127.0.0.1:16404"}
    lookups.fails(settings, "alice@example.test", "redis server 127.0.0.1:16404: MASTERDOWN", "query error")
    for _ in range(4):
        status, out, err = lookups.ask(lookups.table({**settings, "hosts": f"127.0.0.1:16404 {host}"}), "alice@example.test")
        if (status, out) != (0, "alice/"):
            raise SystemExit(f"with a server that cannot answer: {(status, out, err)}")
    lost.kill()


def check_cluster(mail, lookups):
    """Three nodes; each key is on one of them, and any node tells where."""
    nodes = [Redis(mail, f"node{i}", 16410 + i, "cluster-enabled yes\ncluster-node-timeout 2000\n") for i in range(3)]
    for node in nodes:
        yield node
        node.start()
    addresses = [f"127.0.0.1:{node.port}" for node in nodes]
    nodes[0].run(["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"])
    wait_for(lambda: all("cluster_state:ok" in node.cli("CLUSTER", "INFO") for node in nodes), "a cluster")
    keys = [f"key{i}@example.test" for i in range(12)]
    for key in keys:
        nodes[0].run(["redis-cli", "-c", "-p", str(nodes[0].port), "SET", key, f"value of {key}"])
    for node in nodes:
        table = lookups.table({"hosts": f"127.0.0.1:{node.port}", "cluster": "yes", "timeout": "2"})
        done = mail.run(["postmap", "-q", "-", table], stdin="".join(f"{key}\n" for key in keys))
        if done.stdout.decode() != "".join(f"{key}\tvalue of {key}\n" for key in keys):
            raise SystemExit(f"from the cluster: {done.stdout.decode()}{done.stderr.decode()}")
    lookups.fails({"hosts": addresses[0], "timeout": "2"}, next(
        key for key in keys if "MOVED" in nodes[0].cli("GET", key)), "MOVED")
    for node in nodes:
        node.kill()


def main():
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    mail = MailSystem(sys.argv[1])
    servers = []
    try:
        mail.write_configuration()
        check = {"pgsql": check_pgsql, "mysql": check_mysql, "ldap": check_ldap, "memcached": check_memcached,
                 "redis": check_redis}[sys.argv[2]]
        for server in check(mail):
            servers.append(server)
        return 0
    finally:
        mail.stop()
        for server in servers:
            server.kill()
        mail.destroy()


if __name__ == "__main__":
    sys.exit(main())
