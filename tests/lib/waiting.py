"""Waiting for what announces itself nowhere: polled, with a limit."""
import time


def until(what, seconds=20, failed="waited in vain"):
    """The first true answer of what(); `failed`, a text or a function that gives it, tells what went wrong after the seconds."""
    end = time.monotonic() + seconds
    while not (got := what()):
        assert time.monotonic() < end, f"{seconds} s: {failed() if callable(failed) else failed}"
        time.sleep(0.02)
    return got


def until_said(process, path, text, seconds=60, after=0):
    """Until the text stands in the output file of the process, behind the first `after` characters; all up to its end."""
    def said():
        with open(path) as f:
            return f.read()

    def found():
        got = said()
        at = got.find(text, after)
        assert at >= 0 or process.poll() is None or text in said(), f"ended with {process.returncode} before {text!r}:\n{got}"
        return at >= 0 and got[:at + len(text)]
    return until(found, seconds, lambda: f"no {text!r} in:\n{said()}")
