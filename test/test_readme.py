"""What Markdown files tell users to call or to open is there, with these options."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GENERATED = {"venv", "exp", "data", "downloads"}
PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not GENERATED & set(page.relative_to(ROOT).parts)
    and not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
)
# The scripts whose variables are options, by the name of what calls them
OPTIONS_OF = {
    "run.sh": ["egs/TEMPLATE/recipe.sh", "egs/superb/run.sh"],
    "run_hj.sh": ["egs/TEMPLATE/hj.sh"],
    "run_ablation.sh": ["egs/TEMPLATE/ablation.sh"],
    "run_excerpt.sh": [],
}
pages = pytest.mark.parametrize(
    "page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES]
)


def commands(page):
    """Lines of code blocks and what stands in backticks, without comments."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    inline = re.findall(r"`([^`\n]+(?:\n[^`\n]+)?)`", text)
    return [re.sub(r"\s+# .*", "", line.replace("\n", " ")) for line in blocks + inline]


def long_options(command):
    """Names of options, but for those of programs within quotes."""
    return re.findall(r"(?<=\s)--([a-z][a-z-]*)", re.sub(r'"[^"]*"', "", command))


def test_pages_have_commands():
    assert ROOT / "README.md" in PAGES
    found = [command for page in PAGES for command in commands(page)]
    assert sum("python -m pruneasr" in command for command in found) > 5
    assert sum(command.startswith("./run") for command in found) > 20


@pages
def test_modules_are_there_and_know_their_options(page):
    for command in commands(page):
        for name in re.findall(r"python -m (pruneasr[\w.]*)", command):
            spec = find_spec(name)
            assert spec is not None, command
            source = Path(spec.origin).read_text(encoding="utf-8")
            if "run_named(" in source:
                continue  # ESPnet's options
            for option in {*long_options(command)} - {"help"}:
                assert f'"--{option}"' in source, command


@pages
def test_scripts_are_there_and_know_their_options(page):
    for command in commands(page):
        for name in re.findall(r"(?:^|\s)\./((?:[\w]+/)*run\w*\.sh)", command):
            script = Path(name).name
            assert [*ROOT.glob(f"egs/**/{script}")] or (ROOT / name).exists(), command
            if name.startswith("test/") or "--python" in command:
                continue  # test/run.sh; an ESPnet recipe
            variables = "".join(
                (ROOT / path).read_text(encoding="utf-8") for path in OPTIONS_OF[script]
            )
            for option in {*long_options(command)} - {"help"}:
                variable = option.replace("-", "_")
                assert re.search(rf"^{variable}=", variables, re.MULTILINE), command


@pages
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"https?:", target):
            assert (page.parent / target).exists(), target


@pages
def test_paths_of_the_tree_are_there(page):
    """Paths that begin in a folder of the tree and have no placeholder."""
    folders = ("pruneasr/", "egs/", "utils/", "tools/", "test/", "conf/")
    for command in commands(page):
        for path in command.split():
            placeholder = re.search(r"[<>*{}$]|exp|data/|downloads|venv|DIR", path)
            if path.startswith(folders) and not placeholder:
                homes = [ROOT, page.parent]
                found = [home for home in homes if (home / path.strip(",;.")).exists()]
                assert found, (path, command)
