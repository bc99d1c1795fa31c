#!/usr/bin/env python3
"""Compares docs/security.md with what the daemons' sandboxes really permit.

    sandbox_table.py BUILD_DIRECTORY [--write]

Every daemon is started with -P: it enters its sandbox, prints its profile, tries what no daemon or only some may do, and
ends. The table in docs/security.md must be the one that comes out; --write replaces it. Exit 77: this kernel confines
nothing.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mailsystem import MailSystem                    # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCUMENT = os.path.join(ROOT, "docs", "security.md")
BEGIN, END = "<!-- table: tests/support/sandbox_table.py --write -->\n", "<!-- end of table -->\n"

# master starts the others; postdrop-policy is a command that lives among the daemons.
NOT_CONFINED = {"master", "postdrop-policy"}
# The same program under another name has the same profile.
ALIASES = {"lmtp": "smtp", "defer": "bounce", "trace": "bounce", "relay": "smtp"}
ARGUMENTS = {"pipe": ["user=nobody", "argv=/bin/cat"], "spawn": ["user=nobody", "argv=/bin/cat"]}


def probe(mail, program, directory):
    argv = [f"{mail.build}/libexec/{program}", "-n", program, "-t", "unix", "-P", directory] + ARGUMENTS.get(program, [])
    try:
        done = mail.run(argv, check=False, timeout=20)
    except subprocess.TimeoutExpired:
        raise SystemExit(f"{program}: it serves without a sandbox")
    text = done.stdout.decode()
    if done.returncode or not text:
        raise SystemExit(f"{program}: exit {done.returncode}: {done.stderr.decode()}")
    return dict(line.strip().split(":", 1) for line in text.splitlines()[1:])


def problems(program, found):
    """What the kernel let happen although the profile does not say so, or the other way round."""
    value = {key.strip(): text.strip() for key, text in found.items()}
    everywhere = "files" in value
    expected = dict.fromkeys(("try execute", "try fork", "try trace", "try signal"), False)
    # Who may open files as a user does is held to what that user may do.
    if not everywhere:
        expected |= dict.fromkeys(("try read", "try write", "try create"), False)
    expected["try identity"] = value["identities of users"] == "yes"
    # A profile that listens may also connect: the filter of system calls knows only sockets.
    if value["new listeners"] == "no":
        expected["try connect"] = value["network"] == "yes"
        expected["try listen"] = False
    return [f"{program}: {what[4:]}: {value[what]}" for what, allowed in expected.items()
            if value[what] != ("done" if allowed else "refused")]


def paths(mail, text):
    words = []
    for word in text.split():
        for directory, name in ((f"{mail.directory}/lib", "$data_directory"), (f"{mail.directory}/etc", "$config_directory"),
                                (f"{mail.directory}/spool", "$queue_directory"), (mail.directory, "the log's directory")):
            if word == directory or word.startswith(directory + "/"):
                word = name + word[len(directory):]
                break
        if word not in words:
            words.append(word)
    return ", ".join(sorted(words)) or "-"


def row(mail, program, found):
    value = {key.strip(): text.strip() for key, text in found.items()}
    everywhere = "as permissions allow" if "files" in value else None
    return "| {} | {} | {} | {} | {} | {} |".format(
        program, everywhere or paths(mail, value.get("read", "")), everywhere or paths(mail, value.get("write", "")),
        value["identities of users"], value["network"], value["new listeners"])


def main():
    build, write = sys.argv[1], "--write" in sys.argv
    mail = MailSystem(build)
    mail.settings["virtual_mailbox_base"] = f"{mail.directory}/mail"
    failures = []
    try:
        mail.write_configuration()
        for name in ("spool", "spool/public", "spool/private"):
            os.makedirs(f"{mail.directory}/{name}", exist_ok=True)
        if os.geteuid() == 0:
            mail.give_to_user(mail.directory)
        rows = ["| process | reads | writes | users' identities | network | listens |", "|---|---|---|---|---|---|"]
        with tempfile.TemporaryDirectory(prefix="postrider-probe-") as directory:
            with open(f"{directory}/secret", "w", encoding="utf-8") as f:
                f.write("secret\n")
            os.chmod(directory, 0o777)
            os.chmod(f"{directory}/secret", 0o666)
            for program in sorted(os.listdir(f"{mail.build}/libexec")):
                if program in NOT_CONFINED or program in ALIASES or program.endswith(".so"):
                    continue
                found = probe(mail, program, directory)
                if found["Landlock"].strip() == "no" or found["system call filter"].strip() == "no":
                    print("skipped: this kernel confines nothing")
                    return 77
                failures += problems(program, found)
                rows.append(row(mail, program, found))
    finally:
        mail.destroy()
    for failure in failures:
        print(failure)
    table = "\n".join(rows) + "\n"
    with open(DOCUMENT, encoding="utf-8") as f:
        text = f.read()
    wanted = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: BEGIN + table + END, text, flags=re.S)
    if write:
        with open(DOCUMENT, "w", encoding="utf-8") as f:
            f.write(wanted)
    elif wanted != text:
        print("docs/security.md has another table; to replace it: tests/support/sandbox_table.py BUILD_DIRECTORY --write\n"
              + table)
        failures.append("table")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
