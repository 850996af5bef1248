"""What holds for all tests."""

import signal


def pytest_configure() -> None:
    # A shell starts with SIGINT ignored what it is told to run in the background. Processes that tests start, and then
    # interrupt, would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
