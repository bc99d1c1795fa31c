#!/usr/bin/env python3
"""Finds which tests set which parameters: the third column of `postconf --coverage`.

    parameter_tests.py                 prints "name state tests" for every parameter
    parameter_tests.py --rows FILE     writes the rows of the table in src/tools/postconf, if they have changed
    parameter_tests.py --page FILE     writes the page that is installed as parameters.md
    parameter_tests.py --check         says what is wrong with comments

A test file covers a parameter when
- it gives it a value: "name = value" or "name=value" in a script, an -o option or a text of a unit test, "name": "value"
  in a Python test; a parameter of a transport (slow_destination_rate_delay) covers that of its family (default_destination_rate_delay);
- a unit test reads it: params::name;
- a comment says so, for what a file covers otherwise, by its default for example:  Covers: name, name
Tests of the machinery that reads, shows and checks configurations set names without looking at what they do; there, only
comments count.
"""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "man"))
import make_man                                       # noqa: E402

ROOT = make_man.ROOT
MACHINERY = ("unit/config/", "unit/postconf/", "unit/lint/", "e2e/tool-postconf.test", "e2e/lint")
SUFFIXES = (".cc", ".h", ".test", ".py")
SETS = re.compile(r"(?<![\w$.{-])(?:\{\s*)?([a-z0-9][a-z0-9_-]*)\s*=(?![=~])")
QUOTED = re.compile(r'"([a-z0-9][a-z0-9_-]*)"')
KEYS = re.compile(r'"([a-z0-9][a-z0-9_-]*)":')
READS = re.compile(r"params::_?(\w+)")
COVERS = re.compile(r"(?:#|//)\s*Covers:\s*(.*)")


def families():
    """suffix -> the parameter of the family: {"_destination_rate_delay": "default_destination_rate_delay"}"""
    text = make_man.read(f"{ROOT}/src/lib/config/families.cc")
    return dict(re.findall(r'"(_\w+)",\s*params::(\w+)', text))


def test_files():
    for folder in ("unit", "e2e", "interop", "crash"):
        for path in sorted(glob.glob(f"{ROOT}/tests/{folder}/**/*", recursive=True)):
            if path.endswith(SUFFIXES) and os.path.basename(path) not in ("run.py",):
                yield os.path.relpath(path, f"{ROOT}/tests"), make_man.read(path)


def annotated(text):
    """The names in "Covers:" comments; a comment may go on in the next lines."""
    names, lines = [], text.splitlines()
    for i, line in enumerate(lines):
        match = COVERS.search(line)
        if not match:
            continue
        words = match.group(1)
        while words.rstrip().endswith(",") and i + 1 < len(lines):
            i += 1
            words += " " + lines[i].strip().lstrip("#/ ")
        names += re.findall(r"\w+", words)
    return names


def names_in(path, text):
    names = set(annotated(text))
    if not path.startswith(MACHINERY):
        names.update(SETS.findall(text.replace("\\n", "\n")))
        if path.endswith(".py"):
            names.update(KEYS.findall(text))
        if path.endswith((".cc", ".h")):
            names.update(READS.findall(text))
            names.update(QUOTED.findall(text))
    return names


def tests_of_parameters():
    """name -> the test files that cover it; those with real daemons come first."""
    known, suffixes, found = make_man.parameters(), families(), {}
    for path, text in test_files():
        for name in names_in(path, text):
            if name not in known:
                name = next((base for suffix, base in suffixes.items() if name.endswith(suffix)), "")
            if name:
                found.setdefault(name, set()).add(path)
    order = ("e2e", "interop", "crash", "unit")
    return {name: sorted(paths, key=lambda path: (order.index(path.split("/")[0]), path)) for name, paths in found.items()}


def page():
    tests, known = tests_of_parameters(), make_man.parameters()
    states = [parameter.state for parameter in known.values()]
    covered = sum(parameter.state == "in_force" and name in tests for name, parameter in known.items())
    out = ["# Parameters", "",
           "Which parameters this release acts on, and which tests show it; `postconf --coverage` prints the same. What they "
           "mean is in postconf(5).", "",
           f"{len(known)} parameters: {states.count('in_force')} in force, {covered} of them with a test; "
           f"{states.count('not_yet')} not yet.", "", "| Parameter | State | Tests |", "|---|---|---|"]
    for name, parameter in sorted(known.items()):
        state = "in force" if parameter.state == "in_force" else "not yet"
        files = tests.get(name, []) if parameter.state == "in_force" else []
        shown = ", ".join(f"`{path}`" for path in files[:2]) + (f" and {len(files) - 2} more" if len(files) > 2 else "")
        out.append(f"| {name} | {state} | {shown} |")
    return "\n".join(out) + "\n"


def problems():
    known = make_man.parameters()
    for path, text in test_files():
        for name in annotated(text):
            if name not in known:
                yield f"tests/{path}: \"Covers:\" names {name}, which is no parameter"
            elif known[name].state != "in_force":
                yield f"tests/{path}: \"Covers:\" names {name}, which is not yet in force"


def rows():
    known = make_man.parameters()
    return "".join(f'{{"{name}", "{" ".join(files)}"}},\n' for name, files in sorted(tests_of_parameters().items())
                   if known[name].state == "in_force")


def write_if_changed(path, text):
    if os.path.exists(path) and make_man.read(path) == text:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    if sys.argv[1:2] == ["--rows"]:
        write_if_changed(sys.argv[2], rows())
    elif sys.argv[1:2] == ["--page"]:
        write_if_changed(sys.argv[2], page())
    elif sys.argv[1:] == ["--check"]:
        found = list(problems())
        print("\n".join(found))
        return 1 if found else 0
    else:
        tests = tests_of_parameters()
        for name, parameter in sorted(make_man.parameters().items()):
            print(name, parameter.state, " ".join(tests.get(name, [])) or "-")
    return 0


if __name__ == "__main__":
    sys.exit(main())
