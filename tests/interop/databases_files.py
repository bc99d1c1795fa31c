#!/usr/bin/env python3
"""Interoperability: the files of hash, btree, lmdb and cdb tables go both ways between Postrider and Debian's Postfix.

    databases_files.py BUILD_DIRECTORY

Each side reads, lists, extends and prunes what the other has built, with postmap and postalias; and while a table is rebuilt
by one side over and over, readers of both see a whole table, old or new, and nothing else.
"""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mailsystem import MailSystem       # noqa: E402

TYPES = ("hash", "btree", "lmdb", "cdb")
SUFFIX = {"hash": "db", "btree": "db", "lmdb": "lmdb", "cdb": "cdb"}
ENTRIES = {
    "plain": "value", "joe@example.test": "joe, jim", "UPPER@Example.test": "Mixed Case Value", '"two words"': "quoted",
    "grüße@example.test": "größe", "long": "x" * 3000, "tab": "a\tb", "back\\slash": "c:\\d", "@domain.test": "catchall",
}
PATIENCE = 60


class Side:
    """The commands of one mail system."""

    def __init__(self, mail, directory):
        self.mail, self.directory = mail, directory

    def argv(self, command, *words):
        return [f"{self.directory}/{command}", "-c", f"{self.mail.directory}/etc", *words]

    def run(self, command, *words, stdin="", status=0):
        done = subprocess.run(self.argv(command, *words), input=stdin.encode(), capture_output=True, timeout=PATIENCE,
                              cwd=self.mail.directory, env={"PATH": "/usr/sbin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                              **self.mail.identity())
        if done.returncode != status or done.stderr:
            raise SystemExit(f"{self.directory}/{command} {words}: exit {done.returncode}\n"
                             f"{done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def listed(self, table, *options, command="postmap"):
        separator = "\t" if command == "postmap" else ":\t"
        lines = self.run(command, *options, "-s", table).splitlines()
        return dict(line.split(separator, 1) for line in lines)


def expect(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: got {str(got)[:2000]}\nexpected {str(wanted)[:2000]}")


def text_of(entries):
    return "".join(f"{key} {value}\n" for key, value in entries.items())


def folded(entries):
    return {key.casefold(): value for key, value in entries.items()}


def check_maps(mail, kind, writer, reader, can_list):
    """What `writer` builds, `reader` reads, changes and hands back."""
    spec = f"{kind}:{mail.directory}/tmp/map"
    mail.write(f"{mail.directory}/tmp/map", text_of(ENTRIES))
    for terminator in ((), ("-N",), ("-n",)):
        what = f"{kind} {terminator} by {writer.directory}"
        writer.run("postmap", *terminator, spec)
        for key, value in ENTRIES.items():
            expect(f"{what}: {key}", reader.run("postmap", "-q", key, spec), value + "\n")
        reader.run("postmap", "-q", "nobody@example.test", spec, status=1)
        wanted = folded(ENTRIES)
        if can_list(reader):
            expect(what, reader.listed(spec), wanted)
        if kind == "cdb":
            continue
        reader.run("postmap", *terminator, "-i", spec, stdin="added here\n")
        reader.run("postmap", *terminator, "-d", "plain", spec)
        reader.run("postmap", *terminator, "-ir", spec, stdin="long short\n")
        wanted = {**wanted, "added": "here", "long": "short"}
        del wanted["plain"]
        expect(f"{what}, changed by {reader.directory}", writer.listed(spec), wanted)
        writer.run("postmap", "-q", "plain", spec, status=1)
    os.unlink(f"{mail.directory}/tmp/map.{SUFFIX[kind]}")


def check_aliases(mail, kind, writer, reader, can_list):
    """The entries that a complete alias database has are found under their exact names, by both."""
    spec = f"{kind}:{mail.directory}/tmp/aliases"
    mail.write(f"{mail.directory}/tmp/aliases",
               'postmaster: root\n"Quoted Name": "|/bin/program argument"\nList: a@b.test,\n  c@d.test\n')
    before = int(time.time())
    writer.run("postalias", spec)
    what = f"{kind} aliases by {writer.directory}"
    for key, value in (("postmaster", "root"), ("list", "a@b.test, c@d.test"), ("quoted name", '"|/bin/program argument"'),
                       ("@", "@")):
        expect(f"{what}: {key}", reader.run("postalias", "-q", key, spec), value + "\n")
    expect(what, reader.run("postalias", "-nf", "-q", "YP_MASTER_NAME", spec), "mx.example.test\n")
    modified = int(reader.run("postalias", "-nf", "-q", "YP_LAST_MODIFIED", spec))
    if not before <= modified <= time.time():
        raise SystemExit(f"{what}: YP_LAST_MODIFIED {modified}")
    if can_list(reader):
        names = set(reader.listed(spec, command="postalias"))
        expect(what, names, {"postmaster", "list", "quoted name", "@", "YP_MASTER_NAME", "YP_LAST_MODIFIED"})
    if kind == "cdb":
        return
    reader.run("postalias", "-i", spec, stdin="new: alias\n")
    expect(what, writer.run("postalias", "-q", "new", spec), "alias\n")
    expect(what, writer.run("postalias", "-q", "@", spec), "@\n")


def check_large(mail, kind, writer, reader):
    """Large enough that the file is not one page after the other."""
    count = 30000
    spec = f"{kind}:{mail.directory}/tmp/large"
    entries = {f"user{i}@example{i % 97}.test": f"mailbox{i}/" + "y" * (i % 60) for i in range(count)}
    mail.write(f"{mail.directory}/tmp/large", text_of(entries))
    writer.run("postmap", spec)
    found = reader.run("postmap", "-q", "-", spec, stdin="".join(f"{key}\nno-{key}\n" for key in entries))
    expect(f"{kind} of {count} entries by {writer.directory}", dict(line.split("\t") for line in found.splitlines()), entries)
    os.unlink(f"{mail.directory}/tmp/large.{SUFFIX[kind]}")


class Asker:
    """A long-lived `postmap -q -`, asked again and again for the first and the last key."""

    def __init__(self, side, spec, keys):
        self.keys = keys
        self.process = subprocess.Popen(side.argv("postmap", "-q", "-", spec), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **side.mail.identity())
        self.generations = []

    def ask(self):
        self.process.stdin.write("".join(f"{key}\n" for key in self.keys).encode())
        self.process.stdin.flush()
        for key in self.keys:
            line = self.process.stdout.readline().decode()
            if not line.startswith(f"{key}\tgeneration"):
                raise SystemExit(f"while the table is rebuilt: {line!r} for {key}\n{self.process.stderr.read().decode()}")
            self.generations.append(int(line.split("generation")[1]))

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        problems = self.process.stderr.read().decode()
        self.process.stderr.close()
        if problems:
            raise SystemExit(problems)


def check_rebuilding(mail, kind, writer, readers, can_list):
    """A table with the same value everywhere, which changes with each build."""
    rounds, count = 12, 3000
    spec = f"{kind}:{mail.directory}/tmp/changing"
    keys = [f"key{i}" for i in range(count)]

    def build(generation):
        # The source is another file each time, so that no reader can take it for the one it knows.
        mail.write(f"{mail.directory}/tmp/changing", "".join(f"{key} generation{generation}\n" for key in keys))
        writer.run("postmap", spec)

    build(0)
    # Debian's command answers at the end of its input only.
    ends = [keys[0], keys[-1]]
    askers = [Asker(reader, spec, ends) for reader in readers if reader.directory != "/usr/sbin"]
    problems, done = [], threading.Event()

    def list_it(reader):
        try:
            while not done.is_set():
                values = set(reader.listed(spec).values()) if can_list(reader) else {
                    line.split("\t")[1] for line in reader.run("postmap", "-q", "-", spec, stdin="\n".join(ends)).splitlines()}
                if len(values) != 1:
                    raise SystemExit(f"{kind}: listed by {reader.directory} during a build: {values}")
        except SystemExit as problem:
            problems.append(problem)

    listers = [threading.Thread(target=list_it, args=(reader,)) for reader in readers]
    for lister in listers:
        lister.start()
    try:
        for generation in range(1, rounds + 1):
            build(generation)
            for asker in askers:
                asker.ask()
    finally:
        done.set()
        for lister in listers:
            lister.join()
    for asker in askers:
        asker.close()
        if asker.generations != sorted(asker.generations):
            problems.append(SystemExit(f"{kind}: back to an older table: {asker.generations}"))
    if problems:
        raise problems[0]
    for reader in readers:
        expect(f"{kind} at the end", reader.run("postmap", "-q", keys[-1], spec), f"generation{rounds}\n")


def main():
    mail = MailSystem(sys.argv[1])
    try:
        mail.settings.update({"default_database_type": "hash", "default_privs": "daemon"})
        mail.write_configuration()
        ours, theirs = Side(mail, f"{mail.build}/sbin"), Side(mail, "/usr/sbin")
        for kind in TYPES:
            def can_list(reader, kind=kind):
                return kind != "cdb" or reader is ours   # Debian's release does not list cdb tables.
            for writer, reader in ((ours, theirs), (theirs, ours), (ours, ours)):
                check_maps(mail, kind, writer, reader, can_list)
                check_aliases(mail, kind, writer, reader, can_list)
                check_large(mail, kind, writer, reader)
            # Debian's own readers are only whole when the file is replaced, or locked as it locks: both happens here.
            check_rebuilding(mail, kind, ours, (ours, theirs), can_list)
            check_rebuilding(mail, kind, theirs, (ours,), can_list)
        return 0
    finally:
        mail.destroy()


if __name__ == "__main__":
    sys.exit(main())
