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


def add_loopback_address(address):
    """One more IPv6 address of the loopback interface."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        index = socket.if_nametoindex("lo")
        fcntl.ioctl(s, 0x8916, struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, address), 128, index))  # SIOCSIFADDR


def mount(source, target, kind=None, flags=0):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, None):
        raise OSError(ctypes.get_errno(), f"mount {target}")


def private_devices():
    """Gives this namespace a /dev of its own, with the usual devices, so that a test can be the log service of the machine."""
    devices = {name: os.open(f"/dev/{name}", os.O_PATH) for name in ("null", "zero", "full", "random", "urandom", "tty")}
    mount("tmpfs", "/dev", "tmpfs")
    os.chmod("/dev", 0o755)
    for name, device in devices.items():
        with open(f"/dev/{name}", "w", encoding="ascii"):
            pass
        mount(f"/proc/self/fd/{device}", f"/dev/{name}", flags=MS_BIND)
        os.close(device)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"/dev/{name}")


def use_resolver(directory):
    """Makes 127.0.0.1 the only name server, as far as this namespace sees."""
    for name, text in (("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
                       ("hosts", "127.0.0.1 localhost\n")):
        path, target = f"{directory}/{name}", os.path.realpath(f"/etc/{name}")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)
        if os.path.exists(target):
            mount(path, target, flags=MS_BIND)
