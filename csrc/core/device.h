#pragma once

#include <cstdint>
#include <string>

#include "core/export.h"

namespace tl {

enum class DeviceType : uint8_t { CPU, CUDA };
inline constexpr int kDeviceTypes = 2;

struct Device {
  DeviceType type = DeviceType::CPU;
  int8_t index = -1;  // -1: the current one

  bool operator==(const Device&) const = default;
  bool is_cpu() const { return type == DeviceType::CPU; }
};

// "cpu", "cuda:0"
TL_API std::string to_string(Device d);
// Parses "cpu", "cuda", "cuda:1"; throws Error with PyTorch's words otherwise.
TL_API Device parse_device(const std::string& text);

}  // namespace tl
