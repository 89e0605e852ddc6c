#pragma once

#include <cstdint>
#include <string>

#include "core/export.h"

namespace tl {

// The last three can be named, so that programs may compare with them; no tensor can lie there.
enum class DeviceType : uint8_t { CPU, CUDA, MPS, XPU, Meta };
inline constexpr int kDeviceTypes = 2;  // that kernels may exist for

struct Device {
  DeviceType type = DeviceType::CPU;
  int8_t index = -1;  // -1: the current one

  bool operator==(const Device&) const = default;
  bool is_cpu() const { return type == DeviceType::CPU; }
};

// "cpu", "cuda"
TL_API const char* name(DeviceType t);
// "cpu", "cuda:0"
TL_API std::string to_string(Device d);
// Parses "cpu", "cuda", "cuda:1"; throws Error with PyTorch's words otherwise.
TL_API Device parse_device(const std::string& text);

}  // namespace tl
