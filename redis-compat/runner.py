"""Runs unittest suites against real servers, for redis-compat/run and tests/faults/run."""

import importlib.util
import os
import sys
import time
import traceback
import unittest

from cluster import SERVER, Cluster


class Result(unittest.TestResult):
    """Prints one line per test, and everything about a failure when it happens."""

    def __init__(self):
        super().__init__()
        self.passed = self.failed = 0

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def addSuccess(self, test):
        self.passed += 1
        print(f"  {test.id()} ({time.monotonic() - self.started:.1f} s)", flush=True)

    def addFailure(self, test, error):
        self.failed += 1
        print(f"FAILED {test.id() if hasattr(test, 'id') else test}")
        traceback.print_exception(*error)
        for cluster in Cluster.live:
            print(cluster.log_tails(), flush=True)

    addError = addFailure

    def addSubTest(self, test, subtest, error):
        if error:
            self.addFailure(subtest, error)

    def addSkip(self, test, reason):
        print(f"  {test.id()}: not run, {reason}", flush=True)

    def report(self, name, differences):
        """A case of a runner that is not unittest's."""
        if differences:
            self.failed += 1
            print(f"FAILED {name}", *differences, sep="\n", flush=True)
        else:
            self.passed += 1


def load(path):
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}.{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def matching(suite, text):
    tests = unittest.TestSuite()
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            tests.addTest(matching(item, text))
        elif text in item.id():
            tests.addTest(item)
    return tests


def options(parser):
    """What both runners understand; the parsed arguments, once the server exists."""
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", default="", help="tests whose name contains this")
    parsed = parser.parse_args()
    if not SERVER.exists():
        sys.exit(f"no server at {SERVER}; build the release preset first")
    os.environ["REDRAFT_LONG"] = "1" if parsed.long else ""
    return parsed


def run(paths, only, result):
    """The tests of these files whose name contains `only`, and the last line. Returns the exit status."""
    suite = unittest.TestSuite(matching(load(path), only) for path in sorted(paths))
    suite.run(result)  # as one suite: it tears a module down where the next begins
    print(f"{result.passed} passed, {result.failed} failed")
    return result.failed != 0
