"""`import torch` meaning tensorlite: every test runs in a process of its own."""

import importlib.util
import os
import subprocess
import sys
import textwrap

import pytest
from library import IS_TENSORLITE

pytestmark = pytest.mark.skipif(not IS_TENSORLITE, reason="about tensorlite's own compat module")


def run(*arguments, code=None, cwd=None):
    command = [sys.executable, "-W", "error", *arguments]
    if code is not None:
        command += ["-c", textwrap.dedent(code)]
    no_cuda = {k: v for k, v in os.environ.items() if k != "TENSORLITE_CUDA_LIBRARY"}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=no_cuda, timeout=120)


def check(code):
    result = run(code=code)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_modules_are_the_same_objects():
    check("""
        import sys
        import tensorlite, tensorlite.compat
        tensorlite.compat.install()
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        import torch.optim as optim
        import torch.utils.data
        import torch.autograd
        import torch.cuda
        import torch.backends.cudnn as cudnn
        from torch.utils.data import DataLoader
        from torch.autograd.functional import jacobian
        from torch.autograd.gradcheck import GradcheckError
        from torch.autograd.function import Function, once_differentiable
        from torch import Tensor, randn
        from torch.nn.modules.module import Module

        assert torch is tensorlite
        assert nn is tensorlite.nn and torch.nn is nn
        assert F is tensorlite.nn.functional
        assert optim is tensorlite.optim
        assert cudnn is tensorlite.backends.cudnn
        assert Module is nn.Module and Tensor is tensorlite.Tensor
        assert Function is torch.autograd.Function
        assert callable(torch.autograd.gradcheck)  # the function, though its module was imported too
        for name, module in list(sys.modules.items()):
            if name == "torch" or name.startswith("torch."):
                assert sys.modules["tensorlite" + name[5:]] is module, name
                assert module.__name__.startswith("tensorlite"), name
                assert module.__spec__ is None or module.__spec__.name == module.__name__, name
        """)


def test_names_print_as_torch():
    out = check("""
        import tensorlite, tensorlite.compat
        print(tensorlite.float64, tensorlite.zeros(2, 3).shape)
        tensorlite.compat.install()
        import torch
        print(torch.float64)
        print(torch.zeros(2, 3).shape)
        print(torch.zeros(2, dtype=torch.float64))
        print(torch.zeros(2).type())
        print(torch.int32 == tensorlite.int32, str(torch.int32) == "torch.int32")
        tensorlite.compat.uninstall()
        print(tensorlite.float64)
        """)
    assert out.splitlines() == [
        "tensorlite.float64 tensorlite.Size([2, 3])",
        "torch.float64",
        "torch.Size([2, 3])",
        "tensor([0., 0.], dtype=torch.float64)",
        "torch.FloatTensor",
        "True True",
        "tensorlite.float64",
    ]


def test_uninstall_gives_the_name_back():
    out = check("""
        import importlib.util, sys
        import tensorlite.compat as compat
        before = importlib.util.find_spec("torch") is not None
        compat.install()
        compat.install()  # twice is once
        import torch.nn
        assert compat.installed()
        compat.uninstall()
        compat.uninstall()
        assert not compat.installed()
        assert not any(n == "torch" or n.startswith("torch.") for n in sys.modules)
        assert (importlib.util.find_spec("torch") is not None) == before
        import tensorlite.nn
        assert tensorlite.nn is sys.modules["tensorlite.nn"]
        print("done")
        """)
    assert out == "done\n"


def test_a_module_that_is_not_there():
    out = check("""
        import importlib.util
        import tensorlite.compat
        tensorlite.compat.install()
        try:
            import torch.no_such_module
        except ModuleNotFoundError as e:
            print(e.name, "|", e)
        try:
            from torch import no_such_name
        except ImportError as e:
            print(type(e).__name__)
        """)
    assert out.splitlines() == [
        "torch.no_such_module | No module named 'torch.no_such_module': tensorlite stands in for torch here, "
        "and there is no tensorlite.no_such_module.",
        "ImportError",
    ]


def test_refuses_when_another_torch_is_loaded(tmp_path):
    (tmp_path / "torch.py").write_text("real = True\n")
    code = "import torch, tensorlite.compat\ntensorlite.compat.install()\n"
    (tmp_path / "main.py").write_text(code)
    result = run(str(tmp_path / "main.py"))
    assert result.returncode == 1
    assert "RuntimeError: tensorlite.compat.install() cannot stand in for torch: the real torch is already" in (
        result.stderr
    )
    assert "torch.py" in result.stderr


@pytest.mark.parity
def test_refuses_when_the_real_torch_is_loaded():
    result = run(code="import torch, tensorlite.compat\ntensorlite.compat.install()")
    assert "cannot stand in for torch" in result.stderr


def test_runs_a_script(tmp_path):
    (tmp_path / "helper.py").write_text("import torch\n\n\ndef one():\n    return torch.ones(1)\n")
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import sys
        import torch
        from torch import nn
        from helper import one  # beside the script

        class Net(nn.Module):
            pass

        print(__name__, __file__ == sys.argv[0], sys.argv[1:], Net.__module__)
        print(sys.modules["__main__"].Net is Net, torch.__name__)
        print(one(), one().dtype)
        sys.exit(3)
        """)
    )
    result = run("-m", "tensorlite", str(script), "--lr", "0.1", cwd="/")
    assert result.returncode == 3, result.stderr
    assert result.stdout.splitlines() == [
        "__main__ True ['--lr', '0.1'] __main__",
        "True tensorlite",
        "tensor([1.]) torch.float32",
    ]


def test_shows_the_script_s_own_traceback(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import torch\n\ntorch.ones(2) + torch.ones(3)\n")
    result = run("-m", "tensorlite", str(script))
    assert result.returncode == 1
    assert 'script.py", line 3' in result.stderr
    assert "RuntimeError: The size of tensor a (2) must match the size of tensor b (3)" in result.stderr


def test_runs_code_and_modules(tmp_path):
    result = run("-m", "tensorlite", "-c", "import torch, sys; print(torch.ones(1), sys.argv)", "x")
    assert result.stdout == "tensor([1.]) ['-c', 'x']\n", result.stderr
    (tmp_path / "mod.py").write_text("import torch, sys\nprint(torch.ones(1).dtype, sys.argv[1:], __name__)\n")
    result = run("-m", "tensorlite", "-m", "mod", "x", cwd=tmp_path)
    assert result.stdout == "torch.float32 ['x'] __main__\n", result.stderr


def test_says_how_to_use_it():
    result = run("-m", "tensorlite")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: python -m tensorlite (script.py")
    assert run("-m", "tensorlite", "--help").returncode == 0
    result = run("-m", "tensorlite", "/no/such/script.py")
    assert result.returncode == 2
    assert "can't open file '/no/such/script.py': [Errno 2] No such file or directory" in result.stderr


def test_small_modules_answer():
    check("""
        import tensorlite as torch
        import pytest
        assert torch.version.cuda is None and torch.__version__ == torch.version.__version__
        assert not torch.cuda.is_available() and torch.cuda.device_count() == 0
        torch.cuda.manual_seed_all(0)
        torch.cuda.empty_cache()
        with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
            torch.cuda.synchronize()
        assert torch.accelerator.current_accelerator() is None and not torch.accelerator.is_available()
        with pytest.raises(RuntimeError, match="Cannot access accelerator device when none is available"):
            torch.accelerator.synchronize()
        torch.backends.cudnn.benchmark = True
        with torch.backends.cudnn.flags(deterministic=True):
            assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.deterministic
        assert not torch.backends.cuda.is_built() and not torch.backends.mps.is_available()
        assert torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2", "AVX512")
        """)


def test_seeds_and_states():
    check("""
        import tensorlite as torch
        import pytest
        torch.manual_seed(5)
        assert torch.initial_seed() == 5
        state = torch.get_rng_state()
        assert state.dtype == torch.uint8 and state.shape == (5056,)
        a = torch.rand(3)
        torch.set_rng_state(state)
        assert torch.rand(3).tolist() == a.tolist()
        with torch.random.fork_rng():
            b = torch.rand(3)
        assert torch.rand(3).tolist() == b.tolist()
        torch.manual_seed(-1)
        assert torch.initial_seed() == 2**64 - 1
        assert torch.seed() == torch.initial_seed()
        assert torch.random.manual_seed(1) is torch.default_generator
        with pytest.raises(ValueError, match="Overflow when unpacking long"):
            torch.manual_seed(2**64)
        with pytest.raises(TypeError, match="RNG state must be a"):
            torch.set_rng_state(torch.zeros(3))
        """)


@pytest.mark.skipif(importlib.util.find_spec("tensorlite.vision") is None, reason="there is no vision yet")
def test_torchvision_means_vision():
    check("""
        import tensorlite.compat
        tensorlite.compat.install()
        import torchvision
        from torchvision import datasets
        import tensorlite.vision
        assert torchvision is tensorlite.vision
        """)


def test_classes_print_as_torch():
    out = check("""
        import tensorlite.nn, tensorlite.compat
        tensorlite.compat.install()
        import torch
        x = torch.ones(1, 2, requires_grad=True)
        print(type(x), type(x.shape), type(x.dtype), type(x.device), type(torch.strided), torch.nn.Parameter)
        print(type(torch.nn.Linear(1, 1)), torch.optim.SGD, torch.utils.data.DataLoader, torch.autograd.Function)
        print(type(torch.max(x, 1)), type((x * 2).grad_fn), torch.FloatTensor)
        import pickle
        print(pickle.loads(pickle.dumps(torch.max(x.detach(), 1))).values, type(pickle.loads(pickle.dumps(x))))
        print(type(pickle.loads(pickle.dumps(torch.nn.Linear(1, 1)))) is torch.nn.Linear)
        try:
            torch.no_such_name
        except AttributeError as e:
            print(e)
        tensorlite.compat.uninstall()
        print(tensorlite.Tensor, tensorlite.nn.Linear)
        """)
    assert out.splitlines() == [
        "<class 'torch.Tensor'> <class 'torch.Size'> <class 'torch.dtype'> <class 'torch.device'> <class 'torch.layout'> "
        "<class 'torch.nn.parameter.Parameter'>",
        "<class 'torch.nn.modules.linear.Linear'> <class 'torch.optim.sgd.SGD'> "
        "<class 'torch.utils.data.dataloader.DataLoader'> <class 'torch.autograd.function.Function'>",
        "<class 'torch.return_types.max'> <class 'MulBackward0'> <class 'torch.FloatTensor'>",
        "tensor([1.]) <class 'torch.Tensor'>",
        "True",
        "module 'torch' has no attribute 'no_such_name'",
        "<class 'tensorlite.Tensor'> <class 'tensorlite.nn.modules.linear.Linear'>",
    ]


MODULES = """
    torch torch.accelerator torch.amp torch.autograd torch.autograd.function torch.autograd.functional torch.autograd.grad_mode
    torch.autograd.gradcheck torch.autograd.graph torch.autograd.profiler torch.autograd.variable torch.backends
    torch.backends.cpu torch.backends.cuda torch.backends.cudnn torch.backends.mkl torch.backends.mkldnn torch.backends.mps
    torch.backends.openmp torch.cpu torch.cuda torch.cuda.amp torch.functional torch.fx torch.jit torch.mps torch.multiprocessing torch.nn
    torch.nn.functional torch.nn.init torch.nn.modules torch.nn.modules.activation torch.nn.modules.batchnorm
    torch.nn.modules.container torch.nn.modules.conv torch.nn.modules.linear torch.nn.modules.loss torch.nn.modules.module
    torch.nn.modules.pooling torch.nn.parameter torch.nn.utils torch.optim torch.optim.adam torch.optim.lr_scheduler
    torch.optim.optimizer torch.optim.sgd torch.random torch.return_types torch.storage torch.testing torch.types torch.utils
    torch.utils.checkpoint torch.utils.data torch.utils.data.dataloader torch.utils.data.dataset torch.utils.data.sampler
    torch.utils.dlpack torch.utils.hooks torch.version torch.xpu torchvision torchvision.datasets torchvision.transforms
""".split()


def test_modules_resolve_as_written():
    check(f"""
        import importlib, sys
        import tensorlite.compat
        tensorlite.compat.install()
        import torch, torchvision
        for name in {MODULES}:
            top, *rest = name.split(".")
            by_attribute = {{"torch": torch, "torchvision": torchvision}}[top]
            for part in rest:
                by_attribute = getattr(by_attribute, part)
            # The function gradcheck stands where its module would.
            assert by_attribute is importlib.import_module(name) or name == "torch.autograd.gradcheck", name
        """)


def test_modules_resolve_by_attribute():
    check(f"""
        import tensorlite as torch
        for name in {[m for m in MODULES if m.startswith("torch.")]}:
            part = torch
            for word in name.split(".")[1:]:
                part = getattr(part, word)
        """)


def test_cuda_types_say_that_there_is_no_cuda():
    check("""
        import pytest
        import tensorlite as torch
        for name in "Float Double Half BFloat16 Byte Char Short Int Long Bool".split():
            kind = getattr(torch.cuda, name + "Tensor")
            with pytest.raises(TypeError, match=f"type tensorlite.cuda.{name}Tensor not available"):
                kind(2)
            assert not isinstance(torch.ones(1), kind) and kind.is_cuda
        for make in (lambda: torch.ones(1).cuda(), lambda: torch.ones(1, device="cuda"), lambda: torch.ones(1).to("cuda:1")):
            with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
                make()
        with pytest.warns(FutureWarning, match="deprecated"), pytest.warns(UserWarning, match="CUDA is not available"):
            with torch.cuda.amp.autocast():
                assert (torch.ones(2) @ torch.ones(2)).dtype == torch.float32
        """)
