#!/usr/bin/env python3
"""Checks that the state of each parameter in src/lib/config/params is true: one that code acts on is in force, one that
no code reads is not yet. With --fix the states are corrected.

A parameter counts as read where code names it (params::NAME), where it belongs to a family that code reads
(<transport>_destination_recipient_limit), or where the default of a parameter in force refers to it.
"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARAMS = f"{ROOT}/src/lib/config/params"
ROW = re.compile(r"(PARAM_[A-Z]+\()(\w+), (in_force|not_yet)")

# Facts about the process or the release, for use in other parameters and for scripts.
# Their defaults list the tables of all parameters, also of those that nothing reads yet.
LISTS_OF_TABLES = {"proxy_read_maps", "proxy_write_maps"}
# Where things were installed: for scripts and people; no program acts on them.
INSTALLED = {"html_directory", "mailq_path", "manpage_directory", "newaliases_path", "readme_directory",
             "sample_directory", "sendmail_path"}
# What they change happens here in any case, or belongs to a program that there is not.
MOOT = {"dns_ncache_ttl_fix_enable", "error_service_name", "qmgr_fudge_factor",
        "smtpd_tls_dh512_param_file", "smtpd_tls_eecdh_grade", "tlsproxy_tls_dh512_param_file", "tlsproxy_tls_eecdh_grade", "tls_eecdh_strong_curve", "tls_eecdh_ultra_curve",
        "tls_export_cipherlist", "tls_low_cipherlist"}
FACTS = {"process_id", "process_name", "service_name", "postrider_version", "mail_version", "mail_release_date"}


def source_texts():
    for folder, folders, names in os.walk(f"{ROOT}/src"):
        # What looks at configurations names parameters without acting on them.
        folders[:] = [name for name in folders if os.path.join(folder, name) != f"{ROOT}/src/tools/lint"]
        for name in names:
            if name.endswith((".cc", ".h")) and name not in ("families.cc", "families.h"):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    yield re.sub(r"//.*", "", f.read())


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def parameters_in_use(tables):
    code = "\n".join(source_texts())
    used = FACTS | INSTALLED | MOOT | set(re.findall(r"params::_?(\w+)", code))
    rows = {}
    for text in tables.values():
        for row in re.split(r"(?=^PARAM_)", text, flags=re.M):
            match = ROW.match(row)
            if match:
                rows[match.group(2).lstrip("_")] = row
    suffixes = ["_" + name for name in set(re.findall(r"families::(\w+)", code))]
    families = read(f"{ROOT}/src/lib/config/families.cc")
    for suffix in suffixes:
        match = re.search(rf'"{suffix}",\s*params::(\w+)', families)
        if match:
            used.add(match.group(1))
        used.update(name for name in rows if name.endswith(suffix) and not name.startswith("postscreen_"))
    while True:
        referred = {name for user in used - LISTS_OF_TABLES if user in rows
                    for name in re.findall(r"\$[{(]?(\w+)", rows[user].split("in_force, ", 1)[-1].split("not_yet, ", 1)[-1])
                    if name in rows} - used
        if not referred:
            return used
        used |= referred


def main():
    fix, problems = "--fix" in sys.argv, []
    tables = {path: read(path) for path in sorted(glob.glob(f"{PARAMS}/*.def"))}
    used = parameters_in_use(tables)
    for path, text in tables.items():
        def true_state(match):
            name = match.group(2)
            state = "in_force" if name.lstrip("_") in used else "not_yet"
            if state != match.group(3):
                problems.append(f"{os.path.relpath(path, ROOT)}: {name} is marked {match.group(3)}, but is {state}")
            return f"{match.group(1)}{name}, {state}"

        fixed = ROW.sub(true_state, text)
        if fix and fixed != text:
            with open(path, "w", encoding="utf-8") as f:
                f.write(fixed)
    if not fix:
        print("\n".join(problems))
    return 1 if problems and not fix else 0


sys.exit(main())
