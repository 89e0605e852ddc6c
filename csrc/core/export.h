#pragma once

// Symbols that other shared objects (the Python bindings, the CUDA backend, C++ programs) may use.
#define TL_API __attribute__((visibility("default")))
