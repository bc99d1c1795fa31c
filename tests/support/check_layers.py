#!/usr/bin/env python3
"""Checks that includes only reach downward: a folder of src/lib may include folders of lower layers, a daemon
may include libraries and itself. The layers are those of the CMake files."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCE = os.path.join(ROOT, "src")


def layers():
    found = {}
    for name in sorted(os.listdir(f"{SOURCE}/lib")):
        path = f"{SOURCE}/lib/{name}/CMakeLists.txt"
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                match = re.search(rf"postrider_library\({name} LAYER (\d+)", f.read())
            if match:
                found[name] = int(match.group(1))
    return found


def check():
    layer = layers()
    problems = []
    for folder, _, names in os.walk(SOURCE):
        place = os.path.relpath(folder, SOURCE).split(os.sep)
        for name in names:
            if not name.endswith((".cc", ".h")):
                continue
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as f:
                text = f.read()
            for number, line in enumerate(text.splitlines(), 1):
                match = re.match(r'\s*#include "([^"/]+)/', line)
                if not match:
                    if re.match(r"\s*#\s*if(n?def)?\b.*(__linux__|__FreeBSD__)", line) and \
                            (place[0] != "lib" or place[1] not in ("sys", "io", "sandbox")):
                        problems.append(f"{path}:{number}: operating system test outside sys, io, sandbox")
                    continue
                target = match.group(1)
                if place[0] == "lib":
                    own = place[1]
                    if target != own and not (target in layer and own in layer and layer[target] < layer[own]):
                        problems.append(f"{path}:{number}: {own} must not include {target}")
                elif target not in layer and target != place[0]:
                    problems.append(f"{path}:{number}: {place[0]} must not include {target}")
    for problem in problems:
        print(os.path.relpath(problem, ROOT) if problem.startswith(ROOT) else problem)
    return 1 if problems else 0


sys.exit(check())
