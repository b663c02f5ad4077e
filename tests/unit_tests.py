#!/usr/bin/python3
"""Runs the ctest entries of a build directory, two at a time, and counts every GoogleTest case.

    unit_tests.py BUILD_DIRECTORY [--only REGEX]

A failing binary's output is printed. The last line is "N passed, N failed".
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

TIME_LIMIT_S = 900


def run(test):
    """(name, passed, failed, output) of one ctest entry; a binary that is no GoogleTest counts as one case."""
    name, command = test["name"], list(test["command"])
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        gtest = any(argument.startswith("--gtest") for argument in command)
        if gtest:
            command.append(f"--gtest_output=json:{report.name}")
        directory = next((item["value"] for item in test.get("properties", []) if item["name"] == "WORKING_DIRECTORY"),
                         None)
        try:
            done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=TIME_LIMIT_S,
                                  errors="replace")
            status, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as error:
            status, output = 1, f"{error.stdout or ''}\nnot finished after {TIME_LIMIT_S} s"
        if not gtest:
            return name, int(status == 0), int(status != 0), output
        try:
            counts = json.load(open(report.name))
            failed = counts["failures"] + counts["errors"]
            return name, counts["tests"] - failed - counts["disabled"], max(failed, int(status != 0)), output
        except ValueError:  # it crashed before it could report
            return name, 0, 1, f"{output}\nended with status {status}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    listing = subprocess.run(["ctest", "--test-dir", options.build, "--show-only=json-v1"], stdout=subprocess.PIPE,
                             check=True)
    tests = [test for test in json.loads(listing.stdout)["tests"] if re.search(options.only, test["name"])]
    passed = failed = 0
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        for name, good, bad, output in pool.map(run, tests):
            passed, failed = passed + good, failed + bad
            if bad:
                print(f"FAILED {name}\n{output}")
            print(f"  {name}: {good} passed, {bad} failed", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed != 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
