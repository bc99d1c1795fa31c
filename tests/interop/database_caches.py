"""memcache tables with memcached, and redis tables with one server, Sentinel and a Cluster."""
import socket

from database_support import DEAD, Daemons, Lookups, PATIENCE, Server, certificates, wait_for


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
