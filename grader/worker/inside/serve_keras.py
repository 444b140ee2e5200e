"""Placeholder."""


def install(*_: object) -> None:
    return None
