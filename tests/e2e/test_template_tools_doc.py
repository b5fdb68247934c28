"""docs/template-tools.md: its examples are what the program does, its table has all fixers."""
import os
import re
import shlex

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(TOP, "docs", "template-tools.md")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def steps(example):
    """(command line, what it prints) of a transcript."""
    for part in re.split(r"(?m)^\$ ", example)[1:]:
        line, _, output = part.partition("\n")
        yield line, output


def test_examples(ingot, tmp_path):
    examples = [x for x in re.findall(r"(?ms)^```\n(.*?)^```$", read(PAGE)) if x.startswith("$ ")]
    assert len(examples) >= 4
    for i, example in enumerate(examples):
        folder = tmp_path / str(i)
        folder.mkdir()
        for line, output in steps(example):
            words = shlex.split(line)
            path = folder / words[-1]
            if words[0] == "cat" and not path.exists():
                path.write_text(output)
            elif words[0] == "cat":
                assert path.read_text() == output
            else:
                assert words[0] == "ingot" and ingot.run(*words[1:], cwd=folder, check=0).stdout == output


def test_every_fixer_is_in_the_table():
    rules = read(os.path.join(TOP, "src", "template", "upgrade", "fix_rules.c"))
    names = re.findall(r'\{\s*"([^"]+)",\s*"', rules[rules.index("const struct fixer fixers[]"):])
    assert len(names) > 30
    assert re.findall(r"(?m)^\| ([\w-]+) \| (?:builders|provisioners|post-processors)[,:]", read(PAGE)) == names
