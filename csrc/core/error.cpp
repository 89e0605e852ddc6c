#include "core/error.h"

#include <cstdio>

namespace tl {
namespace {
void (*handler)(const std::string&) = nullptr;
}

void set_warning_handler(void (*h)(const std::string&)) { handler = h; }

void warn(const std::string& message) {
  if (handler)
    handler(message);
  else
    std::fprintf(stderr, "tensorlite: warning: %s\n", message.c_str());
}

}  // namespace tl
