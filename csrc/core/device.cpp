#include "core/device.h"

#include <iterator>

#include "core/error.h"

namespace tl {

namespace {
constexpr const char* names[] = {"cpu", "cuda", "mps", "xpu", "meta"};
}

const char* name(DeviceType t) { return names[int(t)]; }

std::string to_string(Device d) {
  std::string text = name(d.type);
  if (d.index >= 0) text += ":" + std::to_string(int(d.index));
  return text;
}

Device parse_device(const std::string& text) {
  size_t colon = text.find(':');
  std::string kind = text.substr(0, colon);
  Device d;
  size_t known = 0;
  while (known < std::size(names) && kind != names[known]) ++known;
  if (known == std::size(names))
    fail(
        "Expected one of cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, "
        "mps, meta, hpu, mtia, privateuseone device type at start of device string: ",
        text);
  d.type = DeviceType(known);
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
