"""Landlock: the kernel keeps the server, and whatever SQL talks it into, inside its data folder."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

NOT_CONFINED = (
    "this kernel has no Landlock, so only the judging of statements keeps SQL from the server's files; "
    "use Linux 5.13 or newer with it enabled, or a user of the system that owns nothing else"
)

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PR_SET_NO_NEW_PRIVS = 38
_RULE_PATH_BENEATH = 1

# Bits of LANDLOCK_ACCESS_FS_*, in the order of linux/landlock.h.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# How many filesystem rights an ABI version knows: refer came with 2, truncate with 3, ioctl with 5.
_RIGHTS_OF_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
_NET_CONNECT_TCP = 1 << 1

# What the engine and Python read while they run: libraries, clocks, and how busy the machine is. Of /proc
# only these files, because a process's environment is there too.
_READABLE = (
    "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/sys/fs/cgroup", "/sys/devices/system",
    "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/uptime", "/proc/loadavg", "/proc/sys/vm",
    "/proc/self/statm", "/proc/self/stat", "/proc/self/status", "/proc/self/cgroup", "/proc/self/maps",
    "/proc/self/auxv", "/dev/urandom", "/dev/random",
)  # fmt: skip


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64)]


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("access", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def can_confine() -> bool:
    """Whether this kernel has Landlock."""
    return _abi(ctypes.CDLL(None, use_errno=True)) > 0


def confine(folder: Path) -> bool:
    """Allow this process to write in `folder` only, to read that and its libraries, to connect nowhere.

    Call it before the first thread starts and after the listening socket is bound. False where the kernel
    has no Landlock: then what holds is that no statement on the lists reaches a file.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if (abi := _abi(libc)) < 1:
        return False
    handled = (1 << _RIGHTS_OF_ABI.get(abi, 16)) - 1
    rules = _Ruleset(handled, _NET_CONNECT_TCP if abi >= 4 else 0)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), 16 if abi >= 4 else 8, 0)
    if ruleset < 0:
        return False
    python = {sys.prefix, sys.base_prefix, str(Path(__file__).resolve().parents[1])}
    python.update(entry for entry in sys.path if entry.endswith(("site-packages", "lib-dynload")))
    try:
        for path in (*_READABLE, *python):
            _allow(libc, ruleset, path, _READ & handled)
        _allow(libc, ruleset, "/dev/null", (_READ_FILE | _WRITE_FILE) & handled)
        _allow(libc, ruleset, str(folder), handled)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _abi(libc: ctypes.CDLL) -> int:
    return int(libc.syscall(_CREATE_RULESET, None, 0, 1)) if sys.platform.startswith("linux") else 0


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, access: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            access &= _FILE_RIGHTS
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(_PathRule(access, handle)), 0)
    finally:
        os.close(handle)
