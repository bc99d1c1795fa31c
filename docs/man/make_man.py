#!/usr/bin/env python3
"""Makes the manual pages from docs/man/*.md and the parameter tables of the code.

    make_man.py OUTPUT_DIRECTORY        writes man1/postcat.1 and so on
    make_man.py --check BUILD           every installed program has a page, every page builds; prints what is wrong

A page is plain text:

    # smtpd(8): SMTP server             the first line: name, section, what it is
    ## DESCRIPTION                      a section
    paragraphs, and lists:
    - an item
    `-o name=value`                     a term, and below it, after ": ", what it means
    : text
        indented by four: shown as it is
    @parameters smtpd lib/access        the parameters that these folders of src read, with defaults, from the code
    @all-parameters                     all of them with their full text: postconf(5)

`code` is shown bold, *words* are shown as a placeholder.
"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KINDS = {"BOOL": (2, "yes or no"), "INT": (4, "number"), "SECONDS": (4, "time"), "SIZE": (4, "number of bytes"),
         "STRING": (2, "text"), "FILLED": (2, "text, not empty"), "LENGTH": (4, "text"), "RAW": (3, "text, not expanded"),
         "CHOICE": (4, "word"), "COMPUTED": (2, "text"), "OLD": (1, "old name")}


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


# ---- the parameter tables ---------------------------------------------------------------------------------------

def split_arguments(text):
    """The arguments of a macro call; adjacent string literals become one."""
    arguments, current, in_string, depth, i = [], "", False, 0, 0
    while i < len(text):
        c = text[i]
        if in_string:
            current += c
            if c == "\\":
                current += text[i + 1]
                i += 1
            elif c == '"':
                in_string = False
        elif c == '"':
            in_string = True
            current += c
        elif c == "," and depth == 0:
            arguments.append(current.strip())
            current = ""
        else:
            depth += c in "({"
            depth -= c in ")}"
            current += c
        i += 1
    arguments.append(current.strip())
    return arguments


def literal(text):
    """The value of one or several adjacent string literals; other text as it is."""
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', text, re.S)
    if not parts:
        return text
    escapes = {"n": "\n", "t": "\t"}
    return re.sub(r"\\(.)", lambda m: escapes.get(m.group(1), m.group(1)), "".join(parts), flags=re.S)


class Parameter:
    def __init__(self, kind, arguments):
        self.kind, self.name, self.state = kind, arguments[0].lstrip("_"), arguments[1]
        self.doc = literal(arguments[-1])
        self.value = literal(arguments[2]) if kind not in ("OLD", "COMPUTED") else None

    def first_sentence(self):
        match = re.match(r"(.*?[.:;])(?=\s|$)", self.doc, re.S)
        return match.group(1).rstrip(":;") if match else self.doc


def parameters():
    found = {}
    for path in sorted(glob.glob(f"{ROOT}/src/lib/config/params/*.def")):
        text = re.sub(r"^//.*$", "", read(path), flags=re.M)
        for match in re.finditer(r"^PARAM_([A-Z]+)\((.*?)\)\n(?=\n|\Z|PARAM_)", text, re.M | re.S):
            parameter = Parameter(match.group(1), split_arguments(match.group(2)))
            found[parameter.name] = parameter
    return found


def parameters_read_by(folders):
    """The parameters that the sources in these folders of src name."""
    names = set()
    for folder in folders:
        paths = glob.glob(f"{ROOT}/src/{folder}/**/*.cc", recursive=True) + glob.glob(f"{ROOT}/src/{folder}/**/*.h",
                                                                                      recursive=True)
        if not paths:
            raise SystemExit(f"src/{folder}: no sources")
        for path in paths:
            names.update(re.findall(r"params::_?(\w+)", re.sub(r"//.*", "", read(path))))
    return names


# ---- roff -------------------------------------------------------------------------------------------------------

def roff_text(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", text)
    text = re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"\\fI\1\\fR", text)
    text = re.sub(r"\b([\w.-]+(?:\\-[\w.]+)*)\(([1578])\)", r"\\fB\1\\fR(\2)", text)
    return re.sub(r"^([.'])", r"\\&\1", text)


def plain(text):
    """Text from the code, where nothing is markup."""
    return re.sub(r"^([.'])", r"\\&\1", text.replace("\\", "\\e").replace("-", "\\-"))


class Page:
    def __init__(self, path, known):
        self.path, self.known = path, known
        lines = read(path).splitlines()
        match = re.fullmatch(r"# ([\w.-]+)\((\d)\): (.+)", lines[0])
        if not match:
            raise SystemExit(f"{path}: the first line is not \"# name(section): what it is\"")
        self.name, self.section, self.title = match.groups()
        self.out = [f'.TH "{self.name.upper()}" {self.section} "" "Postrider"', ".SH NAME",
                    f"{roff_text(self.name)} \\- {roff_text(self.title)}"]
        self.body(lines[1:])

    def body(self, lines):
        fresh = True  # A new block begins.
        literal_block = False
        for number, line in enumerate(lines):
            following = lines[number + 1] if number + 1 < len(lines) else ""
            if literal_block and not line.startswith("    ") and not (not line and following.startswith("    ")):
                self.out += [".fi", ".RE"]
                literal_block, fresh = False, True
            if line.startswith("    ") and (literal_block or fresh):
                if not literal_block:
                    self.out += [".PP", ".RS 4", ".nf"]
                    literal_block = True
                self.out.append(plain(line[4:]))
            elif literal_block:
                self.out.append("")
            elif not line.strip():
                fresh = True
            elif line.startswith("## "):
                self.out.append(f".SH {roff_text(line[3:])}")
                fresh = True
            elif line.startswith("@parameters "):
                self.list_parameters(line.split()[1:])
            elif line.strip() == "@all-parameters":
                self.all_parameters()
            elif line.startswith("- "):
                self.out += [".IP \\(bu 2", roff_text(line[2:])]
                fresh = False
            elif line.startswith(": "):
                self.out.append(roff_text(line[2:]))
                fresh = False
            elif following.startswith(": "):
                self.out += [".TP", roff_text(line)]
                fresh = False
            else:
                if fresh:
                    self.out.append(".PP")
                self.out.append(roff_text(line.strip()))
                fresh = False
        if literal_block:
            self.out += [".fi", ".RE"]

    def entry(self, parameter, text):
        value = "" if parameter.value is None else f" ({'empty' if parameter.value == '' else parameter.value})"
        state = "" if parameter.state == "in_force" else " [not yet in force]"
        self.out += [".TP", f"\\fB{plain(parameter.name)}\\fR{plain(value)}{state}", plain(text)]

    def list_parameters(self, folders):
        for name in sorted(parameters_read_by(folders)):
            if name in self.known:
                self.entry(self.known[name], self.known[name].first_sentence())

    def all_parameters(self):
        for name in sorted(self.known):
            self.entry(self.known[name], self.known[name].doc)

    def text(self):
        return "\n".join(self.out) + "\n"


def pages():
    known = parameters()
    return [Page(path, known) for path in sorted(glob.glob(f"{ROOT}/docs/man/*.md"))]


def write_all(target):
    for page in pages():
        folder = f"{target}/man{page.section}"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/{page.name}.{page.section}", "w", encoding="utf-8") as f:
            f.write(page.text())


INTERNAL = {"postdrop-policy"}  # Started by other programs alone.


def check(build):
    """Every program has a page; a page of a command or daemon belongs to a program or says that it is a link."""
    have = {page.name for page in pages()}
    programs = {name for folder in ("sbin", "libexec") for name in os.listdir(f"{build}/{folder}")}
    missing = sorted(name for name in programs - have - INTERNAL if not name.endswith(".so"))
    for name in missing:
        print(f"{name} has no manual page in docs/man")
    return 1 if missing else 0


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        sys.exit(check(sys.argv[2]))
    write_all(sys.argv[1])
