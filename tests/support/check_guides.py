#!/usr/bin/env python3
"""Checks the configurations in docs/guides.md: `postfix lint` must find nothing in any of them.

    check_guides.py DIRECTORY      DIRECTORY: an installation's or a build's commands (sbin)

A guide is what stands between two headings. Its block "main.cf" begins a configuration; a block "master.cf" is added to the
master.cf of conf/, where it takes the place of services of the same name, and other blocks are tables under the name that they have.
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK = re.compile(r"^```(\S+)\n(.*?)^```$", re.M | re.S)
TABLE = re.compile(r"\b(?:hash|lmdb|cdb|btree):(\S+?)(?=[\s,]|$)")


def guides():
    with open(f"{ROOT}/docs/guides.md") as page:
        for part in re.split(r"^## ", page.read(), flags=re.M)[1:]:
            blocks = dict(BLOCK.findall(part))
            if blocks:
                yield part.split("\n", 1)[0], blocks


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def merged(old, new):
    """A master.cf with the services of `new` in place of those of `old` that have the same name and type."""
    def services(text):
        return re.findall(r"^(?:[^\s#].*\n(?:[ \t].*\n)*|.*\n)", text, re.M)

    def key(entry):
        return tuple(entry.split()[:2]) if entry[:1] not in ("#", "\n", " ", "\t") else None
    replaced = {key(entry) for entry in services(new)} - {None}
    return "".join(entry for entry in services(old) if key(entry) not in replaced) + new


def findings(commands, blocks, directory):
    """What lint says about one guide, in a directory of its own."""
    etc = f"{directory}/etc/postfix"

    def moved(text):
        return text.replace("/etc/postfix", etc).replace("/etc/aliases", f"{directory}/etc/aliases")

    main_cf = moved(blocks["main.cf"])
    with open(f"{ROOT}/conf/master.cf") as file:
        write(f"{etc}/master.cf", merged(file.read(), moved(blocks.get("master.cf", ""))))
    for name in ("queue", "data"):
        os.makedirs(f"{directory}/{name}")
    write(f"{etc}/main.cf", main_cf + f"queue_directory = {directory}/queue\ndata_directory = {directory}/data\n")
    write(f"{directory}/etc/aliases", "postmaster: root\nroot: joe\n")
    for name, text in blocks.items():
        if name.startswith("/"):
            write(moved(name), moved(text))
    for path in set(TABLE.findall(main_cf)):
        tool = "postalias" if path.endswith("aliases") else "postmap"
        subprocess.run([f"{commands}/{tool}", "-c", etc, f"hash:{path}"], check=True)
    done = subprocess.run([f"{commands}/postfix", "-c", etc, "lint", "-q"], capture_output=True, text=True)
    text = done.stdout + done.stderr
    return text or (f"exit status {done.returncode}\n" if done.returncode else "")


def main():
    commands, bad, count = sys.argv[1], 0, 0
    for title, blocks in guides():
        if "main.cf" not in blocks:
            print(f"{title}: no main.cf")
            bad += 1
            continue
        count += 1
        with tempfile.TemporaryDirectory() as directory:
            said = findings(commands, blocks, directory)
        if said:
            print(f"{title}:\n{said}")
            bad += 1
    print(f"{count} configurations")
    sys.exit(1 if bad or not count else 0)


main()
