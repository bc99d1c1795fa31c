#!/usr/bin/env python3
"""Runs the tests of a build directory through ctest and ends with one line: N passed, N failed.

Further arguments go to ctest (-R PATTERN, -L LABEL, -LE LABEL). Tests with real peers (label interop) run only
where the peers are installed or with POSTRIDER_INTEROP=1.
"""
import os
import re
import subprocess
import sys


def main():
    build, *arguments = sys.argv[1:]
    command = ["ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", "-j", str(os.cpu_count() or 2),
               *arguments]
    if "-L" not in arguments and os.environ.get("POSTRIDER_INTEROP") != "1":
        command += ["-LE", "interop"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace")
    passed = failed = 0
    for line in process.stdout:
        match = re.search(r"Test +#\d+: .*?(Passed|\*\*\*Failed|\*\*\*Timeout|\*\*\*Exception|\*\*\*Not Run|\*\*\*Skipped)",
                          line)
        if match and match.group(1) == "Passed":
            passed += 1
        elif match and "Skipped" not in match.group(1):
            failed += 1
            sys.stdout.write(line)
        elif not match:
            if not re.match(r" *Start +\d+:|Test project|100% tests|\s*$", line):
                sys.stdout.write(line)
        sys.stdout.flush()
    code = process.wait()
    if code and not failed:
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
