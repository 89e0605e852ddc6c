#pragma once

#include <cstdint>
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

// An error about a number in the data, such as an index out of range. It is worded before the data is looked at: a
// device that works behind the host's back has it raised where the host next waits for it.
struct TL_API DataError {
  const char* text;  // of static life; a % stands for the number, the next ones for the values
  int64_t values[2] = {0, 0};
  bool is_index_error = true;

  [[noreturn]] void raise(int64_t number) const;
};

// The package's name in texts: "tensorlite", or "torch" where it stands in for it.
TL_API const std::string& package_name();
TL_API void set_package_name(std::string name);

// A Python warning (UserWarning); without Python it goes to stderr.
TL_API void warn(const std::string& message);
TL_API void set_warning_handler(void (*handler)(const std::string&));

}  // namespace tl
