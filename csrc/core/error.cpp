#include "core/error.h"

#include <cstdio>

namespace tl {
namespace {
void (*handler)(const std::string&) = nullptr;
std::string& package() {
  static std::string& name = *new std::string("tensorlite");
  return name;
}
}  // namespace

const std::string& package_name() { return package(); }
void set_package_name(std::string name) { package() = std::move(name); }

void set_warning_handler(void (*h)(const std::string&)) { handler = h; }

void warn(const std::string& message) {
  if (handler)
    handler(message);
  else
    std::fprintf(stderr, "tensorlite: warning: %s\n", message.c_str());
}

}  // namespace tl
