"""The repository keeps its shape: arrows between rooms point one way, files stay readable, nothing unfinished lands."""
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What each room may include, besides itself and base. The engine's contract headers (component.h, registry.h, build.h, event.h,
# journal.h), communicator/communicator.h and template/plan.h name each other: they are the plan that all rooms above share.
CONTRACT = {"communicator/communicator.h", "engine/component.h", "engine/registry.h", "template/plan.h"}
ALLOWED = {
    "base": set(),
    "lang": set(),
    "spec": {"lang"},
    "template": {"lang", "spec"},
    "engine": {"lang", "spec", "template"},
    "communicator": {"lang", "spec", "template", "engine"},
    "aws": {"lang", "spec", "template", "engine"},
    "builder": {"lang", "spec", "template", "engine", "communicator", "aws"},
    "provisioner": {"lang", "spec", "template", "engine", "communicator", "aws"},
    "postprocessor": {"lang", "spec", "template", "engine", "communicator", "aws"},
    "datasource": {"lang", "spec", "template", "engine", "aws"},
    "plugin": {"lang", "spec", "template", "engine", "communicator"},
    "cloud": set(),
    "command": {"lang", "spec", "template", "engine", "communicator", "aws", "builder", "provisioner", "postprocessor", "datasource", "plugin", "cloud"},
}


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns], cwd=TOP, check=True, capture_output=True, text=True).stdout
    return [p for p in out.split("\0") if p and os.path.exists(os.path.join(TOP, p))]


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def wrong_includes(path, text):
    room = path.split("/")[1]
    for n, line in enumerate(text.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not m or "/" not in m.group(1):
            continue
        other = m.group(1).split("/")[0]
        if other in ALLOWED and other not in ALLOWED[room] | {room, "base"} and not (room != "cloud" and m.group(1) in CONTRACT):
            yield f"{path}:{n}: {room}/ must not include {m.group(1)}"


def test_arrows_point_one_way():
    wrong = [w for p in tracked("src/*.c", "src/*.h") if p.count("/") > 1 for w in wrong_includes(p, read(p))]
    assert not wrong, "\n".join(wrong)


def test_the_arrow_check_can_fail():
    assert list(wrong_includes("src/cloud/x.c", '#include "aws/sigv4.h"\n'))
    assert list(wrong_includes("src/base/x.c", '#include "lang/expr/value.h"\n'))
    assert not list(wrong_includes("src/builder/x.c", '#include "aws/sigv4.h"\n'))


def test_every_room_is_known():
    rooms = {p.split("/")[1] for p in tracked("src/*.c", "src/*.h") if p.count("/") > 1}
    assert rooms <= set(ALLOWED), rooms - set(ALLOWED)


def test_files_stay_readable():
    long = [f"{p}: {n} lines" for p in tracked("src/*.c", "src/*.h", "tests/*.c") if (n := read(p).count("\n")) > 1000]
    assert not long, "\n".join(long)


def test_files_say_what_they_are_for():
    silent = [p for p in tracked("src/*.c", "src/*.h") if not read(p).lstrip().startswith("/*")]
    assert not silent, "\n".join(silent)


def test_nothing_unfinished():
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    found = [f"{p}:{n}: {line.strip()}" for p in tracked("src/*", "tools/*", "tests/*.c", "docs/*", "Makefile") for n, line in enumerate(read(p).splitlines(), 1) if words.search(line)]
    assert not found, "\n".join(found)


def test_headers_compile_alone():
    wrong = []
    for p in tracked("src/*.h"):
        r = subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Isrc", "-Wall", "-Werror", "-fsyntax-only", "-x", "c", p], cwd=TOP, capture_output=True, text=True)
        if r.returncode:
            wrong.append(p + ":\n" + r.stderr)
    assert not wrong, "\n".join(wrong)


def test_banned_calls_do_not_compile():
    for call in ("strcpy(b, s)", "sprintf(b, s)", "system(s)", "atoi(s)"):
        r = subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-include", "src/base/banned.h", "-fsyntax-only", "-x", "c", "-"], cwd=TOP, capture_output=True, text=True,
                           input=f"int f(char *b, const char *s);\nint f(char *b, const char *s) {{ (void)b; (void)s; return (int)(long){call}; }}\n")
        assert r.returncode and "poison" in r.stderr, call


def test_no_name_is_defined_twice():
    """A static library hides a second function of the same name without a word from the linker."""
    library = os.path.join(os.path.dirname(os.path.abspath(os.environ.get("INGOT_BIN", os.path.join(TOP, "build", "ingot")))), "libingot.a")
    out = subprocess.run(["nm", "--defined-only", library], capture_output=True, text=True).stdout
    names = [line.split()[2] for line in out.splitlines() if re.match(r"\w+ [TDBR] ", line)]
    twice = {n for n in names if names.count(n) > 1} if len(names) != len(set(names)) else set()
    assert names and not {n for n in twice if not n.startswith("__")}, twice


def too_wide(path, text):
    for n, line in enumerate(text.split("\n"), 1):
        if len(line.expandtabs(8)) > 100:
            yield f"{path}:{n}: {len(line.expandtabs(8))} columns, and 100 are the limit"


def test_lines_fit():
    wide = [w for p in tracked("src/*.c", "src/*.h", "tests/*.c", "tests/*.h") for w in too_wide(p, read(p))]
    assert not wide, "\n".join(wide)
    assert list(too_wide("x.c", "\t" * 12 + "12345"))
