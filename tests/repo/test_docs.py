"""The pages are true to the program and lead somewhere."""
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INGOT = os.path.abspath(os.environ.get("INGOT_BIN", os.path.join(TOP, "build", "ingot")))
REFERENCE = os.path.join(TOP, "docs", "reference")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def pages():
    """README and the like, and all below docs/."""
    found = [os.path.join(TOP, n) for n in os.listdir(TOP) if n.endswith(".md")]
    for folder, _, names in os.walk(os.path.join(TOP, "docs")):
        found += [os.path.join(folder, n) for n in names if n.endswith(".md")]
    return sorted(found)


def anchors(text):
    """The ids that a page's headings get."""
    return {re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}


def dead_links(path, text):
    """Links of a page to files and headings that are not there; code is not looked at."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(target):
            yield f"{os.path.relpath(path, TOP)}: {link} is not there"
        elif anchor and anchor not in anchors(read(target)):
            yield f"{os.path.relpath(path, TOP)}: {link} has no such heading"


def test_links_lead_somewhere():
    dead = [d for p in pages() for d in dead_links(p, read(p))]
    assert not dead, "\n".join(dead)


def test_the_link_check_can_fail():
    page = os.path.join(TOP, "README.md")
    assert list(dead_links(page, "[a](docs/no-such-page.md)"))
    assert list(dead_links(page, "[a](docs/aws.md#no-such-heading)"))
    assert not list(dead_links(page, "[a](docs/aws.md#credentials) `[b](x.md)` [c](https://example.com/)\n```\n[d](y.md)\n```\n"))


def test_every_page_is_reached_from_the_readme():
    seen, todo = set(), [os.path.join(TOP, "README.md")]
    while todo:
        page = todo.pop()
        if page in seen or not page.endswith(".md") or not os.path.exists(page):
            continue
        seen.add(page)
        todo += [os.path.normpath(os.path.join(os.path.dirname(page), n)) for n in re.findall(r"\]\(([^)\s#:]+)(?:#[^)\s]*)?\)", read(page))]
    lost = [os.path.relpath(p, TOP) for p in pages() if p not in seen and p.startswith(os.path.join(TOP, "docs"))]
    assert not lost, f"no link leads to {lost}"


def whole_templates(text):
    """The examples of a page that are whole templates: (language, text)."""
    for language, body in re.findall(r"(?ms)^```(json|hcl)\n(.*?)^```", text):
        if '"builders"' in body or ('source "' in body and "build {" in body and "…" not in body):
            yield language, body


def test_templates_on_the_pages_are_valid(tmp_path):
    found = [(os.path.relpath(p, TOP), *t) for p in pages() for t in whole_templates(read(p))]
    assert len(found) >= 4
    for page, language, text in found:
        template = tmp_path / ("t.json" if language == "json" else "t.pkr.hcl")
        template.write_text(text)
        said = subprocess.run([INGOT, "validate", *(["-var", "token=x"] if '"token"' in text else []), template], capture_output=True, text=True,
                              env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "TOKEN": "x"})
        assert said.returncode == 0, f"{page}:\n{said.stdout}"


def test_the_reference_is_what_the_program_prints(tmp_path):
    subprocess.run([INGOT, "docs", "-output-dir", tmp_path], check=True)
    fresh = {n: read(tmp_path / n) for n in os.listdir(tmp_path)}
    kept = {n: read(os.path.join(REFERENCE, n)) for n in os.listdir(REFERENCE)}
    stale = sorted(n for n in fresh.keys() | kept.keys() if fresh.get(n) != kept.get(n))
    assert not stale, f"stale: {stale}; `ingot docs -output-dir docs/reference` writes them; those of components that are gone are to be removed"
