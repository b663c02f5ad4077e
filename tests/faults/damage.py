"""Damaging the files of a node that is not running."""

import os
import subprocess
from pathlib import Path

from cluster import SERVER


def tool(*arguments):
    """(exit status, output) of one of the server's offline tools."""
    done = subprocess.run([SERVER, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60)
    return done.returncode, done.stdout


def said(node, text):
    return text in node.log.read_text(errors="replace")


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))
        os.fsync(file.fileno())


def segments(node):
    return sorted(Path(node.directory, "wal").glob("*.wal"))


def flip_record(node, text):
    """Damages every log record that holds these bytes; returns how many."""
    found = 0
    for path in segments(node):
        data = path.read_bytes()
        at = data.find(text)
        while at >= 0:
            flip(path, at)
            found += 1
            at = data.find(text, at + 1)
    return found


def ruin_slots(path):
    """Both copies of a two-slot file."""
    for slot in (0, 4096):
        flip(path, slot + 33)


def snapshots(node):
    return sorted(path for path in Path(node.directory, "snapshot").iterdir() if path.suffix not in (".part", ".tmp"))
