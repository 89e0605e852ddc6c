"""Random programs, run on PyTorch and tensorlite side by side.

A program is a list of Python lines over `torch` (writer.py draws them, of the steps in steps.py). lockstep.py runs each line on both libraries in one
process and compares every tensor that the program holds: values, dtype, shape, strides, which memory it shares, version,
place in the graph, gradients, and the errors. `python -m tests.fuzz --programs 10000 --seed 1` runs many, each batch in a
child process; what differs is shortened and printed as a script that either library runs.
"""
