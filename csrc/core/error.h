#pragma once

#include <exception>
#include <sstream>
#include <string>

#include "core/export.h"

namespace tl {

// Each kind becomes the Python exception of the same name; Error becomes RuntimeError.
class TL_API Error : public std::exception {
 public:
  explicit Error(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};
class TL_API IndexError : public Error {
  using Error::Error;
};
class TL_API TypeError : public Error {
  using Error::Error;
};
class TL_API ValueError : public Error {
  using Error::Error;
};
class TL_API NotImplementedError : public Error {
  using Error::Error;
};
class TL_API AssertionError : public Error {
  using Error::Error;
};
class TL_API OutOfMemoryError : public Error {
  using Error::Error;
};

template <class... Parts>
std::string str(const Parts&... parts) {
  std::ostringstream out;
  out << std::boolalpha;
  (out << ... << parts);
  return out.str();
}

// fail<IndexError>("select(): index ", i, " out of range")
template <class E = Error, class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
  throw E(str(parts...));
}

template <class E = Error, class... Parts>
inline void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail<E>(parts...);
}

// The package's name in texts: "tensorlite", or "torch" where it stands in for it.
TL_API const std::string& package_name();
TL_API void set_package_name(std::string name);

// A Python warning (UserWarning); without Python it goes to stderr.
TL_API void warn(const std::string& message);
TL_API void set_warning_handler(void (*handler)(const std::string&));

}  // namespace tl
