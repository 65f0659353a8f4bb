"""Serving imports no torch, training code or variant; variants import no other and never update weights.

Imports point in one direction: see LAYERS.
"""

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVING = sorted((ROOT / "gan_serve").rglob("*.py"))
LAYERS = {  # from low to high: modules and packages import only from the lines above their own
    "gan_serve": (
        "class_names errors suggestions",
        "array_values onnxfile runtime schema system",
        "seeds",
        "tensors",
        "images metadata",
        "media",
        "formats image_inputs latent_mixing repository",
        "graph image_arguments",
        "request",
        "image_fitting naming numeric_outputs provenance sampling",
        "outputs",
        "result",
        "generator",
        "extremes jobs",
        "server",
        "demo deploy",
        "cli",
    ),
    "training": (
        "distributed losses metrics",
        "progress",
        "augment data",
        "inference networks",
        "scoring",
        "gan",
        "families",
        "variants",
        "loop",
        "export",
        "evaluation",
        "publishing",
        "experiments",
        "documents",
        "cli",
    ),
}
UPWARD = {  # the exceptions, all inside functions
    ("gan_serve.server.app", "gan_serve.demo.mount"),
}
MAX_MODULES = 25  # in a folder, variants aside
VARIANTS = [path.stem for path in (ROOT / "training" / "variants").glob("*.py") if not path.stem.startswith("_")]


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def modules(package: str) -> dict[str, ast.AST]:
    """Every module of a package by its name, without the package's own `__init__` and `__main__`."""
    paths = sorted((ROOT / package).rglob("*.py"))
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}
    return {name: ast.parse(path.read_text()) for name, path in names.items() if name.count(".") and "__" not in name}


def import_graph(package: str) -> dict[str, set[str]]:
    """What each module imports from its package, inside functions and under TYPE_CHECKING included."""
    trees = modules(package)
    graph: dict[str, set[str]] = {}
    for name, tree in trees.items():
        froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        members = {(node.module, f"{node.module}.{alias.name}") for node in froms for alias in node.names}
        imported = {member if member in trees else module for module, member in members}
        graph[name] = {each for each in imported if each in trees} - {name}
    return graph


def unit(module: str) -> str:
    """The part of a package that a module belongs to: itself, or its top-level folder."""
    return module.split(".")[1]


def strings(tree: ast.AST) -> Iterator[str]:
    """Every text but the docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docstrings:
            yield node.value


@pytest.mark.parametrize("path", SERVING, ids=lambda path: str(path.relative_to(ROOT)))
def test_serving_imports_no_training_and_names_no_variant(path: Path) -> None:
    tree = ast.parse(path.read_text())
    roots = {name.partition(".")[0] for name in imports(tree)}
    assert not roots & {"torch", "training", "onnx", "onnxscript", "tests"}
    words = {word for text in strings(tree) for word in re.findall(r"[\w-]+", text)}
    assert not words & set(VARIANTS)


def test_the_server_declares_what_it_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + project["optional-dependencies"]["serve"]
    names = {re.split(r"[^\w-]", each)[0].replace("-", "_") for each in declared}
    trees = [ast.parse(path.read_text()) for path in SERVING if "server" in path.parts]
    roots = {name.partition(".")[0] for tree in trees for name in imports(tree)}
    assert roots - sys.stdlib_module_names - {"gan_serve"} <= names


@pytest.mark.parametrize("path", SERVING, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_command_line_imports_the_command_line(path: Path) -> None:
    inner = path.parent.name != "cli" and path.name != "__main__.py"
    assert not (inner and any(name.startswith("gan_serve.cli") for name in imports(ast.parse(path.read_text()))))


@pytest.mark.parametrize("package", LAYERS)
def test_imports_point_down(package: str) -> None:
    height = {name: level for level, names in enumerate(LAYERS[package]) for name in names.split()}
    graph = import_graph(package)
    assert {unit(module) for module in graph} == {*height}, "a module or a folder has no layer"
    pairs = {(module, imported) for module in graph for imported in graph[module] if unit(module) != unit(imported)}
    upward = {(module, imported) for module, imported in pairs if height[unit(module)] <= height[unit(imported)]}
    assert upward == {pair for pair in UPWARD if pair[0].startswith(f"{package}.")}


@pytest.mark.parametrize("package", LAYERS)
def test_modules_import_each_other_in_no_circle(package: str) -> None:
    graphlib.TopologicalSorter(import_graph(package)).prepare()


def test_no_folder_has_too_many_modules() -> None:
    paths = [path for package in LAYERS for path in (ROOT / package).rglob("*.py") if not path.name.startswith("__")]
    sizes = Counter(path.parent.relative_to(ROOT) for path in paths if path.parent.name != "variants")
    assert {folder: size for folder, size in sizes.items() if size > MAX_MODULES} == {}
    assert len(sizes) > 10


def test_serving_loads_no_torch_and_its_import_loads_nothing_heavy(models: Path) -> None:
    script = (
        "import sys, gan_serve; early = {'numpy', 'onnxruntime', 'PIL'} & set(sys.modules);"
        "gan_serve.load('digits', models=sys.argv[1]).generate(2).images();"
        "late = {'torch', 'onnx', 'training', 'gradio', 'rich', 'pydantic'} & set(sys.modules);"
        "sys.exit(' '.join(early | late) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", script, models], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_help_loads_no_demo() -> None:
    script = "import sys; from gan_serve.cli import run; run(['--help']); sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_imports_no_other_and_leaves_the_moving_to_the_loop(variant: str) -> None:
    tree = ast.parse((ROOT / "training" / "variants" / f"{variant}.py").read_text())
    assert not [name for name in imports(tree) if name.startswith("training.variants")]
    called = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & {"backward", "step", "requires_grad_"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_documented(variant: str) -> None:
    assert f"\n## {variant}\n" in (ROOT / "docs" / "variants.md").read_text()
