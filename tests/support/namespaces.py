"""Private network and mount namespaces for tests that need port 25 or a DNS server of their own."""
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys

MARK = "POSTRIDER_IN_NAMESPACE"
MS_BIND = 0x1000


def available():
    return subprocess.run(unshare_command() + ["true"], capture_output=True).returncode == 0


def unshare_command():
    command = ["unshare", "--net", "--mount", "--propagation", "private"]
    if os.geteuid() != 0:
        command += ["--user", "--map-current-user", "--keep-caps"]
    return command


def enter_or_skip():
    """Runs this program again inside fresh namespaces, or ends it with ctest's code for a skipped test (77)."""
    if os.environ.get(MARK):
        return
    if not available():
        print("skipped: no namespaces on this machine")
        sys.exit(77)
    os.environ[MARK] = "1"
    os.execvp("unshare", unshare_command() + [sys.executable] + sys.argv)


def bring_up_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sH14s", b"lo", 0x1 | 0x40, b"")   # IFF_UP | IFF_RUNNING
        fcntl.ioctl(s, 0x8914, request)                            # SIOCSIFFLAGS


def use_resolver(directory):
    """Makes 127.0.0.1 the only name server, as far as this namespace sees."""
    libc = ctypes.CDLL(None, use_errno=True)
    for name, text in (("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
                       ("hosts", "127.0.0.1 localhost\n")):
        path, target = f"{directory}/{name}", os.path.realpath(f"/etc/{name}")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)
        if os.path.exists(target) and libc.mount(path.encode(), target.encode(), None, MS_BIND, None):
            raise OSError(ctypes.get_errno(), f"bind {target}")
