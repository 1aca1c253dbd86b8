"""Comparison of a shown record with the stored one."""


def assert_holds(shown: dict, stored: dict) -> None:
    for name, value in stored.items():
        if isinstance(value, dict):
            assert_holds(shown[name], value)
        else:
            assert shown[name] == value
