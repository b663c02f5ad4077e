#!/usr/bin/python3
"""Plays the scripts of this directory to Debian's redis-server and to redraft and compares the raw replies.

    run.py [--oracle-only] [--nodes N] [--only TEXT] [script.txt ...]

A script is lines; each `== title` starts a case on an empty keyspace with fresh connections. Lines before the first
title are played at the start of every case. A line is a command with redis-cli's quoting, plus:

    {a,b} outside quotes    one command for each alternative          "x"*1000     a repeated string
    ~rule COMMAND ...       compare after the named normalisation     @b COMMAND   use connection b
    @b> COMMAND             send, and wait until the server counts one more blocked client
    @b>> COMMAND            send only                @b<           read one reply of connection b
    .until REPLY COMMAND    repeat until the raw reply (quoted) appears, e.g. .until ":0\\r\\n" EXISTS k
    .raw BYTES              send these bytes and compare one reply    .closed  the server has closed the connection
    .close                  close this connection             $id:b    the client id of connection b

A script whose first line is `# oracle cluster` is compared with a redis-server in cluster mode that owns all slots.

Where redraft follows Redis 7.2 and the oracle is 7.0, exceptions.txt states the expected reply and its source. It names
a line by its text, so a case must not hold two equal lines with different replies there.
"""

import argparse
import itertools
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cluster import Cluster, RedisServer, wait_for  # noqa: E402
from normalise import RULES  # noqa: E402
from resp import Closed, Connection  # noqa: E402

ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "b": b"\b", "a": b"\a"}


class Line:
    def __init__(self, number, text):
        self.number, self.text = number, text
        self.connection, self.mode, self.rules, self.directive = "main", "call", [], None
        words = split(text)
        while words and isinstance(words[0], str):
            word = words.pop(0)
            if match := re.fullmatch(r"@(\w+)(>>|>|<)?", word):
                self.connection = match[1]
                self.mode = {None: "call", ">": "block", ">>": "send", "<": "read"}[match[2]]
            elif word[0] == "~":
                self.rules = word[1:].split("+")
            else:
                self.directive = word
        self.arguments = words


def split(text):
    """Words of a line: leading marks (@x, ~x, .x) as str, arguments as bytes."""
    words, position, marks = [], 0, True
    while position < len(text):
        if text[position] == " ":
            position += 1
        elif marks and text[position] in "@~.":
            end = (text + " ").index(" ", position)
            words.append(text[position:end])
            position = end
        else:
            word, position = argument(text, position)
            words.append(word)
            marks = False
    return words


def argument(text, position):
    out = bytearray()
    while position < len(text) and text[position] != " ":
        char = text[position]
        if char == '"':
            part, position = quoted(text, position + 1)
            if match := re.match(r"\*(\d+)", text[position:]):
                part *= int(match[1])
                position += match.end()
            out += part
        else:
            out += char.encode()
            position += 1
    return bytes(out), position


def quoted(text, position):
    out = bytearray()
    while text[position] != '"':
        if text[position] == "\\":
            position += 1
            if text[position] == "x":
                out.append(int(text[position + 1:position + 3], 16))
                position += 2
            else:
                out += ESCAPES.get(text[position], text[position].encode())
        else:
            out += text[position].encode()
        position += 1
    return bytes(out), position + 1


def alternatives(text):
    """Brace expansion outside quotes: one line per combination."""
    parts = re.split(r'("(?:[^"\\]|\\.)*"|\{[^{}" ]*,[^{}" ]*\})', text)
    choices = [part[1:-1].split(",") if part[:1] == "{" else [part] for part in parts]
    return ["".join(choice) for choice in itertools.product(*choices)]


class Case:
    def __init__(self, script, title, lines, oracle):
        self.script, self.title, self.lines, self.oracle = script, title, lines, oracle

    @property
    def name(self):
        return f"{self.script}: {self.title}"


def load(path):
    prelude, cases, current = [], [], None
    whole = path.read_text()
    oracle = "cluster" if whole.startswith("# oracle cluster\n") else "plain"
    for number, text in enumerate(whole.splitlines(), 1):
        text = text.strip()
        if not text or text[0] == "#":
            continue
        if text.startswith("== "):
            current = Case(path.name, text[3:], list(prelude), oracle)
            if any(case.title == current.title for case in cases):
                raise SystemExit(f"{path.name}:{number}: this title is there twice")
            cases.append(current)
        else:
            (current.lines if current else prelude).extend(Line(number, one) for one in alternatives(text))
    return cases


def load_exceptions():
    """{(script, title, line text, protocol): raw reply}. Blocks: script | title, line, [2|3] reply..., source."""
    found = {}
    for block in (HERE / "exceptions.txt").read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if line and line[0] != "#"]
        if not lines:
            continue
        script, title = lines[0].split(" | ", 1)
        assert lines[-1].startswith("source: "), f"exceptions.txt: no source for {lines[:2]}"
        for reply in lines[2:-1]:
            protocols = [int(reply[0])] if reply[0] in "23" else [2, 3]
            for protocol in protocols:
                found[script, title, lines[1], protocol] = quoted(reply, reply.index('"') + 1)[0]
    return found


class Player:
    """One case on one server: yields (line, reply bytes before rules, reply bytes after rules)."""

    def __init__(self, connect, protocol):
        self.connect, self.protocol, self.connections = connect, protocol, {}
        self.ids, self.uses_ids = {}, False

    def connection(self, name):
        if name not in self.connections:
            self.connections[name] = self.connect(protocol=self.protocol)
            if self.uses_ids:
                self.ids[b"$id:" + name.encode()] = self.connections[name].call("CLIENT", "ID").value
        return self.connections[name]

    def blocked(self):
        return int(self.connection("control").info("clients")["blocked_clients"])

    def play(self, case):
        self.uses_ids = any("$id:" in line.text for line in case.lines)
        self.connection("control").ask("FLUSHALL")
        for line in case.lines:
            yield line, *self.step(line)
        for connection in self.connections.values():
            connection.close()

    def step(self, line):
        connection = self.connection(line.connection)
        arguments = [self.ids.get(word, word) for word in line.arguments]
        if line.directive == ".closed":
            return (b"closed",) * 2 if connection.at_end() else (b"open",) * 2
        if line.directive == ".close":
            connection.close()
            del self.connections[line.connection]
            return b"", b""
        if line.directive == ".until":
            wanted, *words = arguments
            wait_for(lambda: connection.call(*words).raw == wanted, f"reply {wanted!r} to {line.text}", 5)
            return wanted, wanted
        if line.directive == ".raw":
            connection.send_raw(b"".join(arguments))
        elif line.directive:
            raise SystemExit(f"unknown directive: {line.text}")
        elif line.mode == "block":
            before = self.blocked()
            connection.send(*arguments)
            wait_for(lambda: self.blocked() > before, f"blocked client after {line.text}", 5)
            return b"", b""
        elif line.mode != "read":
            connection.send(*arguments)
        if line.mode == "send":
            return b"", b""
        reply = connection.read()
        tree = reply
        for rule in line.rules:
            tree = RULES[rule](tree)
        return reply.raw, tree.raw


def transcript(connect, case, protocol):
    player, out = Player(connect, protocol), []
    try:
        for entry in player.play(case):
            out.append(entry)
    except (Closed, OSError, TimeoutError, RuntimeError, ValueError) as error:
        out.append((case.lines[min(len(out), len(case.lines) - 1)],
                    *([f"!! {type(error).__name__} {error}".encode()] * 2)))
    return out


def shorten(data, limit=400):
    return repr(data if len(data) <= limit else data[:limit] + b"...%d bytes" % len(data))[1:]


def compare(case, protocol, expected, actual, exceptions, used):
    differences = []
    for i, (line, _, normal) in enumerate(actual):
        key = (case.script, case.title, line.text, protocol)
        if key in exceptions:
            used.add(key)
            wanted = exceptions[key]
        else:
            wanted = expected[i][2] if i < len(expected) else b"(the oracle ended earlier)"
        if wanted != normal:
            differences.append(f"  {case.script}:{line.number} RESP{protocol} {line.text[:200]}\n"
                               f"    expected {shorten(wanted)}\n    got      {shorten(normal)}")
    if len(actual) < len(expected):
        differences.append(f"  {case.script} RESP{protocol}: ended after {len(actual)} of {len(expected)} lines")
    return differences


# ---- coverage: every option token of COMMAND DOCS in some case ----

# Commands that a second server cannot answer alike, or that end a connection or a server: clients/test_own_answers.py.
ELSEWHERE = {"bgrewriteaof", "bgsave", "cluster", "debug", "module", "psync", "replconf", "save", "sentinel", "shutdown",
             "sync"}


def option_tokens(connect):
    """{command or "command|sub": set of option tokens} from COMMAND DOCS."""
    def collect(arguments, into):
        for item in arguments or []:
            if "token" in item:
                into.add(item["token"].upper())
            collect(item.get("arguments"), into)

    def as_text(value):
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, list):
            return [as_text(item) for item in value]
        if isinstance(value, dict):
            return {as_text(key): as_text(item) for key, item in value.items()}
        return value

    found = {}
    with connect(protocol=3) as connection:
        docs = as_text(connection.ask("COMMAND", "DOCS"))
    for name, doc in docs.items():
        for command, one in {name: doc, **(doc.get("subcommands") or {})}.items():
            collect(one.get("arguments"), found.setdefault(command, set()))
    return found


def coverage(connect, cases):
    """(covered, all, names of commands without a case, "command TOKEN" pairs without one)."""
    used = {}
    for case in cases:
        for line in case.lines:
            words = line.arguments[1:] if line.directive == ".until" else line.arguments
            words = [word.decode(errors="replace") for word in words]
            if words:
                upper = {word.upper() for word in words[1:]} | {'""' for word in words[1:] if not word}
                used.setdefault(words[0].lower(), set()).update(upper)
                if len(words) > 1:
                    used.setdefault(f"{words[0]}|{words[1]}".lower(), set()).update(upper)
    tokens = {name: found for name, found in option_tokens(connect).items() if name.split("|")[0] not in ELSEWHERE}
    silent = sorted(name for name in tokens if name not in used)
    missing = sorted(f"{name} {token}" for name, wanted in tokens.items() if name in used
                     for token in wanted - used[name])
    total = sum(map(len, tokens.values()))
    return total - len(missing), total, silent, missing


def play_all(oracles, subject, cases, report):
    """Plays every case in RESP2 and RESP3; report(name, differences) for each. Returns the used exceptions."""
    exceptions, used = load_exceptions(), set()
    for case, protocol in itertools.product(cases, (2, 3)):
        expected = transcript(oracles[case.oracle], case, protocol)
        actual = transcript(subject, case, protocol) if subject else expected
        broken = [f"  {line.text}: {raw.decode(errors='replace')}" for line, raw, _ in expected if raw[:2] == b"!!"
                  and (case.script, case.title, line.text, protocol) not in exceptions]
        report(f"{case.name} (RESP{protocol})",
               broken or (compare(case, protocol, expected, actual, exceptions, used) if subject else []))
        if "-v" in sys.argv:
            for line, raw, normal in expected:
                print(f"    {line.text[:110]:60} {shorten(normal, 160)}")
    return exceptions, used


def main(arguments, report):
    parser = argparse.ArgumentParser()
    parser.add_argument("--oracle-only", action="store_true", help="check the scripts against redis-server itself")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("-v", action="store_true", help="print the oracle's transcript")
    parser.add_argument("scripts", nargs="*")
    options = parser.parse_args(arguments)
    paths = [Path(name) for name in options.scripts] or sorted(
        path for path in HERE.glob("*.txt") if path.name != "exceptions.txt")
    every = []

    def connector(server):
        return lambda **kwargs: Connection(server.port, timeout=15, **kwargs)

    with RedisServer() as plain, RedisServer("--cluster-enabled", "yes") as clustered:
        with clustered.connect() as connection:
            connection.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            wait_for(lambda: b"cluster_state:ok" in connection.ask("CLUSTER", "INFO"), "oracle in cluster mode")
        oracles = {"plain": connector(plain), "cluster": connector(clustered)}
        if options.oracle_only:
            run(options, oracles, None, report)
            return
        with Cluster(options.nodes) as cluster:
            run(options, oracles, connector(cluster.wait_leader()), report)


def run(options, oracles, subject, report):
    scripts = [HERE / name for name in options.scripts] or sorted(HERE.glob("*.txt"))
    cases = [case for script in scripts if script.name != "exceptions.txt" for case in load(script)
             if options.only in case.name]
    exceptions, used = play_all(oracles, subject, cases, report)
    covered, total, silent, missing = coverage(subject or oracles["plain"], cases)
    print(f"differential: {len(cases)} cases in RESP2 and RESP3; {len(exceptions)} exceptions stated, "
          f"{len(used)} used; option tokens of COMMAND DOCS covered: {covered} of {total}")
    if options.scripts or options.only or not subject:
        return
    report("every command and every option token has a case",
           [f"  {what} without a case: {', '.join(names)}" for what, names in
            (("commands", silent), ("option tokens", missing)) if names])
    for key in sorted(set(exceptions) - used, key=str):
        report(f"exception {key}", ["  matches no line of its script"])


if __name__ == "__main__":
    failures = []
    passed = 0

    def report(name, differences):
        global passed
        if differences:
            failures.append(name)
            print(f"FAILED {name}", *differences, sep="\n", flush=True)
        else:
            passed += 1

    main(sys.argv[1:], report)
    print(f"{passed} passed, {len(failures)} failed")
    sys.exit(bool(failures))
