"""ldap tables with OpenLDAP."""
import os
import socket

from database_support import DEAD, Daemons, Lookups, Server, certificates


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
password-hash {{CLEARTEXT}}
sasl-host 127.0.0.1
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
        entry("asker", ["asker@example.test"], "userPassword: opensesame")
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
    asker = {**anonymous, "bind": "sasl", "bind_dn": "asker", "bind_pw": "opensesame"}
    for mechanism in ("DIGEST-MD5", "CRAM-MD5", "SCRAM-SHA-256"):
        lookups.finds({**asker, "sasl_mechs": mechanism}, "alice@example.test", "alice/")
        lookups.fails({**asker, "sasl_mechs": mechanism, "bind_pw": "wrong"}, "alice@example.test", "Unable to bind to server",
                      "49 (Invalid credentials)")
    lookups.finds({**asker, "sasl_mechs": "PLAIN DIGEST-MD5", "sasl_minssf": "1"}, "alice@example.test", "alice/")
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
