"""The shape of the code: who imports whom, how long files and functions are."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What each part of the package may import of the others
ALLOWED = {
    "encoder": set(),
    "pruning": {"encoder"},
    "pretrain": {"encoder", "data"},
    "distill": {"encoder", "pruning"},
    "espnet": {"encoder", "readout", "pruning", "pretrain", "distill", "plugin"},
    "readout": {"encoder", "data"},
    "data": set(),
    "scoring": {"data"},
    "results": {"encoder", "pruning", "data", "scoring", "bench", "superb"},
    "superb": {"encoder", "readout", "data", "scoring"},
    "bench": {"encoder", "pruning", "distill", "data", "export"},
    "export": {"encoder"},
    "s3prl": {"encoder"},
    "plugin": {"espnet"},  # once ESPnet is there; see the test of its imports
    "run": {"plugin"},
}
# Of use everywhere; they import nothing of the others
BENEATH_ALL = {
    *("__init__", "environment", "epochs", "errors", "figure", "files", "markdown"),
    *("precision", "processes"),
}
ABOVE_ALL = "bin"
MAY_IMPORT_ESPNET = {"espnet", "plugin", "run", "bin"}
FOLDERS = ("pruneasr", "test", "egs", "tools", "utils")
GENERATED = {"venv", "bats", "exp", "data", "dump", "downloads"}  # and hidden ones
MAX_LINES = {".py": 300, ".sh": 250}
MAX_FUNCTION_LINES = 60


def written_by_hand(suffix):
    """Files of the repository, but not what it generates."""
    paths = list(ROOT.glob(f"*{suffix}"))
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob(f"*{suffix}"):
            names = path.relative_to(ROOT).parts
            generated = folder in ("egs", "tools") and GENERATED & set(names)
            if not generated and not any(name.startswith(".") for name in names):
                paths.append(path)
    return sorted(paths)


def package_files():
    return [path for path in written_by_hand(".py") if part(path) is not None]


def part(path):
    """Top-level part of the package that a file belongs to; None outside of it."""
    names = path.relative_to(ROOT).with_suffix("").parts
    return names[1] if names[0] == "pruneasr" else None


def name_of(path):
    return str(path.relative_to(ROOT))


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(nodes):
    """Names of the modules that import statements name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # "from pruneasr import x" names a part or an attribute of the package
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                is_file = (ROOT / "pruneasr" / f"{alias.name}.py").exists()
                is_part = is_file or (ROOT / "pruneasr" / alias.name).is_dir()
                yield name if node.module == "pruneasr" and is_part else node.module


def own_parts(names):
    """Parts of the package among modules."""
    split = [name.split(".") for name in names]
    return {(*names, "__init__")[1] for names in split if names[0] == "pruneasr"}


def functions(path):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(parse(path)) if isinstance(node, kinds)]


def code_lines(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    return lines


@pytest.mark.parametrize("path", package_files(), ids=name_of)
def test_imports_point_downwards(path):
    if part(path) == ABOVE_ALL:
        return
    if part(path) in BENEATH_ALL:
        assert own_parts(modules(ast.walk(parse(path)))) == set()
        return
    allowed = BENEATH_ALL | ALLOWED.get(part(path), set()) | {part(path)}
    assert own_parts(modules(ast.walk(parse(path)))) <= allowed


@pytest.mark.parametrize("path", package_files(), ids=name_of)
def test_only_its_own_part_needs_espnet(path):
    names = set(modules(ast.walk(parse(path))))
    needs_it = any(name.split(".")[0].startswith("espnet") for name in names)
    assert part(path) in MAY_IMPORT_ESPNET or not needs_it


@pytest.mark.parametrize("name", ["plugin", "run"])
def test_what_runs_at_the_start_of_python_needs_the_standard_library_only(name):
    top_level = modules(parse(ROOT / f"pruneasr/{name}.py").body)
    needed = {module for module in top_level if module != "pruneasr.plugin"}
    assert {module.split(".")[0] for module in needed} <= sys.stdlib_module_names


@pytest.mark.parametrize("suffix", MAX_LINES)
def test_files_are_short(suffix):
    paths = written_by_hand(suffix)
    lengths = {name_of(p): len(p.read_text("utf-8").splitlines()) for p in paths}
    assert lengths
    assert {n: k for n, k in lengths.items() if k > MAX_LINES[suffix]} == {}


def test_functions_are_short():
    lengths = {
        f"{name_of(path)}:{function.lineno} {function.name}": code_lines(function)
        for path in written_by_hand(".py")
        for function in functions(path)
    }
    assert {n: k for n, k in lengths.items() if k > MAX_FUNCTION_LINES} == {}


@pytest.mark.parametrize("path", package_files(), ids=name_of)
def test_no_state_is_loaded_leniently(path):
    calls = [node for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    loads = [c for c in calls if getattr(c.func, "attr", "") == "load_state_dict"]
    for call in loads:
        strict = [k.value for k in call.keywords if k.arg == "strict"] + call.args[1:2]
        assert all(isinstance(s, ast.Constant) and s.value is True for s in strict)
