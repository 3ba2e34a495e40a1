"""Marks of these tests. `./dev test python` runs a process for each processor; what measures time, or asks how a busy
machine behaves, is marked `alone` and runs after them in one process."""


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures time, and so runs while no other test does")
