"""The Node.js clients of redis-compat/node, installed once."""

import subprocess

from cluster import ROOT

DIRECTORY = ROOT / "redis-compat/node"


def install():
    """npm ci; the lock file names no registry host, so the machine's own registry serves it."""
    marker = DIRECTORY / "node_modules/.package-lock.json"
    if not marker.exists() or marker.stat().st_mtime < (DIRECTORY / "package-lock.json").stat().st_mtime:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=DIRECTORY, check=True, timeout=300,
                       stdout=subprocess.DEVNULL)
        marker.touch()
