#include "core/device.h"

#include "core/error.h"

namespace tl {

std::string to_string(Device d) {
  std::string text = d.is_cpu() ? "cpu" : "cuda";
  if (d.index >= 0) text += ":" + std::to_string(int(d.index));
  return text;
}

Device parse_device(const std::string& text) {
  size_t colon = text.find(':');
  std::string kind = text.substr(0, colon);
  Device d;
  if (kind == "cpu")
    d.type = DeviceType::CPU;
  else if (kind == "cuda")
    d.type = DeviceType::CUDA;
  else
    fail("Expected one of cpu, cuda device type at start of device string: ", text);
  if (colon != std::string::npos) {
    std::string digits = text.substr(colon + 1);
    bool ok = !digits.empty() && digits.size() <= 3 && digits.find_first_not_of("0123456789") == std::string::npos &&
              (digits.size() == 1 || digits[0] != '0');
    check(ok && std::stoi(digits) < 128, "Invalid device string: '", text, "'");
    d.index = int8_t(std::stoi(digits));
    check(!d.is_cpu() || d.index == 0, "CPU device index must be -1 or zero, got ", int(d.index));
  }
  return d;
}

}  // namespace tl
