"""256 MiB in one file beside `ssh host 'cat > f'`, and 2,000 files of 4 KiB beside tar over ssh."""
import filecmp
import os
import shutil

import measure
from ssh import bench, lines

SIZE = 256 << 20
FILES, FILE_SIZE = 2000, 4096


def make_data(home):
    big, many = os.path.join(home, "big"), os.path.join(home, "many")
    with open(big, "wb") as f:
        for _ in range(SIZE >> 20):
            f.write(os.urandom(1 << 20))
    os.mkdir(many)
    for i in range(FILES):
        with open(os.path.join(many, f"file{i}"), "wb") as f:
            f.write(os.urandom(FILE_SIZE))
    return big, many


def clean(path):
    shutil.rmtree(path, ignore_errors=True)
    if os.path.exists(path):
        os.remove(path)


def compare(b, what, ours, theirs, before, n, check, limit):
    a, p = [], []
    for i in range(n + 1):  # the first pair warms up
        for command, results in ((ours, a), (theirs, p)):
            before()
            r = measure.succeeded(measure.run(command, env=b.env, sample=False), command)
            check()
            results.append(r)
    measure.row(f"{what}, wall", measure.median(a[1:], "wall"), measure.median(p[1:], "wall"), limit=limit)
    measure.row(f"{what}, CPU", measure.median(a[1:], "cpu"), measure.median(p[1:], "cpu"))


def main(program):
    with bench(program) as b:
        big, many = make_data(b.home)
        target = os.path.join(b.home, "target")

        def same_file():
            if not filecmp.cmp(big, target, shallow=False):
                raise RuntimeError("the uploaded file differs")

        def same_folder():
            names = os.listdir(many)
            _, wrong, missing = filecmp.cmpfiles(many, os.path.join(target, "many"), names, shallow=False)
            if wrong or missing or len(os.listdir(os.path.join(target, "many"))) != FILES:
                raise RuntimeError("the uploaded folder differs")

        def new_folder():
            clean(target)
            os.mkdir(target)
        for name, port, n in lines(b):
            compare(b, f"upload of {SIZE >> 20} MiB, {name}", b.build(port, {"type": "file", "source": big, "destination": target}),
                    ["sh", "-c", b.ssh(port, f"cat > {target}") + f" < {big}"], lambda: clean(target), n, same_file, 0.8)
            compare(b, f"upload of {FILES} files of {FILE_SIZE >> 10} KiB, {name}", b.build(port, {"type": "file", "source": many, "destination": target}),
                    ["sh", "-c", f"tar -cf - -C {b.home} many | " + b.ssh(port, f"tar -xf - -C {target}")], new_folder, n, same_folder, 0.9)


if __name__ == "__main__":
    import sys
    main(sys.argv[1])
