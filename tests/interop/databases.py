#!/usr/bin/env python3
"""Interoperability: tables in databases, against the servers of the distribution.

    databases.py BUILD_DIRECTORY pgsql|mysql|ldap|memcached|redis|tcp|socketmap|proxywrite

Starts the server on loopback, as an unprivileged user, in a scratch directory; fills it; and looks keys up with postmap
and through a running smtpd: with every option of the table, over TLS, with a host of the list that is dead; while the server
stands still, when it is gone, and when it is back. A server that is not installed fails the test: where this test runs, its
peers are (./dev peers).
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import namespaces                       # noqa: E402
from database_caches import check_memcached, check_redis    # noqa: E402
from database_ldap import check_ldap    # noqa: E402
from database_services import check_proxywrite, check_service      # noqa: E402
from database_sql import check_mysql, check_pgsql           # noqa: E402
from mailsystem import MailSystem       # noqa: E402


def main():
    namespaces.enter_or_skip()
    namespaces.bring_up_loopback()
    mail = MailSystem(sys.argv[1])
    servers = []
    try:
        mail.write_configuration()
        check = {"pgsql": check_pgsql, "mysql": check_mysql, "ldap": check_ldap, "memcached": check_memcached,
                 "redis": check_redis, "proxywrite": check_proxywrite, "tcp": lambda system: check_service(system, "tcp"),
                 "socketmap": lambda system: check_service(system, "socketmap")}[sys.argv[2]]
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
