"""The Node.js packages of redis-compat/node and of the applications, installed once."""

import subprocess

from cluster import ROOT

DIRECTORY = ROOT / "redis-compat/node"


def install(directory=DIRECTORY):
    """What the lock file says, which names no registry host, so that the machine's own registry serves it. Not `npm ci`:
    that refuses a lock without the optional packages of other platforms."""
    marker = directory / "node_modules/.package-lock.json"
    if not marker.exists() or marker.stat().st_mtime < (directory / "package-lock.json").stat().st_mtime:
        subprocess.run(["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=directory,
                       check=True, timeout=300, stdout=subprocess.DEVNULL)
        marker.touch()
