"""Python imports this when it starts in a process that a script of `python -m tensorlite` starts: there too,
`import torch` means tensorlite. It costs nothing until then."""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


class _OnFirstImport:
    """Waits for `import torch`, then leaves its place to the real hook."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in ("torch", "torchvision"):
            return None
        sys.meta_path.remove(_OnFirstImport)
        root = os.path.dirname(os.path.dirname(_HERE))
        try:
            import tensorlite
        except ImportError:
            sys.path.append(root)
            try:
                import tensorlite
            except ImportError:  # another Python
                return None
            finally:
                sys.path.remove(root)
        import tensorlite.compat

        tensorlite.compat.install()
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                return spec
        return None


def _run_the_other() -> None:
    """A sitecustomize of the user's own still counts."""
    import importlib.machinery
    import importlib.util

    spec = importlib.machinery.PathFinder.find_spec("sitecustomize")
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


sys.path[:] = [p for p in sys.path if os.path.abspath(p) != _HERE]
if os.environ.get("TENSORLITE_COMPAT") == "1":
    sys.meta_path.insert(0, _OnFirstImport)
_run_the_other()
