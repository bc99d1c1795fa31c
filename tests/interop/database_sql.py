"""pgsql and mysql tables with PostgreSQL and MariaDB."""
import glob
import os
import subprocess
import time

from database_support import DEAD, Daemons, Lookups, PATIENCE, Server, certificates


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
