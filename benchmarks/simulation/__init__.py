"""A simulated network: the real code of many nodes in one process, on lossy lines, failing disks and wrong clocks.

Used by ``tests/simulation``, which searches it for what may never happen, and by ``benchmarks/network.py``.
"""
