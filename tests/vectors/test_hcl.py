"""The recorded answers of the reference about HCL2 (../shared/vectors/hcl), judged by the rules of their own checker."""
import importlib
import json
import os
import shutil
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOT = os.path.realpath(os.path.join(os.environ.get("INGOT_SHARED", os.path.join(TOP, "..", "shared")), "vectors"))
HCL = os.path.join(ROOT, "hcl")
AT_ONCE = 50  # expressions in one test

# Not as the reference, each with its reason in docs/compatibility.md.
DIFFERENT = {"console-basic"}  # what `help` says is in ingot's own words, and the checker wants the reference's


def names(folder):
    path = os.path.join(HCL, folder)
    return sorted(os.listdir(path)) if os.path.isdir(path) else ["none"]


def records(name):
    path = os.path.join(HCL, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def parts(name):
    return range(0, max(len(records(name)), 1), AT_ONCE)


@pytest.fixture(scope="module")
def checker(tmp_path_factory, ingot_bin):
    if not os.path.isdir(HCL):
        pytest.skip("no ../shared: the recorded vectors are not part of a checkout")
    sys.path.insert(0, ROOT)
    link = tmp_path_factory.mktemp("bin") / "packer"
    link.symlink_to(ingot_bin)
    told = []

    class Checker(importlib.import_module("check_hcl").Checker):
        def tell(self, what, want, got):
            told.append(f"{what}\n  want {want!r}\n  got  {got!r}")
            return False

    c = Checker(str(link), HCL, False)
    c.told = told
    yield c
    shutil.rmtree(c.top, ignore_errors=True)


def judge(checker, check, cases):
    checker.told.clear()
    for case in cases:
        check(case)
    assert not checker.told, "\n".join(checker.told)


@pytest.mark.parametrize("first", parts("expressions.jsonl"))
def test_expressions(checker, first):
    judge(checker, checker.expression, records("expressions.jsonl")[first:first + AT_ONCE])


@pytest.mark.parametrize("first", parts("errors.jsonl"))
def test_errors(checker, first):
    judge(checker, checker.error, records("errors.jsonl")[first:first + AT_ONCE])


@pytest.mark.parametrize("name", names("templates"))
def test_template(checker, name):
    if name in DIFFERENT:
        pytest.skip("on purpose: docs/compatibility.md")
    judge(checker, checker.template, [name])


@pytest.mark.parametrize("name", names("fmt"))
def test_layout(checker, name):
    judge(checker, checker.fmt, [name])
