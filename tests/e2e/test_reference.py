"""`docs` and completion: what the tables say, printed."""


def test_docs_of_a_function(ingot):
    out = ingot.run("docs", "slice", check=0).stdout
    assert "`slice(list, start_index, end_index)`" in out
    assert '> slice(["a", "b", "c", "d"], 1, 3)\n["b","c"]\n' in out


def test_docs_list_all_functions(ingot):
    out = ingot.run("docs", "functions", check=0).stdout
    assert "\n  merge(maps...)\n" in out
    assert "\n  vault(path, key)\n" in out


def test_docs_of_a_name_that_is_both(ingot):
    """file is a builder, a provisioner and a function."""
    out = ingot.run("docs", "file", check=0).stdout
    assert [line for line in out.splitlines() if line.startswith("# ")] == ["# file (builder)", "# file (provisioner)", "# file (function)"]


def test_docs_know_the_nearest_name(ingot):
    out = ingot.run("docs", "slise", check=1).stdout
    assert "did you mean 'slice'" in out
    assert "did you mean 'amazon-ebs'" in ingot.run("docs", "amazon-ebz", check=1).stdout


def test_completion_has_the_names(ingot):
    for shell in "bash", "zsh":
        words = next(line for line in ingot.run("completion", shell, check=0).stdout.splitlines() if line.strip().startswith('"docs"'))
        assert " amazon-ebs " in words and " slice " in words
