"""Registration: with quick stand-ins for ESPnet and the frontend, once with both."""

import subprocess
import sys
from pathlib import Path

import pytest
from asr_training import run

ROOT = Path(__file__).parents[2]

CLASS_CHOICES = """
class ClassChoices:
    def __init__(self, name, classes, type_check=None):
        self.name, self.classes, self.base_type = name, dict(classes), type_check
"""
TASK = """
from espnet2.asr.encoder.abs_encoder import AbsEncoder
from espnet2.asr.frontend.abs_frontend import AbsFrontend
from espnet2.enh.encoder.abs_encoder import AbsEncoder as AbsWaveformEncoder
from espnet2.train.class_choices import ClassChoices
frontend_choices = ClassChoices("frontend", {"default": int}, AbsFrontend)
text_choices = ClassChoices("frontend", {"embed": int}, AbsFrontend)
encoder_choices = ClassChoices("encoder", {"rnn": int}, AbsEncoder)
waveform_choices = ClassChoices("encoder", {"stft": int}, AbsWaveformEncoder)
decoder_choices = ClassChoices("decoder", {"rnn": int}, dict)
untyped_choices = ClassChoices("model", {"espnet": int})
class Task:
    class_choices_list = [frontend_choices]
"""
ABS_FRONTEND = "class AbsFrontend: pass\n"
ABS_ENCODER = "class AbsEncoder: pass\n"
SITECUSTOMIZE = """
import sys, types
stub = types.ModuleType("pruneasr.espnet.frontend")
stub.PrunedSSLFrontend = type("PrunedSSLFrontend", (), {})
sys.modules[stub.__name__] = stub
stub = types.ModuleType("pruneasr.espnet.tdnn_encoder")
stub.TDNNEncoder = type("TDNNEncoder", (), {})
sys.modules[stub.__name__] = stub
"""
SPAWN = """
import multiprocessing, sys
from espnet2 import task
def child():
    sys.exit("pruned_ssl" not in task.frontend_choices.classes)
def main():
    process = multiprocessing.get_context("spawn").Process(target=child)
    process.start()
    process.join()
    print(sys.argv[1:], process.exitcode)
"""
EXIT = "import sys\ndef main():\n    sys.exit(int(sys.argv[1]))\n"


@pytest.fixture
def python(tmp_path):
    """Return a function that runs Python where espnet2 is the stand-in."""
    files = {
        "train/class_choices.py": CLASS_CHOICES,
        "asr/frontend/abs_frontend.py": ABS_FRONTEND,
        "asr/encoder/abs_encoder.py": ABS_ENCODER,
        "enh/encoder/abs_encoder.py": ABS_ENCODER,
        "task.py": TASK,
        "bin/spawn.py": SPAWN,
        "bin/exit.py": EXIT,
    }
    for name, text in files.items():
        path = tmp_path / "espnet2" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for folder in path.parents:
            if folder == tmp_path:
                break
            (folder / "__init__.py").touch()
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={
                "PYTHONPATH": ":".join([str(tmp_path), *sys.path]),
                "PRUNEASR_NO_AUTOLOAD": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_without_registration_there_is_no_such_frontend(python):
    code = "from espnet2 import task; print(list(task.frontend_choices.classes))"
    assert python("-c", code).stdout == "['default']\n"


IMPORTS = [
    "import pruneasr.espnet; from espnet2 import task",
    "from espnet2 import task; import pruneasr.espnet",
    "import pruneasr.espnet as p; from espnet2 import task; p.install(); p.install()",
]


@pytest.mark.parametrize("imports", IMPORTS)
def test_registers_before_and_after_espnet_and_twice(python, imports):
    code = f"""{imports}
import inspect
from espnet2.train.class_choices import ClassChoices
print(list(task.Task.class_choices_list[0].classes))
print(task.frontend_choices.classes["pruned_ssl"].__name__)
print(task.encoder_choices.classes["tdnn"].__name__)
others = ("text", "waveform", "decoder", "untyped")
print([list(getattr(task, other + "_choices").classes) for other in others])
print(ClassChoices.__module__, inspect.getsource(ClassChoices)[:18])
"""
    done = python("-c", code)
    assert done.stdout.splitlines() == [
        "['default', 'pruned_ssl']",
        "PrunedSSLFrontend",
        "TDNNEncoder",
        "[['embed'], ['stft'], ['rnn'], ['espnet']]",
        "espnet2.train.class_choices class ClassChoices",
    ], done.stderr


def test_installing_imports_nothing_heavy(python):
    code = """
import sys
before = set(sys.modules)
import pruneasr.espnet
heavy = {name.split(".")[0] for name in set(sys.modules) - before}
print(sorted(heavy - set(sys.stdlib_module_names)))
"""
    done = python("-c", code)
    assert done.stdout == "['pruneasr']\n", done.stderr


def test_run_registers_in_spawned_children_too(python):
    done = python("-m", "pruneasr.run", "-m", "espnet2.bin.spawn", "--a", "b c")
    assert done.stdout == "['--a', 'b c'] 0\n", done.stderr


@pytest.mark.parametrize("status", [0, 3])
def test_run_keeps_the_exit_status(python, status):
    done = python("-m", "pruneasr.run", "-m", "espnet2.bin.exit", str(status))
    assert done.returncode == status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected -m and a module"),
        (["-m"], "expected -m and a module"),
        (["script.py"], "expected -m and a module"),
        (["-m", "espnet2.bin.nothing"], "no module espnet2.bin.nothing"),
        (["-m", "nothing.bin.asr_train"], "no module nothing.bin.asr_train"),
        (["-m", "espnet2.task"], "no function main()"),
    ],
)
def test_run_explains_a_bad_call(python, arguments, message):
    done = python("-m", "pruneasr.run", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "usage:" in done.stderr
    assert "Traceback" not in done.stderr


PARSERS = """
import importlib
import espnet2.tasks.asr
import pruneasr.espnet
for name in TASKS:
    task = importlib.import_module(f"espnet2.tasks.{name}")
    for choices in vars(task).values():
        if type(choices).__name__ == "ClassChoices" and "frontend" in choices.name:
            print("CHOICES", name, "pruned_ssl" in choices.choices())
    for item in vars(task).values():
        if isinstance(item, type) and item.__module__ == task.__name__:
            parser = item.get_parser()
            action = parser._option_string_actions["--frontend"]
            assert "pruned_ssl" in action.choices, name
            encoders = parser._option_string_actions.get("--encoder")
            if encoders and "tdnn" in encoders.choices:
                print("TDNN", name)
            args = parser.parse_args(["--frontend", "pruned_ssl"])
            assert args.frontend == "pruned_ssl"
"""
TASKS = ["asr", "slu", "st", "s2t", "s2st", "spk", "lid", "ssl", "hubert", "diar"]
TASKS += ["uasr", "cls", "asvspoof", "enh_s2t", "asr_transducer"]


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_every_audio_task_of_espnet_offers_it():
    out = run(ROOT, "-c", f"TASKS = {TASKS}\n" + PARSERS).splitlines()
    assert {"TDNN asr", "TDNN slu", "TDNN st", "TDNN s2t"} <= set(out)
    lines = [line.split() for line in out if line.startswith("CHOICES")]
    assert {name for _, name, _ in lines} == set(TASKS)
    assert all(offered == "True" for _, _, offered in lines)
