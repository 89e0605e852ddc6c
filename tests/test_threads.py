"""The pool of threads that operators share: where its threads run, and that a forked child has one of its own."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.cpu

PLACE = """
import os, threading
import tensorlite as tl

def core(thread):
    return int(open(f"/proc/self/task/{thread}/stat").read().rsplit(")", 1)[1].split()[36])

cores = sorted(os.sched_getaffinity(0))[:2]
os.sched_setaffinity(0, cores)
tl.set_num_threads(2)
before = set(os.listdir("/proc/self/task"))
a = tl.ones(1 << 22)
(a + a).sum()
worker, = set(os.listdir("/proc/self/task")) - before
here = cores[0]
os.sched_setaffinity(0, [here])  # this thread stays
moved = 0
for _ in range(10):
    os.sched_setaffinity(int(worker), [here])
    os.sched_setaffinity(int(worker), cores)
    for _ in range(40):
        (a + a).sum()
    moved += core(worker) != here
os.sched_setaffinity(int(worker), [here])
(a + a).sum()
assert os.sched_getaffinity(int(worker)) == {here}  # what the user has chosen
print(moved)
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_a_thread_leaves_the_core_of_the_one_that_woke_it():
    done = subprocess.run([sys.executable, "-c", PLACE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5


FORK = """
import os
import tensorlite as tl

tl.set_num_threads(2)
a = tl.arange(1 << 22)
want = a.sum().item()
child = os.fork()
if child == 0:
    os._exit(0 if (a + 0).sum().item() == want else 1)
assert os.waitpid(child, 0)[1] == 0 and (a + 0).sum().item() == want
"""


def test_a_forked_child_computes():
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
