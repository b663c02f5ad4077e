"""Named rules for fields that differ between two correct servers. A rule maps a reply tree to a canonical tree; it
never drops a reply, so its kind, its errors and its size are still compared."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from resp import AGGREGATES, Reply  # noqa: E402


def make(kind, value):
    """A reply with its bytes encoded again."""
    if value is None:
        return Reply(kind, None, b"_\r\n" if kind == b"_" else kind + b"-1\r\n")
    if kind in AGGREGATES:
        return Reply(kind, value, b"%b%d\r\n" % (kind, len(value) // AGGREGATES[kind]) + b"".join(item.raw
                                                                                                  for item in value))
    if kind in (b"$", b"=", b"!"):
        return Reply(kind, value, b"%b%d\r\n%b\r\n" % (kind, len(value), value))
    return Reply(kind, value, b"%b%b\r\n" % (kind, value))


def leaves(change):
    """A rule that rewrites every value that is not an aggregate."""
    def rule(reply):
        if isinstance(reply.value, list):
            return make(reply.kind, [rule(item) for item in reply.value])
        return reply if reply.value is None or reply.is_error else make(reply.kind, change(reply))
    return rule


def unordered(reply):
    """Containers without an order: elements sorted, at every depth; a map by its keys."""
    if not isinstance(reply.value, list):
        return reply
    items = [unordered(item) for item in reply.value]
    width = AGGREGATES[reply.kind]
    groups = sorted((items[i:i + width] for i in range(0, len(items), width)),
                    key=lambda group: [item.raw for item in group])
    return make(reply.kind, [item for group in groups for item in group])


@leaves
def roughly(reply):
    """Remaining times: integers to two significant digits, so that 99985 ms equals 100000 ms."""
    return b"%d" % float(f"{int(reply.value):.2g}") if reply.kind == b":" else reply.value


@leaves
def numbers(reply):
    """Ids, times, sizes, addresses: every run of digits (and hex ids) becomes N."""
    return re.sub(rb"\b[0-9a-f]{40}\b|\d+(\.\d+)?", b"N", reply.value)


@leaves
def random_pick(reply):
    """Random choices: only kind and number of the elements count."""
    return b"any"


@leaves
def first_word(reply):
    return reply.value.split(b" ", 1)[0]


def error_code(reply):
    """Errors whose text names server internals: the code counts, not the sentence."""
    return make(b"-", reply.value.split(b" ", 1)[0]) if reply.is_error else reply


def scan(reply):
    """SCAN, SSCAN: the cursor's value is the server's own; whether it is 0 is not. Elements have no order."""
    if not isinstance(reply.value, list):
        return reply
    cursor, items = reply.value
    cursor = make(cursor.kind, b"0" if cursor.value == b"0" else b"more")
    return make(reply.kind, [cursor, unordered(items)])


def hello(reply):
    """HELLO: version, id and mode belong to the server."""
    own = {b"version", b"id", b"mode"}
    if not isinstance(reply.value, list):
        return reply
    items = list(reply.value)
    for i in range(0, len(items), 2):
        if items[i].value in own:
            items[i + 1] = make(items[i + 1].kind, b"0")
    return make(reply.kind, items)


def field_names(reply):
    """key=value and key:value texts (CLIENT LIST, INFO, DEBUG OBJECT): which fields, in which order."""
    if not isinstance(reply.value, bytes):
        return reply
    return make(reply.kind, b" ".join(re.findall(rb"(?:^(?:txt:)?|[ \n])([a-z][\w-]*)[=:]", reply.value)))


def command_info(reply):
    """COMMAND INFO: name, arity, flags, key positions and ACL categories; flags and categories have no order. Tips, key
    specifications and subcommands grew between 7.0 and 7.2 and have cases of their own."""
    def one(item):
        return make(item.kind, [unordered(field) for field in item.value[:7]]) if isinstance(item.value, list) else item
    return make(reply.kind, [one(item) for item in reply.value]) if isinstance(reply.value, list) else reply




def kind_only(reply):
    """A text that is the server's own: that it is a text, and not an error, counts."""
    return reply if reply.is_error else make(reply.kind, None if reply.value is None else b"any") \
        if not isinstance(reply.value, list) else make(b"+", b"aggregate " + reply.kind)


def pending(reply):
    """XPENDING with a range: how long each entry has been idle is a matter of milliseconds."""
    def one(item):
        fields = list(item.value)
        fields[2] = make(fields[2].kind, b"0")
        return make(item.kind, fields)
    return make(reply.kind, [one(item) for item in reply.value]) if isinstance(reply.value, list) else reply


def consumers(reply):
    """XINFO CONSUMERS: idle times are a matter of milliseconds; `inactive` is new in 7.2."""
    def one(item):
        pairs = [item.value[i:i + 2] for i in range(0, len(item.value), 2)]
        kept = [[name, make(value.kind, b"0") if name.value == b"idle" else value] for name, value in pairs
                if name.value != b"inactive"]
        return make(item.kind, [part for pair in kept for part in pair])
    return make(reply.kind, [one(item) for item in reply.value]) if isinstance(reply.value, list) else reply


def full_stream(reply):
    """XINFO STREAM FULL: the moments of deliveries; `active-time` is new in 7.2."""
    moment = re.compile(rb"1\d{12}$")

    def one(item):
        if not isinstance(item.value, list):
            return make(item.kind, b"0") if item.kind == b":" and moment.match(item.value) else item
        kept, skip = [], False
        for part in item.value:
            if skip or part.value == b"active-time":
                skip = not skip
                continue
            kept.append(one(part))
        return make(item.kind, kept)
    return one(reply)


RULES = {"same": lambda reply: reply, "unordered": unordered, "roughly": roughly, "numbers": numbers,
         "random": random_pick, "first-word": first_word,
         "error-code": error_code, "scan": scan, "hello": hello, "field-names": field_names,
         "command-info": command_info,
         "kind": kind_only, "pending": pending, "consumers": consumers, "full-stream": full_stream}
