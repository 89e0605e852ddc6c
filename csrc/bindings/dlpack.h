#pragma once

#include <cstdint>

// The C structs of DLPack 1.0 (https://dmlc.github.io/dlpack): memory that libraries hand to one another.

namespace tl::dlpack {

struct Version {
  uint32_t major, minor;
};
struct Device {
  int32_t type, id;
};
struct DataType {
  uint8_t code, bits;
  uint16_t lanes;
};
struct Array {
  void* data;
  Device device;
  int32_t ndim;
  DataType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null: row-major
  uint64_t byte_offset;
};
// What a capsule "dltensor" holds.
struct Managed {
  Array array;
  void* context;
  void (*deleter)(Managed*);
};
// What a capsule "dltensor_versioned" holds.
struct ManagedVersioned {
  Version version;
  void* context;
  void (*deleter)(ManagedVersioned*);
  uint64_t flags;
  Array array;
};

enum Code : uint8_t { kInt = 0, kUInt = 1, kFloat = 2, kBFloat = 4, kComplex = 5, kBool = 6 };
inline constexpr int32_t kCPU = 1, kCUDA = 2, kCUDAHost = 3;
inline constexpr uint64_t kReadOnly = 1, kCopied = 2;

}  // namespace tl::dlpack
