#!/usr/bin/env python3
"""Runs the real program under load, ends it in every way, and checks every record.

After each restart, as far as the scenario allows:
  - every acknowledged record is in the stream exactly once, each producer's in order, no holes;
  - the views equal what a plain program computes from the stream;
  - event streams resumed with Last-Event-ID have neither gap nor repeat.
A request without an answer is sent again, with the same Idempotency-Key.

Exit status: 0 passed, 1 failed, 77 something could not be tried here and nothing failed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

import scenarios
from server import Failure, NotRun

SCENARIOS = {"random": scenarios.random_kills, "points": scenarios.kill_points,
             "changes": scenarios.project_changes,
             "full-disk": scenarios.full_disk, "failed-sync": scenarios.failed_sync}
EXIT_NOT_RUN = 77
SMALL_DISK = "256m"


def mount_small_disk(path):
    """A file system that can be filled without harm, where this process may mount one."""
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "millrace-crash",
                           path], capture_output=True).returncode == 0


def run_scenario(name, options, project, root):
    """Returns the exit status; keeps the data of a failure."""
    scenarios.say(f"{name}: seed {options.seed}, in {root}")
    disk = os.path.join(root, "disk")
    os.makedirs(disk)
    mounted = name == "full-disk" and mount_small_disk(disk)
    trial = scenarios.Trial(options, project, root)
    status = 0
    try:
        SCENARIOS[name](trial)
    except NotRun as reason:
        scenarios.say(f"{name}: NOT RUN: {reason}")
        status = EXIT_NOT_RUN
    except (Failure, OSError) as failure:
        scenarios.say(f"{name}: FAILED: {failure!r}")
        scenarios.say(f"again with: {sys.argv[0]} --binary {options.binary} --scenario {name} "
                      f"--kills {options.kills} --seed {options.seed}; data in {root}")
        status = 1
    finally:
        trial.close()
        if mounted:
            if status == 1:
                shutil.copytree(disk, os.path.join(root, "disk-kept"))
            subprocess.run(["umount", disk], check=True)
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--scenario", action="append", choices=sorted(SCENARIOS),
                        help="may be given several times; default: all")
    parser.add_argument("--kills", type=int, default=30,
                        help="of random, of points and of changes, each")
    parser.add_argument("--rounds", type=int, default=3, help="of full-disk and failed-sync")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--workers", type=int, default=0, help="0: another number in each life")
    parser.add_argument("--producers", type=int, default=4)
    parser.add_argument("--batch", type=int, default=80, help="records in a request, at most")
    parser.add_argument("--rate", type=int, default=500, help="records in a second, of all")
    parser.add_argument("--file-rate", type=int, default=200, help="lines written in a second")
    parser.add_argument("--file-lines", type=int, default=10_000, help="in each bounded file")
    parser.add_argument("--reach-s", type=float, default=2.0,
                        help="how long to wait for a system call before it counts as not made")
    parser.add_argument("--keep", action="store_true", help="keep the data directories")
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)  # The load's threads must not hold up the checks.
    project = os.path.join(os.path.dirname(os.path.abspath(__file__)), "project")
    root = tempfile.mkdtemp(prefix="millrace-crash-")
    statuses = []
    for name in options.scenario or SCENARIOS:
        statuses.append(run_scenario(name, options, project, os.path.join(root, name)))
        if statuses[-1] == 1:
            return 1
    if not options.keep:
        shutil.rmtree(root, ignore_errors=True)
    return EXIT_NOT_RUN if EXIT_NOT_RUN in statuses else 0


if __name__ == "__main__":
    sys.exit(main())
