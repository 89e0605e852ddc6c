#include "core/data_error.h"

#include <cstdio>

namespace tl {
namespace {
void (*handler)(const std::string&) = nullptr;
std::string& package() {
  static std::string& name = *new std::string("tensorlite");
  return name;
}
}  // namespace

void DataError::raise(int64_t number) const {
  std::string message;
  int64_t next = -1;
  for (const char* c = text; *c; ++c) {
    if (*c != '%')
      message += *c;
    else if (++next == 0)
      message += std::to_string(number);
    else
      message += std::to_string(values[next - 1]);
  }
  if (is_index_error) throw IndexError(message);
  throw Error(message);
}

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
