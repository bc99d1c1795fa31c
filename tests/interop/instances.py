#!/usr/bin/env python3
"""Interoperability: postmulti does and says what Debian's Postfix does.

    instances.py BUILD_DIRECTORY

The same commands are given to both, each over copies of /etc, /var/spool and /var/lib of its own in a mount namespace;
output and exit statuses must be the same. Needs root and the postfix package.
"""
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

PREPARE = r"""
set -e
for place in etc var/spool var/lib; do
  mkdir -p "$SCRATCH/$place/upper" "$SCRATCH/$place/work"
  mount -t overlay overlay -o "lowerdir=/$place,upperdir=$SCRATCH/$place/upper,workdir=$SCRATCH/$place/work" "/$place"
done
rm -rf /etc/postfix/main.cf
cp "$SOURCE/main.cf" /etc/postfix/main.cf.proto
cp "$SOURCE/master.cf" /etc/postfix/master.cf.proto
cp "$SOURCE/master.cf" /etc/postfix/master.cf
cat > /etc/postfix/main.cf <<END
compatibility_level = 3.6
myhostname = host.example.com
inet_interfaces = 127.0.0.1
master_service_disable = inet
$PLACES
END
set +e
cd /
unset MAIL_LOGTAG MAIL_CONFIG
run() { echo "\$ $*"; "$@" < /dev/null; echo "status $?"; }
"""

COMMANDS = r"""
run postmulti -l
run postmulti -e create -I postfix-a
run postmulti -e init
run postmulti -e create -I postfix-a -G mta
run postmulti -e create -I postfix-b
run postmulti -e create -I postfix-c -g mta
run postmulti -e create -I postfix-c
run postmulti -e create -I postfix-d config_directory=/etc/postfix-a
run postmulti -e create -I postfix-b config_directory=/etc/elsewhere
run postmulti -l
run postmulti -l -R
run postmulti -l -g mta
run postmulti -l -i nobody
run postmulti -i postfix-a -x sh -c 'echo $multi_instance_name $multi_instance_group $multi_instance_enable $MAIL_CONFIG $queue_directory $data_directory'
run postmulti -x sh -c 'test "$multi_instance_name" != postfix-b'
run postmulti -g nobody -x true
run postmulti -e enable -i postfix-b
run postmulti -p status
run postmulti -p start
run postmulti -p reload
run postmulti -e destroy -i postfix-b
run postmulti -p stop
run postfix status
run postfix -c /etc/postfix-c status
run postmulti -i postfix-a -p stop
run postmulti -e assign -i postfix-a -I postfix-z -G -
run postmulti -e disable -i postfix-b
run postmulti -e deport -i postfix-b
run postmulti -e import -I postfix-b -a
run postmulti -l
run postmulti -e destroy -i postfix-c
run postmulti -e destroy -i -
run postmulti -e destroy -i nobody
run postmulti -e nonsense
run postmulti -e create -I other
run postmulti -e create -I 'postfix-x y'
run postmulti -e create
run postmulti -e create -I postfix-x queue_directory=relative
run postmulti -e create -I postfix-x name=value
run postmulti -e assign -i postfix-b
run postmulti -R -p status
run postmulti -l extra
run postmulti -x
run postmulti
run sh -c "grep -h multi_instance /etc/postfix/main.cf /etc/postfix-a/main.cf | sort"
run ls -d /etc/postfix-b /etc/postfix-c /etc/postfix-a /var/spool/postfix-c
"""


def transcript(name, source, places, path):
    with tempfile.TemporaryDirectory(prefix="postrider-") as scratch:
        os.chmod(scratch, 0o755)
        environment = dict(os.environ, SCRATCH=scratch, SOURCE=source, PLACES=places, PATH=path, LC_ALL="C")
        # The programs of Debian's release write to terminals only.
        command = ["unshare", "--mount", "--propagation", "private", "script", "-qec", "bash " + scratch + "/commands",
                   "/dev/null"]
        with open(scratch + "/commands", "w", encoding="utf-8") as file:
            file.write(PREPARE + COMMANDS)
        # A stop ends what a failed test would leave.
        with open(scratch + "/commands", "a", encoding="utf-8") as file:
            file.write("postmulti -p stop > /dev/null 2>&1 < /dev/null\n")
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180,
                              stdin=subprocess.DEVNULL)
        print(f"{name}: {len(done.stdout.splitlines())} lines")
        return normal(done.stdout)


def normal(text):
    """Without what is allowed to differ."""
    out = []
    for line in text.replace("\r", "").splitlines():
        line = re.sub(r"PID: \d+", "PID: N", line)
        line = re.sub(r"^\S*/postconf: fatal", "postmulti: fatal", line)
        line = line.replace("the Postrider mail system", "the Postfix mail system").replace(", logrotate, non-bdb, lint, collate)", ", logrotate)")
        if line.startswith("rmdir: ") or "waiting for the" in line or "backwards" in line or "COMPATIBILITY_README" in line or not line.strip():
            continue
        out.append(line)
    return out


def main():
    overlay = subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0
    if os.geteuid() != 0 or not overlay or not os.path.exists("/usr/lib/postfix/sbin/postmulti-script"):
        print("skipped: needs root, mount namespaces and the postfix package")
        return 77
    build = os.path.realpath(sys.argv[1])
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conf")
    # The mail owner must reach the programs, wherever the checkout is.
    programs = tempfile.mkdtemp(prefix="postrider-programs-")
    try:
        os.chmod(programs, 0o755)
        for folder in ("sbin", "libexec"):
            shutil.copytree(f"{build}/{folder}", f"{programs}/{folder}", symlinks=True,
                            ignore=shutil.ignore_patterns("CMakeFiles"))
        ours = transcript("Postrider", source,
                          f"command_directory = {programs}/sbin\ndaemon_directory = {programs}/libexec\n"
                          f"sendmail_path = {programs}/sbin/sendmail", f"{programs}/sbin:{os.environ['PATH']}")
    finally:
        shutil.rmtree(programs)
    theirs = transcript("Postfix", source, "", os.environ["PATH"])
    differences = list(difflib.unified_diff(theirs, ours, "Postfix", "Postrider", lineterm="", n=1))
    if not differences:
        return 0
    print("\n".join(differences))
    return 1


if __name__ == "__main__":
    sys.exit(main())
